"""An event loop turned by hand: real descriptors, a clock that the test moves."""

from __future__ import annotations

import select
from collections.abc import Callable

from initd.timers import Timer, Timers


class HandLoop:
    """The interface of initd.loop.Loop, in virtual time."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self._timers = Timers()
        self.code: int | None = None
        """What `stop` was called with."""
        self.watched: dict[int, tuple[int, Callable[[int], object]]] = {}
        self.menders: list[Callable[[], object]] = []

    def now(self) -> float:
        return self._now

    def watch(self, fd: int, mask: int, callback: Callable[[int], object]) -> None:
        if fd in self.watched:
            raise FileExistsError(fd)
        self.watched[fd] = (mask, callback)

    def modify(self, fd: int, mask: int) -> None:
        self.watched[fd] = (mask, self.watched[fd][1])

    def forget(self, fd: int) -> None:
        self.watched.pop(fd, None)

    def shake(self) -> None:
        """Menders are called by the tests themselves."""

    def is_watched(self, fd: int) -> bool:
        return fd in self.watched

    def at(self, deadline: float, callback: Callable[[], object]) -> Timer:
        return self._timers.at(deadline, callback)

    def stop(self, code: int) -> None:
        self.code = code

    @property
    def timers(self) -> int:
        """Deadlines pending."""
        return len(self._timers)

    def turn(self, seconds: float = 0.0) -> bool:
        """Serve what is ready (waiting up to `seconds` of real time for it); whether anything was."""
        poll = select.poll()
        for fd, (mask, _) in self.watched.items():
            poll.register(fd, mask)
        ready = poll.poll(seconds * 1000)
        for fd, mask in ready:
            if fd in self.watched:
                self.watched[fd][1](mask)
        return bool(ready)

    def settle(self, turns: int = 1000) -> None:
        """Turn until nothing is ready."""
        while self.turn():
            turns -= 1
            assert turns, "the loop spins"

    def advance(self, seconds: float) -> None:
        """Move the clock, firing what falls due on the way at its own time."""
        end = self._now + seconds
        while (due := self._timers.next()) is not None and due <= end:
            self._now = max(self._now, due)
            callback = self._timers.pop_due(self._now)
            if callback is not None:
                callback()
        self._now = end

    def turn_until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Turn, in real time, until the condition holds; fail after a generous while."""
        for _ in range(int(seconds * 20)):
            if condition():
                return
            self.turn(0.05)
        raise AssertionError("the condition never came true")
