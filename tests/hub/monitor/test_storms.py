"""Crash storms in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitor.storms import ALIKE, INNOCENT, KEPT, QUIET_SECONDS, RULES, Crash, Storm, Storms, is_crash
from tests.support.facts import exit_record
from wire.model import Cause, Exit

WEB = ("a1", "web")


def crashes(storms: Storms, *times: float, key: tuple[str, str] = WEB, run: float = 0.5) -> list[Storm]:
    return [told for at in times for told in storms.crash(key, Crash(at, run, "exit 1"), "shop")]


def body(**changes: object) -> Exit:
    made = exit_record(1, **changes).body
    assert isinstance(made, Exit)
    return made


def test_one_storm_however_many_exits() -> None:
    storms = Storms()
    told = crashes(storms, *map(float, range(500)))
    assert [(one.phase, one.exits, one.began) for one in told] == [("begun", 4, 0.0)]
    (raging,) = storms.open()
    assert (raging.exits, raging.last, round(raging.rate)) == (500, 499.0, 60)
    assert raging.backoff == 0.5 and "60.0 a minute, restarted after 0 s, last by exit 1" in raging.words()


@pytest.mark.parametrize(("count", "span"), RULES)
def test_each_rule_counts_to_its_edge(count: int, span: float) -> None:
    step = span / (count - 1)
    assert len(crashes(Storms(), *(n * step for n in range(count)))) == 1
    assert crashes(Storms(), *(n * (step * 1.01) for n in range(4 if span < 100 else count))) == []


def test_a_storm_ends_after_silence_at_its_last_crash() -> None:
    storms = Storms()
    crashes(storms, 0.0, 1.0, 2.0, 3.0)
    assert storms.tick(3.0 + QUIET_SECONDS - 0.1) == []
    (ended,) = storms.tick(3.0 + QUIET_SECONDS)
    assert (ended.phase, ended.ended, ended.exits) == ("ended", 3.0, 4) and storms.open() == []


def test_a_growing_backoff_stays_one_storm() -> None:
    storms, at, told = Storms(), 0.0, []
    for n in range(12):
        at += min(2.0**n, 300.0)
        told += storms.tick(at)
        told += crashes(storms, at)
    assert [one.phase for one in told] == ["begun"]


def test_given_up_ends_it_at_once() -> None:
    storms = Storms()
    crashes(storms, 0.0, 1.0, 2.0, 3.0)
    (ended,) = storms.settle(WEB, 4.0, "given up (FATAL)")
    assert (ended.ended, ended.reason) == (4.0, "given up (FATAL)")
    assert storms.settle(WEB, 5.0, "again") == [] and storms.settle(("x", "y"), 5.0, "") == []


def test_the_same_program_on_many_agents_is_one_fleet_storm() -> None:
    storms = Storms()
    told = [one for n in range(6) for one in crashes(storms, 0.0, 1.0, 2.0, 3.0, key=(f"a{n}", "web"))]
    fleet = [one for one in told if one.members]
    assert len(fleet) == 1 and fleet[0].agent == "" and len(fleet[0].members) == ALIKE
    assert [one.fleet for one in told if not one.members] == [""] * 3 + [fleet[0].id] * 3
    assert storms.open()[0].members == tuple(f"a{n}" for n in range(6))
    ended = storms.tick(1000.0)
    assert [one.id for one in ended if one.members] == [fleet[0].id] and len(ended) == 7


def test_another_program_or_service_is_no_fleet_storm() -> None:
    storms = Storms()
    told = [one for n in range(5) for one in crashes(storms, 0.0, 1.0, 2.0, 3.0, key=(f"a{n}", f"p{n}"))]
    assert not any(one.members for one in told)


def test_an_agent_that_leaves_takes_its_storms_along() -> None:
    storms = Storms()
    crashes(storms, 0.0, 1.0, 2.0, 3.0)
    (ended,) = storms.leave("a1", 9.0, "agent gone")
    assert ended.ended == 9.0 and storms.programs == {}


def test_a_storm_goes_on_after_a_restart_of_the_hub() -> None:
    storms, again = Storms(), Storms()
    for n in range(ALIKE):
        crashes(storms, 0.0, 1.0, 2.0, 3.0, key=(f"a{n}", "web"))
    for one in storms.open():
        again.restore(one)
    assert crashes(again, 4.0, 5.0, 6.0, 7.0, key=("a0", "web")) == []
    assert [one.exits for one in again.open() if one.agent == "a0"] == [8]
    assert sum(one.members != () for one in again.tick(1000.0)) == 1


@pytest.mark.parametrize("cause", sorted(INNOCENT))
def test_what_somebody_wanted_is_no_crash(cause: Cause) -> None:
    assert not is_crash(body(cause=cause))


def test_what_counts() -> None:
    assert is_crash(body()) and is_crash(body(cause=Cause.OOM)) and is_crash(body(cause=Cause.START_FAILURE))
    assert not is_crash(body(expected=True))


def test_programs_that_are_watched_are_bounded() -> None:
    storms = Storms()
    for n in range(KEPT + 50):
        crashes(storms, float(n), key=(f"a{n}", "web"))
    assert len(storms.programs) == KEPT


EVENT = st.tuples(st.integers(0, 3), st.sampled_from(["crash", "tick", "settle", "leave"]), st.floats(0.0, 120.0))


@given(st.lists(EVENT, max_size=80))
def test_begun_and_ended_alternate_for_everyone(events: list[tuple[int, str, float]]) -> None:
    storms, at, told = Storms(), 0.0, []
    for agent, what, pause in events:
        at += pause
        key = (f"a{agent}", "web")
        if what == "crash":
            told += crashes(storms, at, key=key)
        elif what == "tick":
            told += storms.tick(at)
        else:
            told += storms.settle(key, at, "x") if what == "settle" else storms.leave(key[0], at, "x")
    for who in {(one.agent, one.process) for one in told}:
        phases = [one.phase for one in told if (one.agent, one.process) == who]
        assert phases == ["begun", "ended"] * (len(phases) // 2) + ["begun"] * (len(phases) % 2)
    assert all(one.ended is None or one.began <= one.last <= one.ended for one in told)
    open_now = {one.id for one in storms.open()}
    assert open_now == {one.id for one in told if one.phase == "begun"} - {one.id for one in told if one.ended}
