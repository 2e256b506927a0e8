"""Samples that no hub took: kept, thinned out, told once, in terms of the present roster."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from initd.link.backlog import Backlog, Kept, weight
from wire.messages import Roster, Sample
from wire.model import RosterRow


def roster(number: int = 1, *pids: int) -> Roster:
    rows = tuple(RosterRow(pid, 7, 1, "child", "", "app", 0) for pid in pids or (10, 20))
    return Roster("b", number, 0, 0.0, 0.0, ("rss",), rows, (), ())


ROSTER = roster()


def sample(mono: float, *rss: float, number: int = 1) -> Sample:
    values = rss or (1.0, 2.0)
    columns = {"rss": array("f", values).tobytes(), "cpu_seconds": array("d", values).tobytes()}
    return Sample("b", number, mono + 1e9, mono, 1.0, columns, b"")


def kept(mono: float, of: Roster | None = None) -> Kept:
    return Kept(sample(mono), of or ROSTER)


def told(backlog: Backlog, mono: float = 0.0) -> list[float]:
    found = []
    while (one := backlog.next(mono)) is not None:
        found.append(one.sample.mono)
    return found


def test_what_was_kept_is_told_once_the_oldest_first() -> None:
    backlog = Backlog()
    for mono in range(5):
        backlog.keep(kept(mono))
    assert told(backlog) == [0, 1, 2, 3, 4] and told(backlog) == [] and len(backlog) == 0


def test_what_a_hub_was_there_for_is_not_told_again_and_what_it_was_not_is() -> None:
    backlog = Backlog()
    for mono in (1.0, 2.0, 3.0):
        backlog.sent(kept(mono))
    backlog.keep(kept(4.0))
    backlog.sure(1.5)
    backlog.doubt()
    assert told(backlog) == [2.0, 3.0, 4.0]
    backlog.sent(kept(5.0))
    backlog.sure(5.0)
    backlog.doubt()
    assert told(backlog) == []


def test_what_could_not_be_sent_comes_first_again() -> None:
    backlog = Backlog()
    for mono in (1.0, 2.0):
        backlog.keep(kept(mono))
    first = backlog.next(0.0)
    assert first is not None
    backlog.back(first)
    assert told(backlog) == [1.0, 2.0]


def test_what_is_too_old_is_not_told() -> None:
    backlog = Backlog(most_seconds=10.0)
    for mono in (0.0, 5.0, 14.0):
        backlog.keep(kept(mono))
    assert told(backlog, 15.0) == [5.0, 14.0]


@given(st.integers(0, 300), st.integers(2_000, 20_000))
def test_it_never_grows_beyond_its_room_and_keeps_the_whole_span(count: int, room: int) -> None:
    backlog = Backlog(most_bytes=room)
    for mono in range(count):
        backlog.keep(kept(float(mono), roster(mono // 3)))
        assert weight(backlog._kept) == backlog._bytes <= room
    found = told(backlog)
    assert found == sorted(found) and (not found or found[-1] == count - 1)


def test_rosters_count_as_often_as_they_are_there() -> None:
    backlog, many = Backlog(), Backlog()
    for mono in range(10):
        backlog.keep(kept(mono))
        many.keep(kept(mono, roster(mono)))
    assert weight(many._kept) == many._bytes > backlog._bytes + 4000


def test_what_is_kept_keeps_the_roster_that_it_names() -> None:
    backlog = Backlog()
    backlog.keep(kept(1.0, roster(1, 10, 20)))
    backlog.keep(kept(2.0, roster(2, 10)))
    first, second = backlog.next(0.0), backlog.next(0.0)
    assert first and second and (len(first.roster.rows), len(second.roster.rows)) == (2, 1)
