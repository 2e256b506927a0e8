"""Timelines and verdicts."""

from __future__ import annotations

from array import array
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitor.history import History
from hub.monitor.why import ORDER, VERDICTS, Trend, last_end, size, timeline, trend_of, verdict
from hub.store.rows import FactRow
from tests.support.rows import T0, change, command, death
from wire.model import Cause, Exit, FactKind, State, StateChange

MIB = 1024.0 * 1024


def fact(at: float, body: Any) -> FactRow:
    kind = {StateChange: FactKind.STATE, Exit: FactKind.EXIT}.get(type(body), FactKind.NOTE)
    return FactRow(1, "a1", "b", 1, at, at, 0.0, kind, body)


def history(sizes: list[float], share: float = 0.5, **columns: list[float]) -> History:
    every = columns or {"rss": sizes, "memory_share": [share] * len(sizes)}
    times = array("d", (T0 + n for n in range(len(sizes))))
    return History(None, times, {name: array("d", values) for name, values in every.items()}, (), ())


def test_every_cause_has_a_verdict() -> None:
    every = {value for name, value in vars(Cause).items() if name.isupper()}
    assert set(VERDICTS) == every
    for cause in every:
        assert verdict([fact(T0, death(cause=cause))], None).startswith("web ")


def test_memory_that_rose_is_told_with_its_limit() -> None:
    trend = trend_of(history([100 * MIB, nan, 250 * MIB]), T0 + 5)
    assert trend == Trend(T0, 100 * MIB, T0 + 2, 250 * MIB, 250 * MIB, 500 * MIB)
    assert verdict([fact(T0 + 3, death(cause=Cause.OOM))], trend) == (
        "web killed by the OOM killer: memory rose from 100 MiB to 250 MiB (limit 500 MiB)"
    )


def test_samples_after_the_end_and_unknown_ones_do_not_count() -> None:
    trend = trend_of(history([100 * MIB, 90 * MIB, 900 * MIB], share=nan), T0 + 1.5)
    assert trend is not None and trend.words() == "memory was 90 MiB"
    assert trend_of(history([nan]), T0 + 9) is None and trend_of(None, T0) is None


def test_a_containers_own_columns_are_understood() -> None:
    found = history([1.0], memory=[3 * MIB], memory_limit=[4 * MIB])
    trend = trend_of(found, T0 + 1)
    assert trend is not None and trend.words() == "memory was 3.0 MiB (limit 4.0 MiB)"


@pytest.mark.parametrize(("count", "shown"), [(0, "0 B"), (2048, "2.0 KiB"), (20 * MIB, "20 MiB"), (2**50, "1024 TiB")])
def test_sizes(count: float, shown: str) -> None:
    assert size(count) == shown


def test_a_stop_names_who_and_by_what() -> None:
    body = death(cause=Cause.STOPPED, by="hub:alice", command="restart 6f1c", escalated=True)
    running = change()._replace(state=State.RUNNING)
    said = verdict([fact(T0, body), fact(T0 + 1, running)], None, "web")
    assert said == "web stopped by hub:alice through restart 6f1c (it needed SIGKILL); it is RUNNING since"


def test_the_newest_end_counts_and_only_of_that_program() -> None:
    facts = [fact(T0 + 9, death("db")), fact(T0 + 5, death(code=3, signal=None, cause=Cause.EXIT)), fact(T0, death())]
    assert verdict(facts, None, "web") == "web ended by itself with exit 3"
    assert last_end(facts) is facts[0] and verdict([], None) == "nothing of it ended in this time"


@pytest.mark.parametrize("note", ["container died", "oom of the whole container"])
def test_a_container_that_died_whole_is_an_end(note: str) -> None:
    body = {"note": note, "words": "container removed by its engine, nobody asked for it"}
    assert verdict([fact(T0, body)], None) == "container removed by its engine, nobody asked for it"
    assert verdict([fact(T0, {"note": note})], None) == note


def test_a_storm_that_goes_on_is_told_and_one_that_ended_is_not() -> None:
    storm = {"note": "storm", "phase": "begun", "process": "web", "exits": 4}
    facts = [fact(T0, storm), fact(T0 + 1, death())]
    assert verdict(facts, None).endswith("; a crash storm goes on (4 exits at its start)")
    assert "storm" not in verdict([*facts, fact(T0 + 2, {**storm, "phase": "ended"})], None)


def test_at_one_moment_the_cause_comes_first() -> None:
    entries = timeline([fact(T0, death()), fact(T0, change())], [command()], Trend(T0, 1, T0, 1, 1, None), "web")
    assert [entry.kind for entry in entries] == ["memory", "command", "state", "exit"]
    assert timeline([fact(T0, death("db"))], [command(args={"names": ["db"]})], None, "web") == []


BODIES = st.one_of(
    st.builds(death, st.sampled_from(["web", "db"]), cause=st.sampled_from(list(VERDICTS))),
    st.builds(change, st.sampled_from(["web", "db"])),
    st.dictionaries(st.sampled_from(["note", "phase", "process", "exits", "words", "x"]), st.text(max_size=5)),
)


@given(st.lists(st.tuples(st.floats(0, 100), BODIES), max_size=20), st.sampled_from(["", "web"]))
def test_any_facts_make_a_sorted_timeline_and_one_line(bodies: list[tuple[float, Any]], program: str) -> None:
    facts = [fact(at, body) for at, body in bodies]
    entries = timeline(facts, [], None, program)
    assert entries == sorted(entries, key=lambda entry: (entry.at, ORDER.index(entry.kind)))
    assert verdict(facts, None, program)
