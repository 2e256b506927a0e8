"""The record of a container that died of OOM."""

from __future__ import annotations

from array import array
from math import nan

import pytest

from hub.monitor.exits import Ending, oom_record
from hub.store.rows import Latest
from tests.support import rows
from tests.support.rows import T0
from wire.model import Cause, Exit, FactKind, RosterRow

STOPPED = rows.death(signal=15, cause=Cause.STOPPED, by="uid=0", command="stop 1")
OOM = Ending("c" * 64, T0 + 5, 137, True)


def latest(*sizes: float, uptime: float = 60.0) -> Latest:
    names = ["web", "shop:worker", ""]
    found = tuple(RosterRow(10 + i, 7, 1, "program", names[i], f"comm{i}", 0) for i in range(len(sizes)))
    columns = {"rss": array("f", sizes), "uptime": array("f", [uptime] * len(sizes))}
    return Latest("a", "b", T0, found, columns)


def exit_of(found: tuple[FactKind, Exit | dict[str, object]] | None) -> Exit:
    assert found is not None and isinstance(found[1], Exit) and found[0] is FactKind.EXIT
    return found[1]


def test_the_largest_process_is_named() -> None:
    record = exit_of(oom_record(OOM, latest(1e6, 9e6, 2e6)))
    assert (record.group, record.name, record.pid, record.cause, record.signal) == ("shop", "worker", 11, Cause.OOM, 9)
    assert "comm1 (pid 11) with 9000000 bytes" in record.last_lines[0]
    assert (record.started_at, record.ended_at, record.run_time) == (T0 - 60, T0 + 5, 65.0)


def test_a_process_of_no_program_goes_by_its_command() -> None:
    record = exit_of(oom_record(OOM, latest(1.0, nan, 2.0)))
    assert (record.name, record.pid) == ("comm2", 12)


def test_an_unknown_uptime_is_not_invented() -> None:
    record = exit_of(oom_record(OOM, latest(1.0, uptime=nan)))
    assert (record.run_time, record.started_at) == (0.0, record.ended_at)
    assert record.last_lines[0].endswith("its start is unknown")


@pytest.mark.parametrize("sample", [None, latest(), latest(nan, nan)])
def test_without_a_known_size_it_is_a_note(sample: Latest | None) -> None:
    assert oom_record(OOM, sample) == (
        FactKind.NOTE,
        {"note": "oom of the whole container", "container": "c" * 64, "largest": None},
    )


@pytest.mark.parametrize("other", [{"exit_code": 1}, {"oom_killed": False}, {"exit_code": None}])
def test_every_other_end_is_the_agents_to_tell(other: dict[str, object]) -> None:
    assert oom_record(OOM._replace(**other), latest(1.0)) is None
