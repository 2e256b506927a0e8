"""Which hubs there are: what the store's rows said, and when this hub saw each of them change.

Theory.  Every answer to a renewal brings all rows (`observe`).  A row whose `beat` has not changed for a lease and its
drift, by this hub's clock and in an answer asked for after that, has lapsed: its hub acts no more, and any hub may
remove it (`lapsed`; the store compares `beat` once more).  A row that is gone was removed by another observer, or
given back by its hub, or lost by a failover of the store.  The last must not be taken for the first two, because its
hub still acts until it notices; so a hub that vanished without having said that it drains is *remembered* until it has
lapsed by this hub's own count.  Only then do its agents have another home.  A renewal too may be lost by a failover
after its hub was told that it succeeded, so every count begins anew whenever the store had broken off (`recount`).

    (unknown) --row--> joined --draining--> draining --row gone--> left
                          `------ no new beat for LEASE * (1 + DRIFT) ------> lost --row--> joined
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from hub.cluster.lease import DRIFT, LEASE_SECONDS
from hub.cluster.rows import LeaseRow
from wire._record import Record

LAPSE_SECONDS = LEASE_SECONDS * (1 + DRIFT)
"""Without a new beat for so long a hub acts no more."""


class Move(StrEnum):
    """What can happen to a hub, as the feed tells it (topic `hub/NAME`)."""

    JOINED = "joined"
    RESTARTED = "restarted"
    DRAINING = "draining"
    LEFT = "left"
    LOST = "lost"


class Notice(Record):
    """One item for the feed."""

    hub: str
    move: Move
    epoch: int
    """Its `born`: one notice of a kind for each life of a hub."""


class Sighting(Record):
    """One hub as this one sees it."""

    row: LeaseRow
    changed: float
    """This hub's clock when it first saw this beat."""
    present: bool
    """The newest answer had its row."""
    stale: bool = False
    """The newest answer was asked for after the row had lapsed."""


class Membership:
    """The hubs, this one among them."""

    def __init__(self) -> None:
        self.sightings: dict[str, Sighting] = {}
        self.asked = float("-inf")

    def observe(self, rows: Sequence[LeaseRow], asked: float, now: float) -> list[Notice]:
        """Takes an answer that was asked for at `asked`; older ones than the newest are ignored."""
        if asked < self.asked:
            return []
        self.asked = asked
        notices = [notice for row in rows for notice in self._present(row, asked, now)]
        here = {row.hub for row in rows}
        for hub in [hub for hub in self.sightings if hub not in here]:
            notices += self._absent(hub, now)
        return notices

    def recount(self, now: float) -> None:
        """The store was away, or another took over: what it acknowledged may be lost, so all counts begin anew."""
        self.sightings = {hub: one._replace(changed=now, stale=False) for hub, one in self.sightings.items()}

    def _present(self, row: LeaseRow, asked: float, now: float) -> list[Notice]:
        known = self.sightings.get(row.hub)
        if known is None or (known.row.born, known.row.beat) != (row.born, row.beat):
            self.sightings[row.hub] = Sighting(row, now, True)
        else:
            self.sightings[row.hub] = known._replace(present=True, stale=asked >= known.changed + LAPSE_SECONDS)
        before = None if known is None else known.row
        if before is None or before.born != row.born:
            move = Move.JOINED if before is None else Move.RESTARTED
            return [Notice(row.hub, move, row.born), *([self._drains(row)] if row.draining else [])]
        return [self._drains(row)] if row.draining and not before.draining else []

    def _drains(self, row: LeaseRow) -> Notice:
        return Notice(row.hub, Move.DRAINING, row.born)

    def _absent(self, hub: str, now: float) -> list[Notice]:
        known = self.sightings[hub]
        if not known.row.draining and now < known.changed + LAPSE_SECONDS:
            self.sightings[hub] = known._replace(present=False)
            return []
        del self.sightings[hub]
        return [Notice(hub, Move.LEFT if known.row.draining else Move.LOST, known.row.born)]

    def lapsed(self, me: str) -> list[LeaseRow]:
        """Rows of others that the store may drop: still there, and without a new beat for too long."""
        return [one.row for one in self.sightings.values() if one.stale and one.present and one.row.hub != me]

    def hubs(self) -> tuple[LeaseRow, ...]:
        """All hubs that are members, the draining ones too, by name."""
        return tuple(self.sightings[hub].row for hub in sorted(self.sightings))

    def get(self, hub: str) -> LeaseRow | None:
        """One member's row."""
        known = self.sightings.get(hub)
        return None if known is None else known.row
