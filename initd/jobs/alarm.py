"""An alarm by the wall clock, which also rings when somebody sets that clock.

Theory.  Deadlines of the loop are monotonic.  Where Python knows timerfd (3.13), the kernel rings at the wall time
itself, and at once when the clock is set or the machine wakes (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)).  Elsewhere
the alarm rings at least every SCHEDULE_RECHECK_SECONDS, so that a jump is noticed within that time.
"""

from __future__ import annotations

import os
import select
import time

from wire.limits import SCHEDULE_RECHECK_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.loop import Loop
    from initd.timers import Timer


class Alarm:
    """Calls `ring()` at the time set, or earlier; whoever is rung up looks at the clock and sets it anew."""

    def __init__(self, loop: Loop, wall: Callable[[], float], ring: Callable[[], object], kernel: bool = True) -> None:
        self._loop = loop
        self._wall = wall
        self._ring = ring
        self._timer: Timer | None = None
        self._fd = _make_timerfd() if kernel else -1
        if self._fd >= 0:
            loop.watch(self._fd, select.EPOLLIN, self._read)

    def set(self, at: float | None) -> None:
        """Ring at that wall time, None for never."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._fd >= 0:
            flags = os.TFD_TIMER_ABSTIME | os.TFD_TIMER_CANCEL_ON_SET  # type: ignore[attr-defined]
            os.timerfd_settime(self._fd, flags=flags, initial=0.0 if at is None else max(at, 0.001))  # type: ignore[attr-defined]
        elif at is not None:
            wait = min(max(at - self._wall(), 0.0), SCHEDULE_RECHECK_SECONDS)
            self._timer = self._loop.at(self._loop.now() + wait, self._ring)

    def _read(self, mask: int) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        except OSError:
            pass  # ECANCELED: the clock was set
        self._ring()


def _make_timerfd() -> int:
    """A descriptor, -1 where there is none to be had."""
    if not hasattr(os, "timerfd_create"):
        return -1
    try:
        flags = os.TFD_CLOEXEC | os.TFD_NONBLOCK  # type: ignore[attr-defined]
        found: int = os.timerfd_create(time.CLOCK_REALTIME, flags=flags)
        return found
    except OSError:
        return -1
