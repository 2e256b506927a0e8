"""Samples that no hub took: kept while link is cut off, and told later, behind the present ones.

Theory.  A sample is *kept* where nobody subscribed, *sent* once libzmq took it, and forgotten when an answer shows that
the hub was there after it was sent.  Where answers had failed to come, what was sent since the last one is kept again:
it may be lost, and the hub knows those that it has by their time.  Old samples go one at a time, several times as fast
as they were made and never ahead of new ones, so that a fleet that comes back does not drown its hub and nobody sees
old figures as the present ones.

Each is kept with the roster that it names, so that processes which ended meanwhile are told, too: the hub is told that
roster once more before its samples (initd.link.showing), whichever hub it is.  Where there is no more room every second
sample goes, so that a longer cut is told more coarsely.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from wire import limits
from wire.messages import Roster, Sample

OVERHEAD = 500
"""Bytes of a kept sample besides its columns, roughly."""
ROW_BYTES = 300
"""Bytes of a row of a roster, which all samples that name it share, roughly."""


class Kept(NamedTuple):
    """A sample with the roster that it names."""

    sample: Sample
    roster: Roster

    @property
    def size(self) -> int:
        """Bytes without the roster, roughly."""
        return OVERHEAD + sum(map(len, self.sample.processes.values()))


class Backlog:
    """See the module's docstring; times are the monotonic ones of the samples."""

    def __init__(self, most_bytes: int = limits.BACKLOG_BYTES, most_seconds: float = limits.BACKLOG_SECONDS) -> None:
        self._most, self._seconds = most_bytes, most_seconds
        self._kept: deque[Kept] = deque()
        self._sent: deque[Kept] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, one: Kept) -> None:
        """Nobody took it."""
        other = not self._kept or self._kept[-1].roster.number != one.roster.number
        self._kept.append(one)
        self._fit(one.size + other * _weight(one.roster))

    def back(self, one: Kept) -> None:
        """What `next` gave could not be sent."""
        self._kept.appendleft(one)
        self._count()

    def sent(self, one: Kept) -> None:
        """It went off; whether it arrives is not known yet."""
        self._sent.append(one)
        while len(self._sent) > limits.BACKLOG_SENT:
            self._sent.popleft()

    def sure(self, mono: float) -> None:
        """The hub was there at this moment: what was sent before has arrived."""
        while self._sent and self._sent[0].sample.mono <= mono:
            self._sent.popleft()

    def doubt(self) -> None:
        """The hub was not there for a while: what was sent last may be lost."""
        self._kept = deque(sorted((*self._sent, *self._kept), key=lambda one: one.sample.mono))
        self._sent.clear()
        self._count()

    def next(self, mono: float) -> Kept | None:
        """The oldest sample that is still worth telling; None where there is none."""
        while self._kept:
            one = self._kept.popleft()
            if one.sample.mono >= mono - self._seconds:
                self._count()
                return one
        self._bytes = 0
        return None

    def _count(self) -> None:
        self._bytes = weight(self._kept)
        self._fit(0)

    def _fit(self, more: int) -> None:
        """So many bytes came: where that is too much, every second sample goes."""
        self._bytes += more
        while self._bytes > self._most and self._kept:
            self._kept = deque(list(self._kept)[::-2][::-1] if len(self._kept) > 1 else ())  # the youngest stays
            self._bytes = weight(self._kept)


def weight(kept: Iterable[Kept]) -> int:
    """Bytes of samples and of their rosters, roughly."""
    rosters = {one.roster.number: one.roster for one in kept}
    return sum(one.size for one in kept) + sum(map(_weight, rosters.values()))


def _weight(roster: Roster) -> int:
    return ROW_BYTES * len(roster.rows)
