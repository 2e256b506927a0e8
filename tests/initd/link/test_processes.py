"""The table of processes: hostile names, reused pids, and whose each process is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.link.processes import (
    TICKS,
    Known,
    Table,
    assign,
    count_fds,
    descendants,
    io_numbers,
    owner,
    parse_stat,
    uptime,
)
from tests.support.estate import at_the_end
from tests.support.waiting import until

NONE = frozenset((99999,))


def line(
    pid: int, parent: int = 1, name: str = "app", start: int = 500, state: str = "S", group: int = 0, **more: int
) -> bytes:
    """A /proc/PID/stat line as the kernel writes it."""
    fields = [state, parent, group or pid, group or pid] + [0] * 7 + [more.get("user", 0), more.get("system", 0)]
    fields += [0, 0, 20, 0, more.get("threads", 1), 0, start, 10_000, more.get("pages", 7)] + [0] * 28
    return f"{pid} ({name}) {' '.join(map(str, fields))}\n".encode("utf-8", "surrogateescape")


def known(pid: int, parent: int = 1, **more: int) -> Known:
    return Known(pid, parse_stat(line(pid, parent, **more)), None, 0, 0)  # type: ignore[arg-type]


class Proc:
    """A /proc of plain files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self) -> Table:
        table = Table(str(self.folder))
        at_the_end(table.close)
        return table

    def put(self, pid: int, **stat: object) -> None:
        place = self.folder / str(pid)
        place.mkdir(exist_ok=True)
        fresh = place / "new"
        fresh.write_bytes(line(pid, **stat))  # type: ignore[arg-type]
        fresh.rename(place / "stat")
        (place / "status").write_text("Name:\tapp\nUid:\t33\t33\t33\t33\nGid:\t34\t34\t34\t34\n")

    def drop(self, pid: int) -> None:
        for path in (self.folder / str(pid)).iterdir():
            path.unlink()
        (self.folder / str(pid)).rmdir()


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def test_a_stat_line_is_read() -> None:
    stat = parse_stat(line(17, 1, "gunicorn: worker", 532001, group=9, user=3 * TICKS, system=TICKS, threads=4))
    assert (stat.command, stat.parent, stat.group, stat.session) == ("gunicorn: worker", 1, 9, 9)
    assert (stat.cpu_seconds, stat.threads, stat.start_ticks) == (4.0, 4, 532001)
    assert stat.rss == 7 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("name", [") R 1 (", "a b", "(((", "\udcff\udcfe", "x)\n1 (y", "\x1b[31m"])
def test_a_hostile_name_changes_no_field(name: str) -> None:
    stat = parse_stat(line(17, 5, name, 77))
    assert (stat.parent, stat.start_ticks) == (5, 77)
    stat.command.encode()


@given(st.binary(max_size=200))
def test_anything_else_is_an_error_of_one_kind(raw: bytes) -> None:
    with pytest.raises(ValueError):
        parse_stat(raw)


def test_processes_come_and_go(proc: Proc) -> None:
    table = proc.table()
    proc.put(1, parent=0)
    proc.put(7)
    assert [one.pid for one in table.scan()] == [1, 7]
    assert (table.known[7].uid, table.known[7].gid) == (33, 34)
    proc.drop(7)
    assert [one.pid for one in table.scan()] == [1]
    table.close()


def test_zombies_are_not_listed(proc: Proc) -> None:
    proc.put(7, state="Z")
    assert proc.table().scan() == []


def test_a_list_that_is_too_long_is_cut_and_says_so(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wire.limits.PROCESSES", 3)
    for pid in range(1, 6):
        proc.put(pid)
    table = proc.table()
    assert len(table.scan()) == 3 and table.left_out == 2


def test_without_kept_files_it_works_too(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initd.link.processes.KEPT_FILES", 0)
    proc.put(7, user=0)
    table = proc.table()
    first = table.scan()[0]
    proc.put(7, user=5 * TICKS)
    assert table.scan()[0] is first and first.stat.cpu_seconds == 5.0
    proc.put(7, start=900)
    assert table.scan()[0] is not first


def test_a_real_process_that_ends_leaves_the_table() -> None:
    table, child = Table(root=os.getpid()), subprocess.Popen(["sleep", "60"])
    try:
        assert {os.getpid(), child.pid} <= {one.pid for one in table.scan()}
    finally:
        child.kill()
        child.wait()
    until(lambda: child.pid not in {one.pid for one in table.scan()})
    table.close()


def test_children_belong_to_the_program_of_their_ancestor() -> None:
    rows = assign([known(1, 0), known(10), known(11, 10), known(12, 11), known(20)], {(10, 500): "web"}, 1, NONE)
    assert [(row.kind, row.program) for row in rows] == [
        ("init", ""), ("program", "web"), ("child", "web"), ("child", "web"), ("unmanaged", ""),
    ]  # fmt: skip


def test_a_later_process_of_the_same_pid_is_not_the_program() -> None:
    assert assign([known(10, start=900)], {(10, 500): "web"}, 1, NONE)[0].kind == "child"  # by its group only
    assert assign([known(10, start=900, group=3)], {(10, 500): "web"}, 1, NONE)[0].kind == "unmanaged"


def test_an_orphan_stays_the_programs_by_memory_and_by_group() -> None:
    one = known(12, 10, group=77)
    assign([known(10), one], {(10, 500): "web"}, 1, NONE)
    one.stat = parse_stat(line(12, 1, group=77))
    assert assign([one], {}, 1, NONE)[0].program == "web"
    assert assign([known(13, 1, group=10)], {(10, 500): "web"}, 1, NONE)[0].program == "web"


def test_link_and_its_helper_are_named() -> None:
    rows = assign([known(5), known(6, 5)], {}, 1, frozenset((5,)))
    assert [row.kind for row in rows] == ["link", "link"]


def test_a_loop_of_parents_ends() -> None:
    assert assign([known(5, 6), known(6, 5)], {}, 1, NONE)[0].kind == "unmanaged"
    assert descendants([known(5, 6), known(6, 5), known(7)], 5) != []


def test_descendants_are_found_in_any_order() -> None:
    family = [known(3, 4), known(4, 9), known(9, 2), known(2, 1), known(30, 31)]
    assert [one.pid for one in descendants(family, 9)] == [3, 4, 9]


def test_small_files_are_read_with_care() -> None:
    assert io_numbers("rchar: 5\nread_bytes: 4096\nwrite_bytes: 0\nbad: x\n") == {
        "rchar": 5, "read_bytes": 4096, "write_bytes": 0,
    }  # fmt: skip
    assert owner("Uid:\t5\t6\nGid:\t7\t8\n") == (5, 7) and owner("") == (0, 0)
    assert count_fds("/proc", os.getpid()) >= 3 and count_fds("/nowhere", 1) != count_fds("/nowhere", 1)


def test_uptime_is_by_the_kernels_clock() -> None:
    table = Table(root=os.getpid())
    me = next(one for one in table.scan() if one.pid == os.getpid())
    assert 0 < uptime(me.stat.start_ticks) < 10**7 and uptime(10**15) == 0
    table.close()
