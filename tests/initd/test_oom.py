"""Where the OOM counter is, what it says, and what its rise means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from initd.oom import GLANCE_SECONDS, HASTE_SECONDS, PF_EXITING, Kept, OomCounter, judge, locate, parse_count
from wire.model import Cause

V1_INFO = (
    "30 25 0:26 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
    "31 25 0:27 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n"
    "32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)
V1_CGROUP = "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n0::/docker/abc\n"
V2_INFO = "35 30 0:26 / /sys/fs/cgroup ro,nosuid,nodev - cgroup2 cgroup rw,nsdelegate\n"


@pytest.mark.parametrize(
    ("mountinfo", "cgroup", "place"),
    [
        (V1_INFO, V1_CGROUP, ("/sys/fs/cgroup/memory", 1)),
        (V2_INFO, "0::/\n", ("/sys/fs/cgroup", 2)),
        (V2_INFO, "0::/not/visible/here\n", ("/sys/fs/cgroup", 2)),
        ("35 30 0:26 /a /mnt/my\\040group rw - cgroup2 cgroup rw\n", "0::/a\n", ("/mnt/my group", 2)),
        ("", "0::/\n", None),
        (V2_INFO, "", None),
        ("30 25 0:26 / /c rw - cgroup cgroup rw,cpu\n", "1:cpu:/\n", None),
    ],
)
def test_our_own_cgroup(mountinfo: str, cgroup: str, place: tuple[str, int] | None) -> None:
    assert locate(mountinfo, cgroup) == place


def test_below_the_mount_where_there_is_no_namespace(tmp_path: Path) -> None:
    (tmp_path / "child").mkdir()
    info = f"31 25 0:27 / {tmp_path} rw - cgroup cgroup rw,memory\n"
    assert locate(info, "4:memory:/child\n") == (f"{tmp_path}/child", 1)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", 3),
        ("low 0\nhigh 0\nmax 31\noom 1\noom_kill 1\noom_group_kill 0\n", 1),
        ("oom_kill_disable 0\nunder_oom 0\n", None),
        ("oom_kill many\n", None),
    ],
)
def test_the_counters_of_both_versions(text: str, count: int | None) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize(
    ("kills", "credit", "limited", "cause"),
    [
        (1, 1, True, Cause.OOM),
        (2, 3, True, Cause.OOM),
        (2, 1, True, Cause.OOM_POSSIBLE),
        (1, 0, True, Cause.SIGNAL),
        (1, None, True, Cause.OOM_POSSIBLE),
        (1, None, False, Cause.SIGNAL),
    ],
)
def test_what_a_rise_means(kills: int, credit: int | None, limited: bool, cause: Cause) -> None:
    assert judge(kills, credit, limited) is cause


class Files:
    """/proc and /sys as a container on v2 sees them."""

    def __init__(self, limit: str = "67108864") -> None:
        self.texts = {
            "/proc/self/mountinfo": V2_INFO,
            "/proc/self/cgroup": "0::/\n",
            "/sys/fs/cgroup/memory.max": limit,
            "/sys/fs/cgroup/memory.events": "oom_kill 5\n",
        }

    def read(self, path: str) -> str:
        if path not in self.texts:
            raise FileNotFoundError(path)
        return self.texts[path]

    def kills(self, total: int) -> None:
        self.texts["/sys/fs/cgroup/memory.events"] = f"oom_kill {total}\n"


def test_only_the_rise_counts() -> None:
    files = Files()
    counter = OomCounter(files.read)
    assert counter.judge([9], [9], 0.0) is Cause.SIGNAL
    files.kills(6)
    assert counter.judge([9], [9], 1.0) is Cause.OOM
    assert counter.judge([9], [9], 2.0) is Cause.SIGNAL


def test_two_victims_in_two_batches_and_no_third() -> None:
    files = Files()
    counter = OomCounter(files.read)
    files.kills(7)
    assert [counter.judge([9], [9], now) for now in (0.0, 0.4, 1.0)] == [Cause.OOM, Cause.OOM, Cause.SIGNAL]


def test_a_rise_seen_in_passing_explains_the_death_that_follows() -> None:
    files = Files()
    counter = OomCounter(files.read)
    files.kills(6)
    counter.glance([9], 10.0)
    assert counter.judge([9], [9], 10.0 + HASTE_SECONDS - 0.1) is Cause.OOM


def test_a_rise_that_no_death_explained_is_forgotten() -> None:
    """A victim that somebody else reaped must not be taken for the one that is killed by hand a minute later."""
    files = Files()
    counter = OomCounter(files.read)
    files.kills(6)
    counter.glance([9], 10.0)
    assert counter.judge([9], [9], 10.0 + HASTE_SECONDS) is Cause.SIGNAL


WELL = "9 (we) b) S 1 9 9 0 -1 4194560 " + "0 " * 21 + "0 0 4096\n"
EXITING = WELL.replace("4194560", str(4194560 | PF_EXITING))
PENDING = WELL.replace(" 0 0 4096", " 256 0 4096")


@pytest.mark.parametrize(("stat", "cause"), [(EXITING, Cause.OOM), (PENDING, Cause.OOM), (WELL, Cause.SIGNAL)])
def test_a_large_victim_may_take_its_time_but_who_was_well_was_no_victim(stat: str, cause: Cause) -> None:
    files = Files()
    files.texts["/proc/9/stat"] = stat
    counter = OomCounter(files.read)
    files.kills(6)
    counter.glance([9], 10.0)
    assert [counter.judge([9], [9], 14.0), counter.judge([9], [9], 15.0)] == [cause, Cause.SIGNAL]


def test_a_victims_credit_is_nobody_elses() -> None:
    files = Files()
    files.texts["/proc/9/stat"] = PENDING
    counter = OomCounter(files.read)
    files.kills(6)
    counter.glance([8, 9], 10.0)
    assert counter.judge([8], [8, 9], 12.0) is Cause.SIGNAL
    assert counter.judge([9], [9], 14.0) is Cause.OOM


def test_who_dies_beside_a_victim_is_possibly_one_and_so_is_the_victim() -> None:
    """One rise, one death judged, another process dying: which of them it was nobody can say."""
    files = Files()
    files.texts["/proc/9/stat"] = EXITING
    counter = OomCounter(files.read)
    files.kills(6)
    assert counter.judge([8], [8, 9], 10.0) is Cause.OOM_POSSIBLE
    assert counter.judge([9], [9], 14.0) is Cause.OOM_POSSIBLE
    files.kills(7)
    assert counter.judge([9], [9], 15.0) is Cause.OOM


def test_who_dies_in_the_haste_after_a_glance_at_a_victim_is_possibly_one() -> None:
    files = Files()
    files.texts["/proc/9/stat"] = PENDING
    counter = OomCounter(files.read)
    files.kills(6)
    counter.glance([8, 9], 10.0)
    assert counter.judge([8], [8, 9], 10.1) is Cause.OOM_POSSIBLE
    assert counter.judge([9], [9], 14.0) is Cause.OOM_POSSIBLE
    assert counter.judge([9], [9], 14.1) is Cause.SIGNAL


def test_a_rise_that_is_enough_for_both_leaves_no_doubt() -> None:
    files = Files()
    files.texts["/proc/9/stat"] = EXITING
    counter = OomCounter(files.read)
    files.kills(7)
    assert counter.judge([8], [8, 9], 10.0) is Cause.OOM
    assert counter.judge([9], [9], 14.0) is Cause.OOM


def test_a_victim_that_ended_otherwise_takes_its_credit_along() -> None:
    files = Files()
    files.texts["/proc/9/stat"] = PENDING
    counter = OomCounter(files.read)
    files.kills(6)
    counter.glance([9], 10.0)
    counter.judge([], [], 12.0)
    assert counter.judge([9], [9], 14.0) is Cause.SIGNAL


def test_glances_are_rare() -> None:
    files = Files()
    counter = OomCounter(files.read)
    files.kills(6)
    counter.glance([], 0.0)
    files.kills(7)
    counter.glance([], GLANCE_SECONDS - 0.1)
    assert counter.judge([8, 9], [8, 9], 100.0) is Cause.OOM_POSSIBLE


@pytest.mark.parametrize(("limit", "limited"), [("67108864\n", True), ("max\n", False), ("9223372036854771712", False)])
def test_without_a_limit_the_container_is_not_suspected(limit: str, limited: bool) -> None:
    files = Files(limit)
    counter = OomCounter(files.read)
    del files.texts["/sys/fs/cgroup/memory.events"]
    assert counter.judge([9], [9], 0.0) is (Cause.OOM_POSSIBLE if limited else Cause.SIGNAL)


def test_without_proc_nothing_is_claimed() -> None:
    def nothing(path: str) -> str:
        raise PermissionError(path)

    assert OomCounter(nothing).judge([9], [9], 0.0) is Cause.OOM_POSSIBLE


def test_the_real_machine_can_be_read() -> None:
    assert OomCounter().judge([9], [9], 0.0) in (Cause.SIGNAL, Cause.OOM_POSSIBLE)


def test_a_file_that_is_read_again_and_again_stays_open(tmp_path: Path) -> None:
    path, read = tmp_path / "memory.events", Kept()
    path.write_text("oom_kill 1\n")
    assert read(str(path)) == "oom_kill 1\n"
    before = os.listdir("/proc/self/fd")
    path.write_text("oom_kill 12\n")
    assert read(str(path)) == "oom_kill 12\n"
    assert os.listdir("/proc/self/fd") == before


def test_a_file_that_cannot_be_read_is_opened_anew(tmp_path: Path) -> None:
    read = Kept()
    with pytest.raises(IsADirectoryError):
        read(str(tmp_path))
    (tmp_path / "memory.events").write_text("oom_kill 1\n")
    assert read(str(tmp_path / "memory.events")) == "oom_kill 1\n"
