"""Open commands whose hub is gone end truthfully: one other hub takes each over, and none stays open for ever.

Theory.  As with rolls (hub.commands.succession): when the lives in the cluster change, every hub that may act reads the
commands.  One that was given to an engine by a life that is over is an *orphan*.  The hub that lists its container now
(it polls that engine, or hears its relay) claims the id `COMMAND.tEPOCH`, EPOCH being that of the life that ended, in
the store, where a claim is given once; if it was taken, its row names the life that took it, and where that is over,
too, the search goes on from there.  Only who has the claim ends the command (hub.commands.containers).

Every hub ends its own commands at their deadline.  So a row that is open OVERDUE_SECONDS later has no hub, whatever it
is about: one hub, the *sweeper*, looks for such rows at each change and every SWEEP_SECONDS, and ends them; orphans
whose container nobody lists, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.clock import Instant
from hub.commands.containers import life_of
from hub.commands.orders import BACK_SECONDS, Orders
from hub.commands.rolling import ROLL
from hub.commands.router import ENDS
from hub.store.rows import CommandRow
from hub.words import Effects, Say, Store
from wire.model import CommandState

OVERDUE_SECONDS = 5.0
"""After its deadline: longer than another hub's answer may take, and than hubs' clocks differ."""
SWEEP_SECONDS = 60.0
LONGEST = 20
"""Most lives of one command that are followed."""
SWEEPER = "sweeper"


class Heirs:
    """`chosen` names one hub for a name; `taken`: commands whose end the other hubs are told by a word."""

    def __init__(self, orders: Orders, name: str, chosen: Callable[[str], str | None], taken: set[str]) -> None:
        self.orders, self.name, self.chosen, self.taken = orders, name, chosen, taken
        self.lives: dict[str, int] = {}
        self.due, self.sweep_at = True, float("-inf")
        self.orphans: dict[str, CommandRow] = {}
        """Open commands without a living hub, which nobody has claimed as far as is known."""
        orders.containers.life = lambda: self.lives.get(name, 0)

    def see(self, lives: Mapping[str, int]) -> None:
        """The members as they are now."""
        self.due = self.due or dict(lives) != self.lives
        self.lives = dict(lives)

    def tick(self, acts: bool, now: Instant) -> Effects:
        """What is due; only a hub that may act does anything."""
        if not (acts and self.lives.get(self.name)):
            return []
        effects: Effects = []
        if self.due or (now.mono >= self.sweep_at and self._sweeps()):
            self.due, self.sweep_at = False, now.mono + SWEEP_SECONDS
            effects.append(Store("commands", (now.wall - BACK_SECONDS, 10_000), self._read))
        for row in [row for row in self.orphans.values() if self._mine(row, now)]:
            del self.orphans[row.id]
            effects.append(self._claim(row, (life_of(row) or ("", 0))[1], LONGEST, now))
        return effects

    def _sweeps(self) -> bool:
        return self.chosen(SWEEPER) == self.name

    def _read(self, rows: Any, error: str, now: Instant) -> Effects:
        if error:
            self.due = True
            return []
        openly = (row for row in rows if row.state not in ENDS and row.verb != ROLL)
        mine = self.orders.containers.orphans
        self.orphans = {row.id: row for row in openly if row.id not in mine and self._alone(row, now)}
        return []

    def _alone(self, row: CommandRow, now: Instant) -> bool:
        life = life_of(row)
        over = life is not None and self.lives.get(life[0]) != life[1]
        return over or now.wall > row.deadline + OVERDUE_SECONDS

    def _mine(self, row: CommandRow, now: Instant) -> bool:
        known = self.orders.fleet.containers.get(row.container or "")
        listed = known is not None and known.engine == row.engine
        return listed or (now.wall > row.deadline + OVERDUE_SECONDS and self._sweeps())

    def _claim(self, row: CommandRow, born: int, left: int, now: Instant) -> Store:
        mine = CommandRow(
            id=f"{row.id}.t{born}", actor=row.actor, verb=f"{row.verb}.take", target=row.target, agent=row.agent,
            container=row.container, engine=row.engine, args={"hub": self.name, "born": self.lives[self.name]},
            state=CommandState.DONE, accepted_at=now.wall, deadline=now.wall, updated_at=now.wall,
            epoch=self.lives[self.name],
        )  # fmt: skip

        def claimed(taken: Any, error: str, now: Instant) -> Effects:
            if error:
                self.due = True
                return []
            if taken:
                return [Store("command", (row.id,), self._inherit)]
            return [Store("command", (mine.id,), lambda other, error, now: self._next(row, other, left - 1, now))]

        return Store("claim_command", (mine,), claimed)

    def _next(self, row: CommandRow, other: CommandRow | None, left: int, now: Instant) -> Effects:
        """Somebody took it before: is that life over, too?"""
        if other is None or left <= 0 or not self.lives.get(self.name):
            return []
        hub, born = str(other.args.get("hub")), int(str(other.args.get("born", 0)))
        if (hub, born) == (self.name, self.lives[self.name]):  # the answer to the claim was lost
            return [Store("command", (row.id,), self._inherit)]
        return [] if self.lives.get(hub) == born else [self._claim(row, born, left, now)]

    def _inherit(self, row: CommandRow | None, error: str, now: Instant) -> Effects:
        """Claimed; it may have ended meanwhile."""
        if error or row is None or row.state in ENDS:
            self.due = self.due or bool(error)
            return []
        self.taken.add(row.id)
        said = Say(f"command {row.id}: its hub is gone, this one finds out what became of it")
        return [said, *self.orders.containers.inherit(row, now)]
