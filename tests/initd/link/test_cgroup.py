"""The container's figures out of what real version 1 and version 2 hosts said."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.link.cgroup import Container, figures, keyed, number, places
from tests.support.cgroupfiles import V1_CGROUP, V1_FILES, V1_MOUNTS, V2_CGROUP, V2_FILES, V2_MOUNTS
from wire.model import CONTAINER_COLUMNS

V1 = places(V1_MOUNTS, V1_CGROUP, lambda path: False)
V2 = places(V2_MOUNTS, V2_CGROUP, lambda path: False)


def read(files: Mapping[str, str]):  # type: ignore[no-untyped-def]
    return lambda path: files.get(path, "")


def test_version_1() -> None:
    assert figures(V1, read(V1_FILES)) == {
        "cpu_seconds": pytest.approx(0.04364305), "throttled_seconds": 1.5, "throttled_periods": 2, "cpu_limit": 0.5,
        "memory": 1216512 - 172032, "memory_limit": 67108864, "oom_kills": 4, "pids": 2, "pids_limit": 50,
        "read_bytes": 8192, "write_bytes": 4096,
    }  # fmt: skip


def test_version_2() -> None:
    found = figures(V2, read(V2_FILES))
    assert math.isnan(found.pop("pids_limit"))
    assert found == {
        "cpu_seconds": 3.24, "throttled_seconds": 3.15, "throttled_periods": 61, "cpu_limit": 0.5,
        "memory": 4849664 - 1507328, "memory_limit": 67108864, "oom_kills": 3, "pids": 3,
        "read_bytes": 8192, "write_bytes": 4096,
    }  # fmt: skip


@pytest.mark.parametrize("where", [V1, V2])
def test_what_cannot_be_read_is_unknown_and_never_zero(where: object) -> None:
    found = figures(where, read({}))  # type: ignore[arg-type]
    assert all(math.isnan(value) for value in found.values()), found


def test_no_limit_is_unknown() -> None:
    v1 = V1_FILES | {"/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}
    v1 |= {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n"}
    v2 = V2_FILES | {"/sys/fs/cgroup/memory.max": "max\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"}
    for found in (figures(V1, read(v1)), figures(V2, read(v2))):
        assert math.isnan(found["memory_limit"]) and math.isnan(found["cpu_limit"])


def test_a_hybrid_host_is_read_where_each_controller_is() -> None:
    unified = "410 400 0:38 / /sys/fs/cgroup/unified ro - cgroup2 cgroup rw\n"
    where = places(unified + V1_MOUNTS, V1_CGROUP, lambda path: False)
    assert where.of("memory") == ("/sys/fs/cgroup/memory", 1)
    assert where.of("hugetlb") == ("/sys/fs/cgroup/unified", 2)


def test_without_a_namespace_our_cgroup_lies_below_the_mount() -> None:
    mounts = "36 35 0:26 / /sys/fs/cgroup rw - cgroup2 none rw\n"
    where = places(mounts, "0::/system.slice/box.service\n", lambda path: path.endswith("box.service"))
    assert where.of("cpu") == ("/sys/fs/cgroup/system.slice/box.service", 2)


def test_a_blank_in_the_mount_point_is_understood() -> None:
    where = places("36 35 0:26 / /my\\040cgroup rw - cgroup2 none rw\n", "0::/\n", lambda path: False)
    assert where.of("cpu") == ("/my cgroup", 2)


def test_the_rate_needs_two_readings() -> None:
    files = dict(V2_FILES)
    container = Container(V2, read(files))
    assert math.isnan(container.row(10.0)["cpu"])
    files["/sys/fs/cgroup/cpu.stat"] = "usage_usec 5240000\n"
    assert container.row(14.0)["cpu"] == pytest.approx(0.5)


def test_a_row_has_every_column() -> None:
    assert list(Container(V2, read({})).row(1.0)) == [column.name for column in CONTAINER_COLUMNS]


@given(st.text(), st.text())
def test_any_text_is_survived(mountinfo: str, cgroup: str) -> None:
    places(mountinfo, cgroup, lambda path: False)
    keyed(cgroup)
    number(mountinfo)
