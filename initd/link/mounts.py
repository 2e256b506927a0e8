"""File systems of the container and how full they are, by statvfs(3).

Network file systems are left out: statvfs on one whose server is gone hangs.  So are those that hold no data, and
single files that an engine mounts over /etc/hosts and the like.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from initd.link.files import read, unescape
from wire import limits
from wire.model import Mount

LOCAL = frozenset("bcachefs btrfs ext2 ext3 ext4 f2fs overlay tmpfs vfat xfs zfs aufs 9p ntfs3 exfat".split())  # noqa: SIM905
SYSTEM = ("/proc", "/sys", "/dev")


def worthy(path: str, kind: str) -> bool:
    """Whether a mount holds data of the container."""
    return kind in LOCAL and not any(path == top or path.startswith(top + "/") for top in SYSTEM)


def mounts() -> tuple[Mount, ...]:
    """Every worthy mount with its figures, the first path of each device."""
    fields = (line.split(" ") for line in read("/proc/self/mounts").split("\n"))
    listed = [(unescape(one[1]), one[2]) for one in fields if len(one) > 2]
    return tuple(_measured(path for path, kind in listed if worthy(path, kind)))


def _measured(paths: Iterable[str]) -> Iterable[Mount]:
    seen: set[int] = set()
    for path in paths:
        try:
            about, full = os.stat(path), os.statvfs(path)
        except OSError:
            continue
        if not os.path.isdir(path) or about.st_dev in seen or not full.f_blocks:
            continue
        if len(path) > limits.PATH_CHARS or len(seen) >= limits.MOUNTS:
            continue
        seen.add(about.st_dev)
        unit = full.f_frsize
        yield Mount(path, full.f_blocks * unit, full.f_bavail * unit, full.f_files, full.f_favail)


def differ(before: tuple[Mount, ...], after: tuple[Mount, ...]) -> bool:
    """Whether a person would see the difference: another set of mounts, or one percent of one of them."""
    if [mount.path for mount in before] != [mount.path for mount in after]:
        return True
    return any(abs(old.free - new.free) * 100 > new.total for old, new in zip(before, after, strict=True))
