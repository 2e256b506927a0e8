"""Rosters and samples: what a round shows, and when a new roster is made."""

from __future__ import annotations

import math
import os
from array import array
from typing import Any

import pytest

from initd.link import observer as module
from initd.link.cgroup import Container, places
from initd.link.observer import Observer, bounded, pack
from initd.link.processes import Known, Private, Table, parse_stat
from tests.initd.link.test_processes import line
from tests.support.cgroupfiles import V2_CGROUP, V2_FILES, V2_MOUNTS
from wire.codec import encode
from wire.messages import Roster
from wire.model import PROCESS_COLUMNS, Mount, RosterRow
from wire.session import Now

ROW = {
    "group": "web", "name": "web", "program": "web", "number": 0, "state": "RUNNING", "want": "up", "pid": 10,
    "start_ticks": 500, "since": 1.0, "uptime": 5.0, "restarts": 0, "why": "", "autostart": True, "dropped": 0,
}  # fmt: skip


class FixedTable(Table):
    """A table whose processes the test makes."""

    def __init__(self) -> None:
        super().__init__()
        self.all = [self.one(1, parent=0), self.one(10), self.one(11, parent=10)]
        self.closed: set[int] = set()

    def one(self, pid: int, parent: int = 1, **stat: int) -> Known:
        return Known(pid, parse_stat(line(pid, parent, **stat)), None, 33, 33)  # type: ignore[arg-type]

    def use(self, pid: int, ticks: int) -> None:
        known = next(one for one in self.all if one.pid == pid)
        known.stat = parse_stat(line(pid, known.stat.parent, user=ticks))

    def scan(self) -> list[Known]:
        return list(self.all)

    def private(self, pid: int) -> Private | None:
        return None if pid in self.closed else Private(100.0 * pid, 7.0, 3.0)


@pytest.fixture
def table() -> FixedTable:
    return FixedTable()


@pytest.fixture
def watch(table: FixedTable, monkeypatch: pytest.MonkeyPatch) -> Observer:
    monkeypatch.setattr(module.mounts, "mounts", lambda: (Mount("/", 100, 50, 10, 5),))
    where = places(V2_MOUNTS, V2_CGROUP, lambda path: False)
    container = Container(where, lambda path: V2_FILES.get(path, ""))
    return Observer("boot1", 1, None, container, table)


def column(sample: Any, name: str) -> list[float]:
    code = next(c.code for c in PROCESS_COLUMNS if c.name == name)
    return array(code, sample.processes[name]).tolist()


def test_the_first_round_makes_a_roster_and_a_sample(watch: Observer) -> None:
    watch.programs([ROW], 100.0)
    picture = watch.look(Now(100.0, 5000.0), 3)
    assert picture.roster is not None
    assert [(row.pid, row.kind, row.program) for row in picture.roster.rows] == [
        (1, "init", ""), (10, "program", "web"), (11, "child", "web"),
    ]  # fmt: skip
    assert picture.roster.number == picture.sample.roster == 1 and picture.roster.last_seq == 3
    assert picture.roster.programs[0].name == "web"


def test_the_roster_is_made_again_only_where_something_changed(watch: Observer, table: FixedTable) -> None:
    watch.programs([ROW], 100.0)
    assert watch.look(Now(100.0, 0.0), 0).roster
    watch.programs([{**ROW, "uptime": 9.0}], 100.0)
    assert watch.look(Now(105.0, 0.0), 0).roster is None
    watch.programs([{**ROW, "state": "STOPPING"}], 100.0)
    assert watch.look(Now(110.0, 0.0), 0).roster
    table.all.append(table.one(30))
    picture = watch.look(Now(115.0, 0.0), 0)
    assert picture.roster and picture.sample.roster == 3


def test_an_uptime_is_that_of_the_roster_not_of_the_day_it_was_asked(watch: Observer, table: FixedTable) -> None:
    watch.programs([ROW], 100.0)
    watch.look(Now(100.0, 0.0), 0)
    table.all.append(table.one(30))
    picture = watch.look(Now(130.0, 0.0), 0)
    assert picture.roster and picture.roster.programs[0].uptime == 35.0


def test_mounts_are_told_again_when_a_person_would_see_it(watch: Observer, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.look(Now(100.0, 0.0), 0)
    monkeypatch.setattr(module.mounts, "mounts", lambda: (Mount("/", 100, 48, 10, 5),))
    assert watch.look(Now(110.0, 0.0), 0).roster is None
    picture = watch.look(Now(131.0, 0.0), 0)
    assert picture.roster and picture.roster.mounts[0].free == 48


def test_cpu_needs_two_rounds(watch: Observer, table: FixedTable) -> None:
    first = watch.look(Now(100.0, 0.0), 0).sample
    assert all(map(math.isnan, column(first, "cpu"))) and first.period == 0.0
    table.use(10, ticks=5 * os.sysconf("SC_CLK_TCK") // 2)
    second = watch.look(Now(105.0, 0.0), 0).sample
    assert column(second, "cpu") == [0.0, 0.5, 0.0] and second.period == 5.0


def test_memory_is_a_share_of_the_containers_limit(watch: Observer, table: FixedTable) -> None:
    sample = watch.look(Now(100.0, 0.0), 0).sample
    rss = table.all[0].stat.rss
    assert column(sample, "memory_share")[0] == pytest.approx(rss / 67108864)


def test_refused_figures_are_nan_with_a_reason(watch: Observer, table: FixedTable) -> None:
    table.closed.add(11)
    picture = watch.look(Now(100.0, 0.0), 0)
    assert math.isnan(column(picture.sample, "read_bytes")[2]) and column(picture.sample, "fds")[:2] == [3.0, 3.0]
    assert picture.roster and "refused" in picture.roster.notes["read_bytes"]
    table.closed.clear()
    again = watch.look(Now(105.0, 0.0), 0)
    assert again.roster and again.roster.notes == {}


def test_every_picture_can_be_sent(watch: Observer) -> None:
    watch.programs([ROW], 100.0)
    picture = watch.look(Now(100.0, 5000.0), 3)
    assert picture.roster and encode(picture.roster) and encode(picture.sample)


def test_a_roster_that_is_too_large_is_cut_and_says_by_how_much() -> None:
    row = RosterRow(4_000_000, 10**12, 1, "program", "p" * 257, "\u20ac" * 64, 0)
    roster = bounded(Roster("b", 1, 0, 0.0, 0.0, (), (row,) * 2000, (), ()))
    assert encode(roster) and 0 < len(roster.rows) < 2000 and roster.left_out == 2000 - len(roster.rows)


def test_values_are_little_endian() -> None:
    assert pack("d", [1.0]) == b"\0\0\0\0\0\0\xf0\x3f" and pack("f", [1.0]) == b"\0\0\x80\x3f"
