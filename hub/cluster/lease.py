"""A hub's lease: its right to act for the fleet, held in the shared store and measured on the hub's own clock.

Theory.  To act is to command an agent, to declare one lost, or to poll an engine; two hubs must never do so for the
same one at a time.  Each hub has one row in the shared store.  It *takes* it with a new epoch (`born`: one more than
any before), then *renews* it every RENEW_SECONDS by raising `beat`; the store renews only a row that still has that
`born`.  Each answer brings all rows, so a lease and its view of the cluster are equally old.

    outside --take--> settling --SETTLE_SECONDS--> acting <--> blind (LEASE_SECONDS without an answer)
       ^---------------- the row is gone, or another took it ----------------'

No clock is compared with another, only rates: the holder counts LEASE_SECONDS from the moment it *sent* the renewal,
an observer counts LEASE_SECONDS * (1 + DRIFT) from the moment it *saw* it; the second ends later than the first
wherever rates differ by less than DRIFT.  An observer removes a row only if `beat` is still the one it counted from,
so a renewal and a removal cannot both succeed.  Use CLOCK_BOOTTIME where there is one: CLOCK_MONOTONIC stands still in
a suspended machine, and with it this promise.

Why that excludes two homes (hub.cluster.rendezvous).  Homes follow a fixed order of hubs for each agent.  Let X and Y
act for one agent at time t, and Y come first in its order.  Y's lease is valid, so its row was not removed before t,
and Y has settled, so it was there all the time from t - LEASE on.  X's view is younger than that, so X has seen Y, and
knows that it is not the home.

A failover of the store may lose the last writes, even a whole row.  Who has seen a row therefore honours it until it
has lapsed by the observer's own count (hub.cluster.membership); and settling takes two leases, not one, so that
whoever acts was in the store for longer than one lease, during which every other acting hub has seen it.

A *blind* hub is one without a valid lease whose store does not answer: it serves from memory and takes no action of its
own.  That its row is still there when the store comes back does not say that nobody acts in its place: others may have
removed it, and a failover that loses its last writes puts it back.  So it settles again, for as long as the leases last
of those that have not seen its row since: one lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from hub.cluster.rows import LeaseRow, Taken
from wire._record import Record

LEASE_SECONDS = 4.0
"""How long one answer of the store lets a hub act: two heartbeats, so that a lost hub is replaced within 7 s."""
RENEW_SECONDS = 0.5
"""Between renewals: several may fail before the lease is lost, and the others soon see what was written
(hub.cluster.vouching)."""
ANSWER_SECONDS = 1.0
"""After this long without an answer the store counts as away and is asked anew."""
DRIFT = 0.05
"""Most by which the rates of two hubs' clocks differ: a hundred times what NTP lets a clock run off."""
AGAIN_SECONDS = LEASE_SECONDS * (1 + DRIFT)
"""From the answer that ends blindness to the next action; see the theory."""
SETTLE_SECONDS = 2 * AGAIN_SECONDS
"""From taking a lease to the first action; see the theory.  A store of one hub needs none."""


class Standing(StrEnum):
    """What a hub may do now."""

    OUTSIDE = "outside"
    """It has no row: it never had one, left, or lost it."""
    SETTLING = "settling"
    ACTING = "acting"
    BLIND = "blind"


class Ask(Record):
    """One question to the store: take a row (`row.born` is 0; the new epoch must exceed `above`), or renew it."""

    number: int
    sent: float
    """The hub's clock when it was sent, seconds."""
    row: LeaseRow
    above: int = 0


class Lease:
    """The lease of this hub; `row` tells who it is, `settle` is 0 where the store admits one hub only."""

    def __init__(self, row: LeaseRow, settle: float = SETTLE_SECONDS) -> None:
        self.row = row._replace(born=0, epoch=0, beat=0)
        self.settle = settle
        self.kept = self.row
        """The newest row that the store acknowledged."""
        self.until = self.acts_from = float("-inf")
        self.highest = 0
        """Highest epoch this hub ever saw: what it takes next is above."""
        self.asked: Ask | None = None
        self.asks = 0
        self.next_at = float("-inf")

    def standing(self, now: float) -> Standing:
        """What the hub may do at `now`; asked before every single action, for a stopped process wakes up anywhere."""
        if self.row.born == 0:
            return Standing.OUTSIDE
        if now >= self.until:
            return Standing.BLIND
        return Standing.ACTING if now >= self.acts_from else Standing.SETTLING

    def acts(self, now: float) -> bool:
        """Whether the hub may act; one that drains stops before the others know that it does."""
        return self.standing(now) is Standing.ACTING and not self.row.draining

    def tell(self, **fields: Any) -> None:
        """What the next renewal says of this hub (draining, full_at, load ...)."""
        self.row = self.row._replace(**fields)

    def raise_epoch(self, reported: int) -> bool:
        """An agent has seen a higher epoch: this hub's must exceed it ; True if one is to be taken."""
        self.highest = max(self.highest, reported)
        return self.row.born > 0 and reported > self.row.epoch

    def raised(self, epoch: int) -> None:
        """The store gave a higher epoch (next_epoch)."""
        self.highest = max(self.highest, epoch)
        self.row = self.row._replace(epoch=max(self.row.epoch, epoch))

    def next(self, now: float) -> Ask | None:
        """The question that is due, if any; an unanswered one is given up after ANSWER_SECONDS."""
        waiting = self.asked is not None and now < self.asked.sent + ANSWER_SECONDS
        if waiting or now < self.next_at:
            return None
        self.asks, self.next_at = self.asks + 1, now + RENEW_SECONDS
        self.row = self.row._replace(beat=self.row.beat + 1)
        self.asked = Ask(self.asks, now, self.row, self.highest)
        return self.asked

    def taken(self, ask: Ask, taken: Taken, now: float) -> bool:
        """The row was taken; an answer to an earlier question is ignored (False), its row is another's by now."""
        if self.row.born or self.asked is None or ask.number != self.asked.number:
            return False
        self.asked, self.highest = None, max(self.highest, taken.epoch)
        self.row = self.row._replace(born=taken.epoch, epoch=taken.epoch)
        self.until, self.acts_from = ask.sent + LEASE_SECONDS, now + self.settle
        self.kept = self.row
        return True

    def renewed(self, ask: Ask, rows: Sequence[LeaseRow] | None, now: float) -> bool:
        """A renewal was answered; False if it was refused, and with it the lease is lost, or if it is no news."""
        if ask.row.born != self.row.born or self.row.born == 0:
            return False
        self.asked = None if self.asked is not None and ask.number == self.asked.number else self.asked
        if rows is None:
            self.lose()
            return False
        if now >= self.until:
            self.acts_from = max(self.acts_from, now + min(AGAIN_SECONDS, self.settle))
        self.until = max(self.until, ask.sent + LEASE_SECONDS)
        self.kept = max(self.kept, ask.row, key=lambda row: (row.born, row.beat))
        return True

    def failed(self, ask: Ask) -> None:
        """The store refused or broke off: ask again at the next turn."""
        if self.asked is not None and ask.number == self.asked.number:
            self.asked = None

    def lose(self) -> None:
        """The row is gone (or was given back): the hub is outside and takes a new one at its next turn."""
        self.row = self.row._replace(born=0)
        self.until, self.asked = float("-inf"), None
