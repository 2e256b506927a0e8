"""Which of its hubs an agent talks to: a pure machine of places in a list.

Theory.  A hub's answers bring the list of hubs *in the order in which this agent is to turn to them*, its home first
(Beat.hubs, Registered.hubs; an empty list means "as before").  So an agent computes nothing and needs to know no load.

    at its home       stays
    no answer         for a period, or no connection: the next of the list, after a random part of a period
    turned away       the hub has lost sight of the store (Beat.elsewhere): as if it had not answered; but where all
                      others did the same, it stays for their pause: nobody sees the store
    elsewhere         goes to its home when that may be tried (again)

Hubs that the list names no more stay behind its end, as far as there is room: the last hope of an agent whose only hub
dies just after all the others came back.  A hub that did not answer is not tried again for HOLD_SECONDS, doubled with
each vain try up to HOLD_LONGEST, one that turned us away for TURNED_SECONDS: an agent that is cut off from its home
alone stays a guest of the next hub and looks at the door now and then.  Where all are held, the one that was held first
is tried.  The random part spreads the agents of a lost hub over a period.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from wire import limits

__all__ = ["HOLD_LONGEST", "HOLD_SECONDS", "TURNED_SECONDS", "Homing"]

HOLD_SECONDS = 10.0
"""First pause before a hub that did not answer is tried again."""
HOLD_LONGEST = 160.0
"""Longest such pause."""
TURNED_SECONDS = 5.0
"""The same for a hub that turned us away, doubled once: it answers at once, and may see the store again any moment,
while the one where we stayed does not, whose lease lapses after 4 s and whose agents are lost 6 s later."""


class Homing:
    """Where to be; `hubs` are names, keys or addresses: what the owner connects by.  Times are monotonic seconds."""

    def __init__(self, hubs: Sequence[str]) -> None:
        if not hubs:
            raise ValueError("an agent needs at least one hub")
        self.hubs = tuple(hubs)
        self.at = self.hubs[0]
        self.named = set(hubs)
        """The newest list; a hub that is in it again has started again, and may be tried at once."""
        self.held: dict[str, tuple[float, float]] = {}
        """Hub -> (not before, pause)."""
        self.turned: set[str] = set()
        """Hubs that turned us away."""
        self.move_at: float | None = None
        self.goal = self.at

    def told(self, hubs: Sequence[str], now: float) -> None:
        """A hub's answer brought this list."""
        if hubs:
            back, self.named = set(hubs) - self.named, set(hubs)
            older = [hub for hub in self.hubs if hub not in hubs]
            self.hubs = (*hubs, *older)[: limits.HUBS]
            self.held = {hub: held for hub, held in self.held.items() if hub in self.hubs and hub not in back}
            if self.goal not in self.hubs:
                self.move_at = None

    def forget(self, gone: Collection[str]) -> None:
        """These are known to be no hubs any more; the present one stays, whatever it is."""
        self.hubs = tuple(hub for hub in self.hubs if hub == self.at or hub not in gone)
        self.held = {hub: held for hub, held in self.held.items() if hub in self.hubs}
        if self.goal not in self.hubs:
            self.move_at = None

    def answered(self) -> None:
        """The present hub answers: it is held no more; if it sees the store again, nor are others for the same."""
        if self.at in self.turned:
            self.held = {hub: held for hub, held in self.held.items() if hub not in self.turned}
            self.turned.clear()
        if self.held.pop(self.at, None) is not None:
            self.move_at = None  # it was about to be left for a silence that is over

    def back(self, hub: str) -> None:
        """Stay with this hub after all, where it was still served; it may be held."""
        self.at, self.goal, self.move_at = hub, hub, None

    def away(self, now: float, spread: float) -> None:
        """The present hub turns us away: on to another, if there is one that did not do so lately."""
        self.turned.add(self.at)
        blind = {hub for hub in self.turned if self.held.get(hub, (now, 0.0))[0] > now}
        if others := [hub for hub in self.hubs if hub != self.at and hub not in blind]:
            self._leave(now, spread, others)
        elif self.held.get(self.at, (now, 0.0))[0] <= now:
            self._hold(now)

    def silent(self, now: float, spread: float) -> None:
        """The present hub did not answer for a period: on to another, `spread` seconds from now."""
        self._leave(now, spread, [hub for hub in self.hubs if hub != self.at] or list(self.hubs))

    def _leave(self, now: float, spread: float, others: Sequence[str]) -> None:
        self._hold(now)
        self._plan(self._best(now, others), now + spread)

    def _hold(self, now: float) -> None:
        first, longest = (HOLD_SECONDS, HOLD_LONGEST) if self.at not in self.turned else (TURNED_SECONDS, HOLD_SECONDS)
        pause = min(2 * self.held.get(self.at, (0.0, first / 2))[1], longest)
        self.held[self.at] = (now + pause, pause)

    def look(self, now: float, spread: float) -> None:
        """Asked every period: whether to go home, `spread` seconds from now."""
        best = self._best(now, self.hubs)
        if best != self.at and self.move_at is None:
            self._plan(best, now + spread)

    def move(self, now: float) -> str | None:
        """The hub to go to now, once; None while it is right to stay."""
        if self.move_at is None or now < self.move_at:
            return None
        self.move_at, self.at = None, self.goal
        return self.at

    def _plan(self, goal: str, at: float) -> None:
        self.goal, self.move_at = goal, at

    def _best(self, now: float, hubs: Sequence[str]) -> str:
        free = [hub for hub in hubs if self.held.get(hub, (now, 0.0))[0] <= now]
        return free[0] if free else min(hubs, key=lambda hub: self.held[hub][0])
