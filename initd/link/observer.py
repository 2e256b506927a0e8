"""What goes on in the container, as rosters and samples.

Theory.  PID 1 is asked for its programs only after a fact came, because only then they may have changed: an idle
container does not wake it.  A new roster is made when the set of processes, the programs or (visibly) the mounts
changed; a sample refers to the roster that was current when it was taken.  Figures that only a process's own user may
read come from the Reader, one sample late.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from initd.link import cgroup, mounts
from initd.link.cgroup import NAN, Container
from initd.link.processes import Key, Known, Private, Table, assign, uptime
from initd.link.reader import Reader
from wire import limits
from wire.codec import EncodeError, encode
from wire.messages import Roster, Sample
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, Mount, RosterRow, Status
from wire.records import STATUS
from wire.session import Now

MOUNT_SECONDS = 30.0
"""Between two looks at the mounts."""

COLUMNS = tuple(column.name for column in PROCESS_COLUMNS)
REFUSED = "some processes belong to other users, and reading theirs was refused"


class Picture(NamedTuple):
    """What a round saw."""

    roster: Roster | None
    """Only where it differs from the one before."""
    sample: Sample


class Observer:
    """Looks at everything once a round; `init` is PID 1's pid, 1 or another; rosters are numbered from `first` on.

    Stores know a roster by its number for as long as PID 1 lives, and link may be started again: see `numbers_from`.
    """

    def __init__(
        self, boot: str, init: int, reader: Reader | None, container: Container, table: Table, first: int = 0
    ) -> None:
        self._boot, self._init, self._reader, self._container, self._table = boot, init, reader, container, table
        self._host_memory = cgroup.host_memory()
        self._programs: tuple[Status, ...] = ()
        self._leaders: dict[Key, str] = {}
        self._rows: tuple[RosterRow, ...] = ()
        self._mounts: tuple[Mount, ...] = ()
        self._looked_at, self._told_at = -MOUNT_SECONDS, 0.0
        self._private: dict[Key, Private] = {}
        self._number, self._shown, self._changed, self._complete = first, 0, True, True
        self._before: float | None = None

    def programs(self, rows: Iterable[Mapping[str, Any]], mono: float) -> None:
        """PID 1's word on its programs: rows of `status`, and when they were true."""
        found = tuple(STATUS.read([row.get(field) for field in Status._fields]) for row in rows)
        leaders = {(s.pid, s.start_ticks): name_of(s) for s in found if s.pid is not None and s.start_ticks is not None}
        self._changed = self._changed or [*map(_settled, found)] != [*map(_settled, self._programs)]
        self._programs, self._leaders, self._told_at = found[: limits.PROGRAMS], leaders, mono

    def look(self, now: Now, last_seq: int) -> Picture:
        """One round; `last_seq` is the newest fact that `programs` includes."""
        known = self._table.scan()
        rows = tuple(assign(known, self._leaders, self._init, self._link()))
        container = self._container.row(now.mono)
        if now.mono - self._looked_at >= MOUNT_SECONDS:
            self._look_at_mounts(now.mono)
        self._read_private(known)
        roster = None
        if self._changed or rows != self._rows:
            self._rows, self._changed = rows, False
            self._number += 1
            roster = self._roster(now, last_seq)
            self._shown = len(roster.rows)
        return Picture(roster, self._sample(known[: self._shown], container, now))

    def _link(self) -> frozenset[int]:
        """Our own processes."""
        return frozenset((os.getpid(), self._reader.pid if self._reader and self._reader.pid else os.getpid()))

    def _look_at_mounts(self, mono: float) -> None:
        found = mounts.mounts()
        self._changed = self._changed or mounts.differ(self._mounts, found)
        self._mounts, self._looked_at = found, mono

    def _roster(self, now: Now, last_seq: int) -> Roster:
        notes = {} if self._complete else dict.fromkeys(("read_bytes", "write_bytes", "fds"), REFUSED)
        programs = tuple(_aged(status, now.mono - self._told_at) for status in self._programs)
        roster = Roster(
            self._boot, self._number, last_seq, now.wall, now.mono, COLUMNS, self._rows, programs, self._mounts,
            self._table.left_out, notes,
        )  # fmt: skip
        return bounded(roster)

    def _sample(self, known: list[Known], container: Mapping[str, float], now: Now) -> Sample:
        period = 0.0 if self._before is None else now.mono - self._before
        limit = container["memory_limit"]
        memory = limit if limit == limit else self._host_memory
        rows = [self._figures(one, period, memory) for one in known]
        self._before = now.mono
        packed = {c.name: pack(c.code, [row[i] for row in rows]) for i, c in enumerate(PROCESS_COLUMNS)}
        whole = pack("d", [container[column.name] for column in CONTAINER_COLUMNS])
        return Sample(self._boot, self._number, now.wall, now.mono, period, packed, whole)

    def _figures(self, one: Known, period: float, memory: float) -> tuple[float, ...]:
        """One process, in the order of PROCESS_COLUMNS."""
        stat, private = one.stat, self._private.get(one.key, Private())
        cpu = (stat.cpu_seconds - one.used) / period if one.used is not None and period > 0 else NAN
        one.used = stat.cpu_seconds
        return (
            stat.cpu_seconds, private.read_bytes, private.write_bytes, cpu, float(stat.rss), stat.rss / memory,
            float(stat.threads), private.fds, uptime(stat.start_ticks),
        )  # fmt: skip

    def _read_private(self, known: list[Known]) -> None:
        """What we may read ourselves now; for the others, what the reader brought since the round before."""
        others = self._reader.take() if self._reader else {}
        refused: dict[tuple[int, int], list[int]] = {}
        before, self._private = self._private, {}
        for one in known:
            private = self._table.private(one.pid)
            if private is None or private.read_bytes != private.read_bytes:
                refused.setdefault((one.uid, one.gid), []).append(one.pid)
                private = others.get(one.pid) or before.get(one.key) or private
            self._private[one.key] = private or Private()
        complete = all(one.read_bytes == one.read_bytes for one in self._private.values())
        self._changed, self._complete = self._changed or complete != self._complete, complete
        if self._reader:
            self._reader.ask(refused)


def _aged(status: Status, seconds: float) -> Status:
    """The same, so many seconds later."""
    return status if status.uptime is None else status._replace(uptime=status.uptime + seconds)


def _settled(status: Status) -> Status:
    """What changes by events only."""
    return status._replace(uptime=None)


def numbers_from(mono: float) -> int:
    """A number above those of every link that ran before this moment: none makes ten rosters a second."""
    return int(mono * 10)


def name_of(status: Status) -> str:
    """The name people type."""
    return status.name if status.group == status.name else f"{status.group}:{status.name}"


def pack(code: str, values: list[float]) -> bytes:
    """Little-endian float64 (d) or float32 (f) values."""
    packed = array(code, values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def bounded(roster: Roster) -> Roster:
    """The roster, with as many of its last rows left out as it takes to fit into a message."""
    while roster.rows:
        try:
            encode(roster)
        except EncodeError:
            kept = len(roster.rows) * 3 // 4
            left_out = roster.left_out + len(roster.rows) - kept
            roster = roster._replace(rows=roster.rows[:kept], left_out=left_out)
            continue
        break
    return roster
