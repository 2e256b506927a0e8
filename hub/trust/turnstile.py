"""How fast a fleet that comes at once is let in: as fast as the loop serves who is inside; pure.

Theory.  Everybody who is let in wants an answer, and those inside wait behind them; who waits for two periods looks for
another hub, and comes to that as one more.  So who is good waits before the door while the loop is behind: it has a
connection there, and knows that it is not alone.  A pass that read all that had come, with little under way in the
store, opens the turnstile for TOGETHER more.  Where no pass does, one comes in every LONGEST seconds all the same.
"""

from __future__ import annotations

TOGETHER = 32
"""Connections between two passes of a loop that is not behind: 10 ms of answers."""
UNDER_WAY = 200
"""Questions to the store that may be open: a registration is one, and 10,000 of them are seconds."""
LONGEST = 0.05
"""Seconds until the next one comes in, whatever the loop does: 20 a second."""


class Turnstile:
    """Opened by the loop, passed on the gate's thread; both only ever assign, so neither waits for the other."""

    def __init__(self) -> None:
        self._room, self._last = TOGETHER, 0.0

    def passed(self, drained: bool, under_way: int) -> None:
        """The loop made a pass, which read all that had come, or did not; so many answers of the store are awaited."""
        if drained and under_way < UNDER_WAY:
            self._room = TOGETHER

    def turn(self, now: float) -> bool:
        """Whether one more may come in, `now` in seconds of a clock that only grows."""
        if self._room <= 0 and now < self._last + LONGEST:
            return False
        self._room, self._last = self._room - 1, now
        return True
