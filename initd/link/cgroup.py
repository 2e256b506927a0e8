"""The container's own figures: its cgroup, version 1 or 2, and its network interfaces.

Theory.  Version 1 has one hierarchy a controller, each mounted by itself; version 2 has one for all.  On a hybrid host
both are mounted and only one of them has the controller: so each controller is looked up by itself, version 1 first.
Our cgroup is seen at the mount point where the runtime gave the container a cgroup namespace or a bind mount (then the
mount's root field is a prefix of our path), and below it elsewhere.  What cannot be read is NaN, never a guess.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from initd.link import interfaces
from initd.link.files import read, unescape
from initd.oom import LEAF
from wire.model import CONTAINER_COLUMNS

Read = Callable[[str], str]
UNLIMITED = float(1 << 60)
"""v1 says "no limit" by the largest page-aligned number."""
NAN = math.nan
UNIFIED = "unified"


class Places(NamedTuple):
    """Directory of our cgroup by controller (version 1), and the one of version 2 under `unified`."""

    directories: dict[str, str]

    def of(self, controller: str) -> tuple[str, int]:
        """Directory and version of a controller; an empty directory where there is none."""
        if controller in self.directories:
            return self.directories[controller], 1
        return self.directories.get(UNIFIED, ""), 2


def places(mountinfo: str, cgroup: str, is_dir: Callable[[str], bool] = os.path.isdir) -> Places:
    """Where our cgroups are, out of the texts of /proc/self/mountinfo and /proc/self/cgroup."""
    paths = dict(_paths(cgroup))
    found: dict[str, str] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(" "), right.split(" ")
        if len(fields) < 5 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        names = [UNIFIED] if kind[0] == "cgroup2" else kind[-1].split(",")
        for name in names:
            if name in paths:
                found[name] = _visible(unescape(fields[4]), fields[3], paths[name], is_dir)
    return Places(found)


def _paths(cgroup: str) -> Iterable[tuple[str, str]]:
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        for name in names.split(","):
            yield (UNIFIED if number == "0" and not name else name), path.removesuffix(LEAF) or "/"


def _visible(point: str, root: str, path: str, is_dir: Callable[[str], bool]) -> str:
    inside = path if root == "/" else path[len(root) :] if path.startswith(root + "/") else ""
    below = point.rstrip("/") + inside.rstrip("/")
    return below if inside.strip("/") and is_dir(below) else point


def figures(where: Places, read: Read = read) -> dict[str, float]:
    """What the cgroups say, by the names of CONTAINER_COLUMNS; no gauge that needs two readings."""
    found: dict[str, float] = {}
    for controller, (first, second) in READERS.items():
        directory, version = where.of(controller)
        if directory:
            found |= (first if version == 1 else second)(_inside(directory, read))
    return found


def _inside(directory: str, read: Read) -> Read:
    return lambda name: read(f"{directory}/{name}")


def _cpuacct_v1(read: Read) -> dict[str, float]:
    return {"cpu_seconds": number(read("cpuacct.usage")) / 1e9}


def _cpu_v1(read: Read) -> dict[str, float]:
    stat = keyed(read("cpu.stat"))
    quota, period = number(read("cpu.cfs_quota_us")), number(read("cpu.cfs_period_us"))
    return {
        "throttled_seconds": stat.get("throttled_time", NAN) / 1e9,
        "throttled_periods": stat.get("nr_throttled", NAN),
        "cpu_limit": quota / period if quota > 0 and period > 0 else NAN,
    }


def _cpu_v2(read: Read) -> dict[str, float]:
    stat = keyed(read("cpu.stat"))
    quota, _, period = read("cpu.max").strip().partition(" ")
    return {
        "cpu_seconds": stat.get("usage_usec", NAN) / 1e6,
        "throttled_seconds": stat.get("throttled_usec", NAN) / 1e6,
        "throttled_periods": stat.get("nr_throttled", NAN),
        "cpu_limit": number(quota) / (number(period) or NAN),
    }


def _memory_v1(read: Read) -> dict[str, float]:
    cache = keyed(read("memory.stat")).get("total_inactive_file", 0.0)
    return {
        "memory": _less(number(read("memory.usage_in_bytes")), cache),
        "memory_limit": _limit(read("memory.limit_in_bytes")),
        "oom_kills": keyed(read("memory.oom_control")).get("oom_kill", NAN),
    }


def _memory_v2(read: Read) -> dict[str, float]:
    cache = keyed(read("memory.stat")).get("inactive_file", 0.0)
    return {
        "memory": _less(number(read("memory.current")), cache),
        "memory_limit": _limit(read("memory.max")),
        "oom_kills": keyed(read("memory.events")).get("oom_kill", NAN),
    }


def _pids(read: Read) -> dict[str, float]:
    return {"pids": number(read("pids.current")), "pids_limit": number(read("pids.max"))}


def _block_v1(read: Read) -> dict[str, float]:
    lines = [line.split() for line in read("blkio.throttle.io_service_bytes").splitlines()]
    return {
        name: sum((number(words[2]) for words in lines if len(words) == 3 and words[1] == kind), 0.0) if lines else NAN
        for name, kind in (("read_bytes", "Read"), ("write_bytes", "Write"))
    }


def _block_v2(read: Read) -> dict[str, float]:
    text = read("io.stat")
    pairs = [word.partition("=") for word in text.split()]
    return {
        name: sum((number(value) for key, _, value in pairs if key == wanted), 0.0) if pairs else NAN
        for name, wanted in (("read_bytes", "rbytes"), ("write_bytes", "wbytes"))
    }


READERS: dict[str, tuple[Callable[[Read], dict[str, float]], Callable[[Read], dict[str, float]]]] = {
    "cpuacct": (_cpuacct_v1, lambda read: {}),
    "cpu": (_cpu_v1, _cpu_v2),
    "memory": (_memory_v1, _memory_v2),
    "pids": (_pids, _pids),
    "blkio": (_block_v1, _block_v2),
}


def number(text: str) -> float:
    """The number in a file of one; NaN for `max`, nothing or anything else."""
    text = text.strip()
    digits = text.removeprefix("-")
    return float(text) if digits.isascii() and digits.isdecimal() else NAN


def keyed(text: str) -> dict[str, float]:
    """Lines `name number` as a map."""
    pairs = (line.partition(" ") for line in text.splitlines())
    return {name: number(value) for name, _, value in pairs}


def _less(total: float, part: float) -> float:
    """The difference, not below 0; NaN stays NaN (max would hide it)."""
    return max(total - part, 0.0) if total == total else NAN


def _limit(text: str) -> float:
    limit = number(text)
    return NAN if limit >= UNLIMITED else limit


def network() -> dict[str, float]:
    """Bytes through this network namespace, loopback left out."""
    carried = interfaces.carried()
    cards = [both for name, both in carried.items() if name != "lo"]
    if not carried:
        return {}
    return {"net_rx_bytes": float(sum(one[0] for one in cards)), "net_tx_bytes": float(sum(one[1] for one in cards))}


def host_memory(read: Read = read) -> float:
    """Bytes of the whole machine; NaN where that is unknown."""
    words = read("/proc/meminfo").split(maxsplit=2)
    return number(words[1]) * 1024 if words[:1] == ["MemTotal:"] else NAN


class Container:
    """The container's row, with the gauge that needs two readings."""

    def __init__(self, where: Places | None = None, read: Read = read) -> None:
        self._where = where or places(read("/proc/self/mountinfo"), read("/proc/self/cgroup"))
        self._read = read
        self._before: tuple[float, float] | None = None

    def row(self, mono: float) -> dict[str, float]:
        """Every column by name; NaN = unknown.  `mono`: when, seconds."""
        row = {column.name: NAN for column in CONTAINER_COLUMNS} | figures(self._where, self._read) | network()
        row["cpu"] = self._rate(row["cpu_seconds"], mono)
        return row

    def _rate(self, seconds: float, mono: float) -> float:
        before, self._before = self._before, (seconds, mono)
        if before is None or mono <= before[1]:
            return NAN
        return (seconds - before[0]) / (mono - before[1])
