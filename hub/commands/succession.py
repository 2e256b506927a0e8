"""Rolls outlive the hub that carried them out: another life takes each over, once.

Theory.  A roll belongs to one *life* of one hub: its name and the epoch at which it took its lease, both kept with the
roll's progress.  When the lives in the cluster change, every hub looks for rolls that are under way and whose life is
over; for each, rendezvous hashing names the hub that is to go on with it.  It claims the id `ROLL.tEPOCH`, EPOCH being
that of the life that ended, in the store, where a claim is given once: so a roll passes from one life to one other,
whatever hubs believe of each other.  If the claim was taken before, its row names the life that took it; where that is
over too, the search goes on from there.

What the old life had sent and not seen end is sent again under its old id: the agent's hub and its PID 1 know it, so it
is carried out once.  Where the container was started anew since, nobody can know, and the unit counts as failed.  A hub
that lost its lease writes nothing of its rolls any more, and with its next lease it is one of those that may succeed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.commands.rolling import ENDED, ROLL
from hub.commands.rolls import BOOK, KEPT, RESTORED_SECONDS, Rolls
from hub.store.rows import CommandRow
from hub.words import Effects, Say, Store
from wire.model import CommandState

LONGEST = 20
"""Most lives of one roll that are followed."""


class Succession:
    """`lives` are the hubs there are, name -> epoch of their lease; `chosen` says who is to go on with a roll."""

    def __init__(self, rolls: Rolls, name: str, chosen: Callable[[str], str | None]) -> None:
        self.rolls, self.name, self.chosen = rolls, name, chosen
        self.lives: dict[str, int] = {}
        self.due = True
        rolls.life = lambda: self.lives.get(name, 0)

    def see(self, lives: Mapping[str, int]) -> None:
        """The members as they are now."""
        self.due = self.due or dict(lives) != self.lives
        self.lives = dict(lives)

    def tick(self, acts: bool, now: Instant) -> Effects:
        """Looks for rolls without a hub, once after each change; only a hub that may act does."""
        if not (acts and self.due and self.lives.get(self.name)):
            return []
        self.due = False
        self.rolls.drop_foreign()

        def found(rows: Any, error: str, now: Instant) -> Effects:
            if error:
                self.due = True
                return []
            last = {str(row.body.get("roll")): row.body for row in rows if isinstance(row.body, dict)}
            open_ones = [roll for roll, body in last.items() if roll not in self.rolls.rolls]
            return [Store("command", (roll,), self._look) for roll in open_ones[-KEPT:]]

        return [Store("facts", (None, BOOK, now.wall - RESTORED_SECONDS, 10_000), found)]

    def _look(self, row: CommandRow | None, error: str, now: Instant) -> Effects:
        if error or row is None or row.verb != ROLL or row.id in self.rolls.rolls:
            return []
        progress: Mapping[str, Any] = row.result if isinstance(row.result, dict) else {}
        hub, born = str(progress.get("hub", row.args.get("hub"))), int(progress.get("born", 0))
        mine = hub == self.name or (hub not in self.lives and self.chosen(row.id) == self.name)
        if progress.get("phase") in ENDED:  # nothing to carry out, but it may be resumed
            return self.rolls.enter(row, now) if mine else []
        if self.lives.get(hub) == born or self.chosen(row.id) != self.name:
            return []
        return [self._claim(row, born, LONGEST, now)]

    def _claim(self, row: CommandRow, born: int, left: int, now: Instant) -> Store:
        mine = CommandRow(
            id=f"{row.id}.t{born}", actor=row.actor, verb=f"{ROLL}.take", target=row.target, agent=None,
            container=None, engine=None, args={"hub": self.name, "born": self.lives[self.name]},
            state=CommandState.DONE, accepted_at=now.wall, deadline=now.wall, updated_at=now.wall,
            epoch=self.lives[self.name],
        )  # fmt: skip

        def claimed(taken: Any, error: str, now: Instant) -> Effects:
            if error:
                self.due = True
                return []
            if not taken:
                return [Store("command", (mine.id,), lambda other, error, now: self._next(row, other, left - 1, now))]
            said = Say(f"roll {row.id}: its hub is gone, this one goes on with it")
            return [said, Store("command", (row.id,), lambda fresh, error, now: self._succeed(fresh or row, now))]

        return Store("claim_command", (mine,), claimed)

    def _next(self, row: CommandRow, other: CommandRow | None, left: int, now: Instant) -> Effects:
        """Somebody took it before: is that life over, too?"""
        if other is None or left <= 0 or not self.lives.get(self.name):
            return []
        hub, born = str(other.args.get("hub")), int(str(other.args.get("born", 0)))
        return [] if self.lives.get(hub) == born else [self._claim(row, born, left, now)]

    def _succeed(self, row: CommandRow, now: Instant) -> Effects:
        return self.rolls.enter(row, now)
