"""Up to when all that the other hubs heard is in the shared store, seen from one hub.  Pure.

Theory.  Who does not hear an agent may call it lost only if no other hub hears it either, and a hub that is cut off
from the store cannot say that it does.  Its lease tells: a renewal brings along whom its hub heard and did not surely
write yet, in one step, so one that was carried out after a moment proves that what the hub heard before that moment is
written (less the time that calls travel, for which hub.cluster.handover waits longer).  Any answer with all rows shows
it: where a row's beat is another than in an earlier answer, the renewal came after that answer was asked for.  No hub
need talk to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hub.cluster.rows import LeaseRow
from wire._record import Record

NEVER = float("-inf")


class Voucher(Record):
    """One other hub."""

    beat: tuple[int, int]
    """Its `born` and `beat` in the newest answer."""
    asked: float
    """When the newest answer with this beat was asked for."""
    until: float = NEVER
    """What it heard before is written."""


class Vouching:
    """All other hubs; times are the attention of this hub."""

    def __init__(self) -> None:
        self.vouchers: dict[str, Voucher] = {}
        self.asked = NEVER

    def observe(self, rows: Sequence[LeaseRow], asked: float) -> None:
        """An answer with all rows, asked for then; older ones than the newest are ignored."""
        if asked < self.asked:
            return
        self.asked = asked
        for row in rows:
            known, beat = self.vouchers.get(row.hub), (row.born, row.beat)
            if known is None or known.beat[0] != row.born:
                self.vouchers[row.hub] = Voucher(beat, asked)
            elif known.beat == beat:
                self.vouchers[row.hub] = known._replace(asked=asked)
            else:
                self.vouchers[row.hub] = Voucher(beat, asked, known.asked)

    def settled(self, others: Iterable[str], attention: float) -> float:
        """Up to when everything that these heard is written; now, where there are none."""
        return min((self._until(hub) for hub in others), default=attention)

    def _until(self, hub: str) -> float:
        known = self.vouchers.get(hub)
        return NEVER if known is None else known.until

    def recount(self) -> None:
        """The store was away, or another took over: what it acknowledged may be lost."""
        self.vouchers.clear()
