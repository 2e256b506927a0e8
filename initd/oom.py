"""Was it the OOM killer?  The cgroup's counter of OOM kills, and what its rise says about a batch of deaths.

Theory.  The kernel raises the counter before its victim dies (mm/oom_kill.c), so a death that we reap is already
counted.  But the counter belongs to the container, not to a process: it rises for grandchildren whose parents reap
them, too.  So a batch of deaths is judged as a whole: if the counter rose by at least the number of SIGKILL deaths in
the batch that we did not cause, each of these was the OOM killer's; if it rose by less, any of them may have been; if
it did not rise, none was.

Time matters in both directions.  A rise must not be held against a death much later, so the counter is also read in
passing, whenever the loop is awake anyway (`glance`, at most once a second; no timer, no waking).  And a rise may be
seen before its victim is reaped, since a large one takes seconds to be torn down; so a rise is *credit* for deaths to
come.  But whose?  By the time a rise can be seen its victim has been sent SIGKILL or is just about to be.  So whatever
rise the deaths of the moment do not explain is kept for those of our programs that are dying right then (their
/proc/PID/stat says so), for as long as they take, and for anybody else only for HASTE_SECONDS: a program that is well
when the rise is seen, and killed by hand a second later, was not the OOM killer's.

Who is dying while another's death is judged is its *rival* for the rise.  Where that is too small for both, nobody can
say which of them it was: "oom possible" for the one, and, when it comes, for the other, which is *doubted* until then.

What remains open: a grandchild's OOM kill that nothing woke us for is seen together with the next death.

Where the counter cannot be read and the container has a memory limit (or nobody knows),
SIGKILL from outside and OOM cannot be told apart: "killed, oom possible".

cgroup v1: `oom_kill N` in memory.oom_control (memory.failcnt stays 0, memory.events does not exist there).
cgroup v2: `oom_kill N` in memory.events.  Both sit in the directory of our own cgroup, which is the root of the mount
where the runtime gave the container a cgroup namespace or a bind mount, and below it where it gave neither.
"""

from __future__ import annotations

import os

from wire.model import Cause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

SIGKILL = 9
V1_COUNTER, V2_COUNTER = "memory.oom_control", "memory.events"
V1_LIMIT, V2_LIMIT = "memory.limit_in_bytes", "memory.max"
NO_LIMIT_V1 = 1 << 60
"""v1 says "no limit" as the largest page-aligned number; anything beyond this is one."""


LEAF = "/pidone-init"
"""Into which initd may have moved everybody of the container's cgroup; see initd.limits.cgroups."""


def locate(mountinfo: str, cgroup: str) -> tuple[str, int] | None:
    """(directory, version) of our own memory cgroup, out of /proc/self/mountinfo and /proc/self/cgroup."""
    found = directories(mountinfo, cgroup, ("memory", "unified"))
    if "memory" in found:
        return found["memory"], 1
    return (found["unified"], 2) if "unified" in found else None


def directories(mountinfo: str, cgroup: str, wanted: Collection[str] = ()) -> dict[str, str]:
    """Directory of our own cgroup by controller of version 1, and under `unified` that of version 2; (): of all."""
    paths = {}
    for line in cgroup.splitlines():
        number, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            name = "unified" if number == "0" and not controller else controller
            if not wanted or name in wanted:
                paths[name] = path.removesuffix(LEAF) or "/"
    found: dict[str, str] = {}
    for line in mountinfo.splitlines():
        if " - cgroup" not in line:
            continue
        left, _, right = line.partition(" - ")
        root, point = left.split(" ")[3:5]
        kind, _, options = right.split(" ", 2)
        names = {"cgroup": options.split(" ")[-1].split(","), "cgroup2": ["unified"]}.get(kind, [])
        for name in names:
            if name in paths and name not in found:
                found[name] = _below(point, root, paths[name])
    return found


def _below(point: str, root: str, path: str) -> str:
    """Where `path` is visible under a mount of `root`; the mount point itself where it lies outside."""
    if "\\" in point:  # mountinfo writes a blank as \040; the codec is a file of the library
        point = point.encode("latin-1", "backslashreplace").decode("unicode_escape")
    if root == "/":
        inside = path
    elif path == root or path.startswith(root + "/"):
        inside = path[len(root) :]
    else:
        inside = ""
    candidate = point.rstrip("/") + inside.rstrip("/")
    return candidate if inside and os.path.isdir(candidate) else point


def parse_count(text: str) -> int | None:
    """The number behind `oom_kill`, None where the kernel is too old to say."""
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdecimal():
            return int(value)
    return None


def judge(kills: int, credit: int | None, limited: bool) -> Cause:
    """Cause of each of `kills` (>= 1) SIGKILL deaths of a batch that were not ours.

    `credit` is the number of OOM kills counted lately that no death has explained yet; None: unreadable.
    """
    if credit is None:
        return Cause.OOM_POSSIBLE if limited else Cause.SIGNAL
    if credit >= kills:
        return Cause.OOM
    return Cause.OOM_POSSIBLE if credit > 0 else Cause.SIGNAL


HASTE_SECONDS = 0.5
"""How long a rise may explain the death of a process that was not seen dying: the kernel counts, then kills."""

PF_EXITING = 0x4
"""In the flags of /proc/PID/stat: on its way out (linux/sched.h)."""

DYING = 1 << (SIGKILL - 1)
"""In the pending signals of /proc/PID/stat: SIGKILL is on its way to each thread of a victim."""

GLANCE_SECONDS = 1.0
"""Between two readings in passing, at least."""


class OomCounter:
    """The counter of our own cgroup, with its last value.  `read(path)` returns a file's text or raises OSError."""

    def __init__(self, read: Callable[[str], str] | None = None) -> None:
        self._read = read or read_text
        self._read_again = read or Kept()
        self.path: str | None = None
        self.limited = True
        """Whether the container has a memory limit; True where nobody knows."""
        try:
            place = locate(self._read("/proc/self/mountinfo"), self._read("/proc/self/cgroup"))
        except (OSError, ValueError):
            place = None
        if place is not None:
            directory, version = place
            self.path = f"{directory}/{V1_COUNTER if version == 1 else V2_COUNTER}"
            self.limited = self._is_limited(f"{directory}/{V1_LIMIT if version == 1 else V2_LIMIT}")
        self._last = self._count()
        self._credit, self._haste_until, self._next_glance = 0, 0.0, 0.0
        self._victims: set[int] = set()
        self._doubted: set[int] = set()

    def glance(self, programs: Collection[int], now: float) -> None:
        """Read it in passing; does nothing where it was read within GLANCE_SECONDS.

        `programs` are the pids of our living programs, `now` is monotonic.
        """
        if now >= self._next_glance:
            self.judge((), programs, now)

    def judge(self, killed: Collection[int], programs: Collection[int], now: float) -> Cause:
        """Cause of a batch's SIGKILL deaths that were not ours, by pid; of none, where the batch has none."""
        self._next_glance = now + GLANCE_SECONDS
        rise = self._rise()
        self._victims.intersection_update(programs)
        self._doubted.intersection_update(programs)
        old = self._credit if now < self._haste_until else min(self._credit, len(self._victims.intersection(killed)))
        kept, credit = self._credit - old, (rise or 0) + old
        rivals = self._rivals(killed, programs) if credit else set()
        doubtful = bool(rivals and killed) and credit < len(killed) + len(rivals)
        left = min(credit, len(rivals)) if doubtful else max(0, credit - len(killed))
        if left:
            self._victims.update(rivals)
            self._haste_until = now + HASTE_SECONDS if rise else self._haste_until
        self._credit = kept + left if now < self._haste_until else min(kept + left, len(self._victims))
        found = judge(len(killed), None if rise is None else credit, self.limited) if killed else Cause.SIGNAL
        if found is Cause.OOM and (doubtful or self._doubted.intersection(killed)):
            found = Cause.OOM_POSSIBLE
        self._doubted.difference_update(killed)
        self._doubted.update(rivals if doubtful else ())
        self._victims.difference_update(killed)
        return found

    def _rivals(self, killed: Collection[int], programs: Collection[int]) -> set[int]:
        """Programs beside these that are dying."""
        return {pid for pid in programs if pid not in killed and (pid in self._victims or self._is_dying(pid))}

    def _rise(self) -> int | None:
        """By how much it rose since it was read last, None where it cannot be read."""
        count, before = self._count(), self._last
        self._last = count
        return None if count is None or before is None else max(0, count - before)

    def _is_dying(self, pid: int) -> bool:
        try:
            fields = self._read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            return bool(int(fields[6]) & PF_EXITING or int(fields[28]) & DYING)
        except (OSError, ValueError, IndexError):
            return False

    def _count(self) -> int | None:
        try:
            return parse_count(self._read_again(self.path)) if self.path else None
        except OSError:
            return None

    def _is_limited(self, path: str) -> bool:
        try:
            text = self._read(path).strip()
        except OSError:
            return True
        return text.isdecimal() and int(text) < NO_LIMIT_V1


class Kept:
    """Reads one small file again and again: it stays open, since opening it is nine tenths of 20 microseconds."""

    def __init__(self) -> None:
        self._fd = -1

    def __call__(self, path: str) -> str:
        """What it holds now.  Raises OSError; it is opened anew after that."""
        if self._fd < 0:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(self._fd, 65536, 0).decode("utf-8", "replace")
        except OSError:
            os.close(self._fd)
            self._fd = -1
            raise


def read_count(path: str) -> int | None:
    """The counter in a file, None where it cannot be read."""
    try:
        return parse_count(read_text(path))
    except OSError:
        return None


def read_text(path: str) -> str:
    """A small file of /proc or /sys.  Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        chunks = []
        while chunk := os.read(fd, 65536):
            chunks.append(chunk)
        return b"".join(chunks).decode("utf-8", "replace")
    finally:
        os.close(fd)
