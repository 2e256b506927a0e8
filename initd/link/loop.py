"""Link's one loop, one thread: ZeroMQ sockets, descriptors, deadlines, signals; and an alarm clock against itself.

Theory.  zmq_poll waits for everything at once and is level-triggered, so a callback drains a bounded number of messages
and comes back for the rest.  SIGALRM is set anew in every turn; a turn that hangs (a library bug, a file system that is
gone) is ended by the signal's default action, and PID 1 starts a new link.  That is the whole point of being a process
of its own, so nothing here tries to survive what it does not understand.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import zmq

from initd.native import signal
from initd.sockets import socket
from initd.timers import Timer, Timers

HANG_SECONDS = 30
"""A turn takes milliseconds; a sample of 2,000 processes 20 ms."""

LONGEST_SECONDS = 10.0
"""Between two turns at most, so that the alarm is set anew in time."""


class Loop:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._callbacks: dict[Any, Callable[[], object]] = {}
        self._timers = Timers()
        self._ended = False
        self._signals: dict[int, Callable[[], object]] = {}
        self._wake, self._wake_write = socket.socketpair()
        for end in (self._wake, self._wake_write):
            end.setblocking(False)
        self.watch(self._wake, self._deliver)

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def watch(self, source: Any, callback: Callable[[], object], writable: bool = False) -> None:
        """Call back whenever a socket or descriptor is readable (or writable); watching again changes it."""
        self._poller.register(source, zmq.POLLIN | (zmq.POLLOUT if writable else 0))
        self._callbacks[_key(source)] = callback

    def forget(self, source: Any) -> None:
        """Watch it no more; before it is closed."""
        if self._callbacks.pop(_key(source), None) is not None:
            self._poller.unregister(source)

    def at(self, deadline: float, callback: Callable[[], object]) -> Timer:
        """Call back at a monotonic time; the timer has cancel()."""
        return self._timers.at(deadline, callback)

    def on_signal(self, signum: int, callback: Callable[[], object]) -> None:
        """Call back in the loop when a signal came."""
        self._signals[signum] = callback
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signum, lambda number, frame: None)

    def run(self) -> None:
        """Serve until `end`; what a callback raises goes through, and ends link."""
        while not self._ended:
            signal.alarm(HANG_SECONDS)
            self.turn()
        signal.alarm(0)

    def turn(self) -> None:
        """Wait for something, and serve it."""
        due = self._timers.next()
        left = LONGEST_SECONDS if due is None else min(LONGEST_SECONDS, max(0.0, due - self.now()))
        for source, _ in self._poller.poll(math.ceil(left * 1000)):
            callback = self._callbacks.get(source)  # one before it may have forgotten it
            if callback is not None:
                callback()
        now = self.now()
        while (due_now := self._timers.pop_due(now)) is not None:
            due_now()

    def end(self) -> None:
        """Let `run` return after this turn."""
        self._ended = True

    def close(self) -> None:
        """Give the descriptors back."""
        signal.set_wakeup_fd(-1)
        self._wake.close()
        self._wake_write.close()

    def _deliver(self) -> None:
        for number in set(self._wake.recv(4096)):
            if number in self._signals:
                self._signals[number]()


def _key(source: Any) -> Any:
    """What the poller reports for a source: the ZeroMQ socket itself, else the descriptor."""
    if isinstance(source, (zmq.Socket, int)):
        return source
    return source.fileno()
