"""Events of real engines, and floods of them, without any engine."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given

from hub.engines.watch import Gate, Happened, Watch, happened
from tests.hub.engines.recorded import DIE, EXEC, HEALTH, ID, changed
from tests.hub.engines.test_values import JSON


def line(event: object) -> bytes:
    return json.dumps(event).encode()


def test_a_death_with_its_exit_code() -> None:
    attributes = {"exitCode": "137", "image": "shop:3", "name": "shop-1"}
    assert happened(line(DIE)) == Happened(ID, "die", attributes, 1795421191335850323)


def test_the_state_in_a_health_event_becomes_an_attribute() -> None:
    event = happened(line(HEALTH))
    assert event is not None
    assert (event.action, event.attributes["health"]) == ("health_status", "healthy")


def test_newer_engines_leave_the_old_fields_out() -> None:
    modern = {key: value for key, value in DIE.items() if key not in ("status", "id", "from")}
    assert happened(line(modern)) == happened(line(DIE))


@pytest.mark.parametrize(
    "event",
    [EXEC, changed(DIE, "timeNano", to="now"), changed(DIE, "Actor", "ID", to="../x"), changed(DIE, "Action", to="x")],
)
def test_what_is_not_passed_on(event: object) -> None:
    assert happened(line(event)) is None


@given(JSON)
def test_a_lying_engine_yields_an_event_or_nothing(junk: object) -> None:
    for event in (junk, *(changed(DIE, key, to=junk) for key in DIE)):
        found = happened(line(event))
        assert found is None or found.container == ID
    assert happened(b"\xff{") is None


def continued_from(*stamps: int) -> tuple[int, int]:
    """Where a watch goes on after events with these stamps, and how many of them it posted."""
    posted: list[object] = []
    watch = Watch("e", None, 5, 0.0, posted.append, lambda touched: None)  # type: ignore[arg-type]
    for stamp in stamps:
        watch._take(Happened(ID, "die", {}, stamp))
    return watch.since, len(posted)


def test_events_are_continued_after_the_last_one_even_if_the_clock_stepped_back() -> None:
    now = time.time_ns()
    assert continued_from(now, now - 3600 * 10**9) == (now - 3600 * 10**9 + 1, 2)


def test_a_stamp_from_the_future_does_not_shut_later_events_out() -> None:
    assert continued_from(2**62) == (5, 1)


def test_the_gate_admits_so_many_a_second() -> None:
    gate = Gate(3)
    assert [gate.admit(10.0 + n / 10) for n in range(5)] == [True, True, True, False, False]
    assert gate.wait(10.4) == pytest.approx(0.6)
    assert gate.admit(11.0)
    assert gate.wait(11.0) == 0.0
