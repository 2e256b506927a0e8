"""A cgroup for a program: made below the container's own where that is writable, limited, entered, removed when empty.

Theory.  Version 1 has a hierarchy for each controller, and any cgroup may have children.  Version 2 has one, and a
cgroup that limits its children may hold no process itself (cgroups(7), "no internal processes").  So where a limit is
asked for, PID 1 first moves everybody of the container's cgroup into a leaf, LEAF; runtimes know this arrangement
(nested containers do the same) and put what `exec` starts beside PID 1.  A cgroup without limits, which shows who
belongs to a program (stop_scope=tree), needs none of that.  Counters of the container's cgroup include those below it,
so nothing that reads them has to know.

The process itself enters, between fork and exec, by writing 0 into cgroup.procs: it never runs outside.  What cannot be
done here is returned as problems by option, for the caller to tell.
"""

from __future__ import annotations

import errno
import os

from initd.config.topics.limits import NO_LIMIT
from initd.oom import LEAF, V1_COUNTER, V2_COUNTER, directories, read_text
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from initd.config.topics.limits import Limits

PREFIX = "pidone-"
UNIFIED = "unified"

PERIOD = 100_000
"""Microseconds over which CPU time is counted: the kernel's default."""

FILES = {
    "cgroup_memory_max": ("memory", "memory.max", "memory.limit_in_bytes"),
    "cgroup_memory_high": ("memory", "memory.high", ""),
    "cgroup_cpu_max": ("cpu", "cpu.max", "cpu.cfs_quota_us"),
    "cgroup_pids_max": ("pids", "pids.max", "pids.max"),
}
"""Option to controller, file of version 2, file of version 1 ("" if there is none)."""

Problem = tuple[str, OSError]


class Place(Record):
    """A program's cgroup: its directories, and the file that counts its OOM kills ("" if there is none)."""

    folders: tuple[str, ...]
    counter: str = ""


class Cgroups:
    """The cgroups below our own; `where` has our own directory by controller, UNIFIED for version 2.

    Two initds may share a cgroup (one beside another in a container): a name that another one has taken gets `token`
    behind it, so that nobody ever kills or limits the other's programs.
    """

    def __init__(self, me: int, where: Mapping[str, str] | None = None, token: str = "") -> None:
        self._me = me
        self._token = token
        self._made: dict[tuple[str, str], str] = {}
        self._where = _here() if where is None else where

    def plain(self, name: str) -> Place:
        """A cgroup without limits, only to know who is in it; without directories where none can be made."""
        for own in filter(None, (self._where.get(UNIFIED), *self._where.values())):
            try:
                return Place((self._make(own, name),))
            except OSError:
                continue
        return Place(())

    def limited(self, name: str, limits: Limits) -> tuple[Place, list[Problem]]:
        """A cgroup with these limits, as far as they can be set."""
        wanted = {option: getattr(limits, option) for option in FILES if getattr(limits, option) is not None}
        problems: list[Problem] = []
        folders: dict[str, None] = {}
        counter = ""
        for option, value in wanted.items():
            controller = FILES[option][0]
            try:
                folder, version = self._folder(name, controller)
                folders[folder] = None
                _limit(folder, version, option, value)
                if controller == "memory":
                    counter = f"{folder}/{V2_COUNTER if version == 2 else V1_COUNTER}"
            except OSError as error:
                problems.append((option, error))
        return Place(tuple(folders), counter), problems

    def _folder(self, name: str, controller: str) -> tuple[str, int]:
        """Directory and version of a program's cgroup that has this controller.  Raises OSError."""
        if controller in self._where:
            return self._make(self._where[controller], name), 1
        own = self._where.get(UNIFIED)
        if own is None:
            raise OSError(errno.ENOENT, "", f"no cgroup with the controller {controller} here")
        if controller not in _read(f"{own}/cgroup.controllers").split():
            raise OSError(errno.ENOENT, "", f"{own} has no controller {controller}")
        self._enable(own, controller)
        return self._make(own, name), 2

    def _enable(self, own: str, controller: str) -> None:
        switch = f"{own}/cgroup.subtree_control"
        if controller in _read(switch).split():
            return
        try:
            _write(switch, f"+{controller}")
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            self._vacate(own)
            _write(switch, f"+{controller}")

    def _vacate(self, own: str) -> None:
        """Move who is in our own cgroup into the leaf: everybody as PID 1, else ourselves alone."""
        leaf = own + LEAF
        os.makedirs(leaf, exist_ok=True)
        for _ in range(100):  # somebody may fork while we look
            pids = [self._me] if self._me != 1 else self._movable(own)
            for pid in pids:
                try:
                    _write(f"{leaf}/cgroup.procs", str(pid))
                except OSError as error:
                    if error.errno != errno.ESRCH:
                        raise
            if not pids or self._me != 1:
                return

    def _movable(self, own: str) -> list[int]:
        """Who is in a cgroup; 0 stands for somebody outside our PID namespace, whom nobody here can move."""
        return [int(word) for word in _read(f"{own}/cgroup.procs").split() if word != "0"]

    def _make(self, own: str, name: str) -> str:
        if (own, name) not in self._made:
            folder = f"{own}/{PREFIX}{name.replace('/', '_')}"
            taken = not _is_new(folder)
            self._made[own, name] = f"{folder}-{self._token}" if taken and self._token else folder
        _is_new(self._made[own, name])
        return self._made[own, name]

    def remove(self, place: Place) -> bool:
        """Remove it; False where somebody is still in it."""
        gone = True
        for folder in place.folders:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:
                gone = False
        return gone


def _here() -> dict[str, str]:
    try:
        return directories(read_text("/proc/self/mountinfo"), read_text("/proc/self/cgroup"))
    except (OSError, ValueError):
        return {}


def _is_new(folder: str) -> bool:
    """Make a cgroup; False where it is there already.  Raises OSError."""
    try:
        os.mkdir(folder)
    except FileExistsError:
        return False
    except OSError as error:
        raise OSError(error.errno, "", folder) from None
    return True


def _limit(folder: str, version: int, option: str, value: float) -> None:
    """Write one limit.  Raises OSError."""
    _, second, first = FILES[option]
    file = second if version == 2 else first
    if not file:
        raise OSError(errno.ENOENT, "", "needs cgroup version 2")
    if version == 1 and option == "cgroup_cpu_max":
        _write(f"{folder}/cpu.cfs_period_us", str(PERIOD))
    _write(f"{folder}/{file}", limit_text(option, value, version))


def limit_text(option: str, value: float, version: int) -> str:
    """What is written for a limit."""
    cpu = option == "cgroup_cpu_max"
    if value == NO_LIMIT:
        text = "-1" if version == 1 and option != "cgroup_pids_max" else "max"
    else:
        text = str(round(value * PERIOD) if cpu else int(value))
    return f"{text} {PERIOD}" if cpu and version == 2 else text


def _read(path: str) -> str:
    try:
        return read_text(path)
    except OSError as error:
        raise OSError(error.errno, "", path) from None


def _write(path: str, text: str) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode("ascii"))
        finally:
            os.close(fd)
    except OSError as error:
        raise OSError(error.errno, "", path) from None
