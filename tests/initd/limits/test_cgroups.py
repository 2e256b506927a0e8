"""Cgroups of programs: what is written where, on a tree of plain files; the kernel's answers are in tests/proc."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from initd.config.topics.limits import Limits
from initd.limits.cgroups import Cgroups, Place, limit_text
from initd.oom import directories


@pytest.mark.parametrize(
    ("option", "value", "second", "first"),
    [
        ("cgroup_memory_max", 4096, "4096", "4096"),
        ("cgroup_memory_max", -1, "max", "-1"),
        ("cgroup_cpu_max", 0.5, "50000 100000", "50000"),
        ("cgroup_cpu_max", 2.0, "200000 100000", "200000"),
        ("cgroup_cpu_max", -1.0, "max 100000", "-1"),
        ("cgroup_pids_max", 5, "5", "5"),
        ("cgroup_pids_max", -1, "max", "max"),
    ],
)
def test_what_is_written(option: str, value: float, second: str, first: str) -> None:
    assert (limit_text(option, value, 2), limit_text(option, value, 1)) == (second, first)


def unified(root: Path, controllers: str = "cpu memory pids", enabled: str = "cpu memory pids") -> Cgroups:
    (root / "cgroup.controllers").write_text(controllers)
    (root / "cgroup.subtree_control").write_text(enabled)
    own = root / "pidone-web"
    own.mkdir()
    for name in ("memory.max", "cpu.max", "pids.max"):
        (own / name).touch()
    return Cgroups(1, {"unified": str(root)})


def test_version_2(tmp_path: Path) -> None:
    place, problems = unified(tmp_path).limited("web", Limits(cgroup_memory_max=1 << 20, cgroup_cpu_max=0.25))
    assert (place, problems) == (Place((f"{tmp_path}/pidone-web",), f"{tmp_path}/pidone-web/memory.events"), [])
    assert (tmp_path / "pidone-web" / "memory.max").read_text() == str(1 << 20)
    assert (tmp_path / "pidone-web" / "cpu.max").read_text() == "25000 100000"


def test_a_controller_that_is_not_there_is_a_problem_of_its_option(tmp_path: Path) -> None:
    cgroups = unified(tmp_path, controllers="cpu", enabled="cpu")
    place, [(option, error)] = cgroups.limited("web", Limits(cgroup_cpu_max=1.0, cgroup_pids_max=3))
    assert place.folders == (f"{tmp_path}/pidone-web",)
    assert (option, error.filename) == ("cgroup_pids_max", f"{tmp_path} has no controller pids")


def test_version_1_has_a_directory_for_each_controller(tmp_path: Path) -> None:
    for name in ("memory", "pids"):
        (tmp_path / name / "pidone-web").mkdir(parents=True)
    (tmp_path / "memory" / "pidone-web" / "memory.limit_in_bytes").touch()
    (tmp_path / "pids" / "pidone-web" / "pids.max").touch()
    cgroups = Cgroups(1, {name: f"{tmp_path}/{name}" for name in ("memory", "pids")})
    place, problems = cgroups.limited("web", Limits(cgroup_memory_max=5, cgroup_pids_max=3, cgroup_memory_high=4))
    assert place.folders == tuple(f"{tmp_path}/{name}/pidone-web" for name in ("memory", "pids"))
    assert place.counter == f"{tmp_path}/memory/pidone-web/memory.oom_control"
    assert [(option, error.filename) for option, error in problems] == [
        ("cgroup_memory_high", "needs cgroup version 2"),
    ]


def test_who_is_outside_our_namespace_cannot_be_moved(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text("0\n12\n0\n")
    assert Cgroups(1, {})._movable(str(tmp_path)) == [12]


def test_no_cgroups_at_all() -> None:
    place, [(option, error)] = Cgroups(1, {}).limited("web", Limits(cgroup_pids_max=3))
    assert (place, option, error.filename) == (Place(()), "cgroup_pids_max", "no cgroup with the controller pids here")
    assert Cgroups(1, {}).plain("web") == Place(())


def test_a_plain_one_only_tells_who_is_in_it(tmp_path: Path) -> None:
    cgroups = Cgroups(1, {"memory": "/nowhere", "unified": str(tmp_path)})
    place = cgroups.plain("group:web")
    assert place == Place((f"{tmp_path}/pidone-group:web",))
    assert cgroups.remove(place)
    assert os.listdir(tmp_path) == []


def test_one_that_is_not_empty_stays(tmp_path: Path) -> None:
    (tmp_path / "pidone-web" / "child").mkdir(parents=True)
    assert not Cgroups(1, {}).remove(Place((f"{tmp_path}/pidone-web",)))
    assert Cgroups(1, {}).remove(Place(("/nowhere/pidone-web",)))


def test_a_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    assert Cgroups(1, {"unified": str(tmp_path)}).plain("../../x").folders == (f"{tmp_path}/pidone-.._.._x",)


MOUNTS = (
    "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)


def test_the_leaf_we_moved_into_is_not_our_own_place() -> None:
    assert directories(MOUNTS, "4:memory:/pidone-init\n0::/pidone-init\n") == {
        "memory": "/sys/fs/cgroup/memory",
        "unified": "/sys/fs/cgroup/unified",
    }


def test_two_initds_in_one_cgroup_do_not_share_a_programs(tmp_path: Path) -> None:
    first, second = (Cgroups(1, {"unified": str(tmp_path)}, token=token) for token in ("aa", "bb"))
    assert first.plain("web").folders == (f"{tmp_path}/pidone-web",)
    assert second.plain("web").folders == (f"{tmp_path}/pidone-web-bb",)
    assert first.plain("web").folders == (f"{tmp_path}/pidone-web",)
    assert second.remove(second.plain("web"))
    assert second.plain("web").folders == (f"{tmp_path}/pidone-web-bb",)
