"""Watches one run of one program: until it is ready, and from then on whether it is alive.

Theory.  A watch belongs to one process, from its start to its end, and never to two.  It is the same machine for
readiness and liveness: look, count (initd.probes.tally), look again `interval` seconds after the last look began; what
differs is what a verdict leads to.  Looks never overlap: one that was given up a moment ago, as a command whose KILL is
under way, gets GOING_SECONDS to go, and one that is still there then is a failure.  Only timers that are due wake
PID 1.
Whatever fails inside counts as a look that failed, and disturbs no program.
"""

from __future__ import annotations

from initd.probes.tally import ILL, WELL, Tally, count
from wire.limits import TEXT_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from initd.probes.looks import Look
    from initd.timers import Timer

    class Ticking(Protocol):
        """What a watch needs of initd.loop.Loop."""

        def now(self) -> float:
            """Monotonic seconds."""

        def at(self, deadline: float, callback: Callable[[], object]) -> Timer:
            """Call it then."""


GOING_SECONDS = 0.5
"""How long a look that was given up may take to be gone: a KILL and its reaping, on a machine that is busy."""


class Watch:
    """Looks again and again; `verdict(ill, why)` is called with each verdict."""

    def __init__(
        self,
        loop: Ticking,
        tally: Tally,
        interval: float,
        timeout: float,
        look: Callable[[Callable[[str], object]], Look],
        verdict: Callable[[bool, str], object],
    ) -> None:
        self._loop = loop
        self._tally = tally
        self._interval = interval
        self._timeout = timeout
        self._look = look
        self._verdict = verdict
        self._timer: Timer | None = None
        self._under_way: Look | None = None
        self._number = 0
        """Of the look whose answer is waited for; 0 where none is."""
        self._looks = 0
        self._leaves_until = 0.0
        """When a look that was given up has to be gone."""
        self._next = 0.0
        self.why = ""
        """Why the last look failed, "" where it did not."""

    def begin(self, delay: float) -> None:
        """Look for the first time after so many seconds."""
        self._set(self._loop.now() + delay, self._begin_look)

    def end(self) -> None:
        """Stop; no verdict comes any more."""
        self._number = -1
        if self._timer is not None:
            self._timer.cancel()
        if self._under_way is not None:
            self._under_way.cancel()

    def _set(self, at: float, callback: Callable[[], object]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.at(at, callback)

    def _begin_look(self) -> None:
        now = self._loop.now()
        lingers = self._under_way is not None and not self._under_way.gone
        if lingers and now < self._leaves_until:
            self._set(self._leaves_until, self._begin_look)
            return
        self._next = now + self._interval
        self._looks += 1
        number = self._number = self._looks
        if lingers:
            self._answer(number, "the last look is not over yet")
            return
        self._set(now + self._timeout, lambda: self._answer(number, f"no answer within {self._timeout:g} s"))
        try:
            self._under_way = self._look(lambda why: self._answer(number, why))
        except Exception as error:
            self._answer(number, f"{type(error).__name__}: {error}")

    def _answer(self, number: int, why: str) -> None:
        if number != self._number:
            return  # too late, or ended
        self._number = 0
        self.why = why[:TEXT_CHARS]
        if why and self._under_way is not None and not self._under_way.gone:
            self._under_way.cancel()
            self._leaves_until = self._loop.now() + GOING_SECONDS
        self._tally, verdict = count(self._tally, not why)
        self._set(max(self._next, self._loop.now()), self._begin_look)
        if verdict in (WELL, ILL):
            self._verdict(verdict == ILL, self.why)
