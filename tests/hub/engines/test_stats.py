"""Statistics of real engines, and of lying ones, as columns."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from hub.engines.stats import Before, Host, measured
from tests.hub.engines.recorded import V1, V2, V2_HOST_MEMORY, ZEROS, changed
from tests.hub.engines.test_values import JSON
from wire.model import CONTAINER_COLUMNS

NAMES = [column.name for column in CONTAINER_COLUMNS]


def columns(answer: object, before: Before | None = None, host: Host = Host()) -> dict[str, float]:  # noqa: B008
    found = measured(answer, before, host)
    assert found is not None
    return dict(zip(NAMES, found.values, strict=True))


def test_cgroup_v1() -> None:
    shown = columns(V1, host=Host(25276514304, 0.5))
    assert {name: shown[name] for name in NAMES if not math.isnan(shown[name])} == {
        "cpu_seconds": pytest.approx(0.132515376),
        "throttled_seconds": 1.5,
        "throttled_periods": 3,
        "net_rx_bytes": 1120,
        "net_tx_bytes": 72,
        "read_bytes": 5096,
        "write_bytes": 8192,
        "cpu_limit": 0.5,
        "memory": 774144 - 4096,
        "memory_limit": 67108864,
        "pids": 2,
        "pids_limit": 50,
    }


def test_cgroup_v2_with_nothing_limited() -> None:
    shown = columns(V2, host=Host(V2_HOST_MEMORY))
    assert shown["memory"] == 5718016 - 94208
    assert shown["throttled_seconds"] == pytest.approx(7.46)
    unknown = ("memory_limit", "pids_limit", "cpu_limit", "net_rx_bytes", "read_bytes", "oom_kills")
    assert all(math.isnan(shown[name]) for name in unknown)


def test_cpu_is_the_increase_over_the_engines_own_clock() -> None:
    assert columns(V2)["cpu"] == pytest.approx(0.22 / 1.152958, rel=1e-3)
    before = measured(V1, None, Host())
    assert before is not None
    later = changed(
        changed(V1, "read", to="2026-11-23T08:06:17.736556658Z"), "cpu_stats", "cpu_usage", "total_usage", to=3132515376
    )
    assert columns(later, before.before)["cpu"] == pytest.approx(1.5, rel=1e-6)


def test_a_first_one_shot_answer_has_no_rate_yet() -> None:
    assert math.isnan(columns(V1)["cpu"])


def test_a_counter_that_fell_is_a_restart_and_no_rate() -> None:
    assert math.isnan(columns(V1, Before(1795421170.0, 99.0))["cpu"])


def test_an_answer_given_twice_is_no_rate() -> None:
    again = measured(V1, None, Host())
    assert again is not None
    assert math.isnan(columns(V1, again.before)["cpu"])


def test_a_container_that_does_not_run_has_no_sample() -> None:
    assert measured(ZEROS, None, Host()) is None


def test_no_block_traffic_so_far_is_zero() -> None:
    assert columns(changed(V1, "blkio_stats", "io_service_bytes_recursive", to=[]))["read_bytes"] == 0.0


@given(JSON)
def test_a_lying_engine_yields_numbers_or_nothing(junk: object) -> None:
    for answer in (junk, *(changed(V1, key, to=junk) for key in V1)):
        found = measured(answer, None, Host())
        assert found is None or all(isinstance(value, float) and value != math.inf for value in found.values)
