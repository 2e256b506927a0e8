"""The one event loop of PID 1: descriptors, deadlines and signals, each turned into a call.

Theory.  Everything PID 1 waits for is a descriptor in one epoll set, a deadline in one heap, or a signal.  Signals
reach the set through `signal.set_wakeup_fd`: the C handler writes the number into a pipe, so a signal ends the wait at
once although Python retries interrupted system calls (PEP 475).  The pipe gives order and number; the Python-level
handlers only note which signals came at all; that note is used only where the pipe was full and numbers may be lost
(otherwise a signal between the two readings would count twice, and a second SIGTERM means "by force").  With nothing
to do the process sleeps in epoll_wait(2) without a timeout: an idle PID 1 wakes 0 times.

A descriptor closed in a pass may come back in the same pass under its old number (accept(2), pipe(2)).  What epoll said
of that number was said of its predecessor, so nothing that was watched since the wait is served before the next one;
the set is level-triggered, so nothing is lost by that.

The loop does not die: an exception in a callback is counted and said in one line.  A descriptor whose callback fails
FAULTS times in a row is no longer watched, because a level-triggered set would otherwise spin on it.

An exception may leave something half done: a deadline not armed, a death not told, a listener not watched again.  So
after each one, MEND_SECONDS later, `menders` look over what they own and put it right; one that fails is asked again
after the same time.  A deadline whose callback failed comes once more then, TRIES times in all: what happens again and
again would else have happened for the last time.  Who never meets an exception never wakes for this.
"""

from __future__ import annotations

import errno
import fcntl
import gc
import os
import select
import time

from initd.native import signal
from initd.timers import Timer, Timers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = 8
"""Failures in a row after which a descriptor is dropped from the set."""

MEND_SECONDS = 0.5
"""From an exception to looking over what it may have left half done."""

TRIES = 4
"""How often the callback of one deadline is called that fails each time."""


MANY = (signal.SIGCHLD,)
"""What waits while signals are handled: of two hundred programs told to stop each would interrupt the telling."""

COLLECTOR = (700, 10, 10)
"""The garbage collector's thresholds while serving, Python's own defaults; initd.__main__ puts it off at the start."""


class Loop:
    """See the module's docstring.  `complain(text)` receives the one-line account of each caught exception."""

    def __init__(self, complain: Callable[[str], None] | None = None) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Callable[[int], object]] = {}
        self._fresh: set[int] = set()
        """Descriptors watched since the last wait."""
        self._faults: dict[int, int] = {}
        self._timers = Timers()
        self._complain = complain
        self._code: int | None = None
        self._noted: set[int] = set()
        self._signal_callback: Callable[[int], object] | None = None
        self._wake_r, self._wake_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wake_bytes = fcntl.fcntl(self._wake_w, fcntl.F_GETPIPE_SZ)
        self._epoll.register(self._wake_r, select.EPOLLIN)
        self.in_passing: Callable[[float], object] | None = None
        """Called with the time at the end of each pass: for what shall happen often but wake nobody."""
        self.longest = 0.0
        """Seconds of the longest pass so far: for that long nothing else was served."""
        self.caught = 0
        """Exceptions caught so far."""
        self.menders: list[Callable[[], object]] = []
        """Called some time after an exception was caught; see the module's docstring."""
        self._mend_at: float | None = None
        self._failed: list[tuple[Callable[[], object], int]] = []
        """Callbacks of deadlines that failed, and how often."""

    def now(self) -> float:
        """Seconds of CLOCK_MONOTONIC, the clock of every deadline."""
        return time.monotonic()

    # Descriptors

    def watch(self, fd: int, mask: int, callback: Callable[[int], object]) -> None:
        """Call `callback(mask)` whenever `fd` is ready; EPOLLHUP and EPOLLERR always arrive.  Raises OSError."""
        self._epoll.register(fd, mask)
        self._watched[fd] = callback
        self._fresh.add(fd)
        self._faults.pop(fd, None)

    def modify(self, fd: int, mask: int) -> None:
        """Change what `fd` is watched for.  Raises OSError."""
        self._epoll.modify(fd, mask)

    def forget(self, fd: int) -> None:
        """Stop watching `fd`; harmless if it is not watched.  Call it before closing the descriptor."""
        if self._watched.pop(fd, None) is not None:
            self._faults.pop(fd, None)
            try:
                self._epoll.unregister(fd)
            except OSError:
                pass  # closed already: epoll forgot it by itself

    def is_watched(self, fd: int) -> bool:
        """Whether `fd` is in the set."""
        return fd in self._watched

    # Deadlines

    def at(self, deadline: float, callback: Callable[[], object]) -> Timer:
        """Call `callback()` at `deadline` (a value of `now()`), at most a millisecond late on an idle machine."""
        return self._timers.at(deadline, callback)

    # Signals

    def listen(self, signals: tuple[int, ...], callback: Callable[[int], object]) -> None:
        """Have `callback(signum)` called from the loop for each of these signals that arrives."""
        self._signal_callback = callback
        signal.set_wakeup_fd(self._wake_w, warn_on_full_buffer=False)
        for signum in signals:
            signal.signal(signum, lambda number, _frame: self._noted.add(number))

    # Running

    def run(self) -> int:
        """Serve until `stop`; returns the code given to it."""
        gc.freeze()  # what is there now stays for good: no collection need look at it
        gc.set_threshold(*COLLECTOR)
        while self._code is None:
            try:
                self._turn()
                self._call("passing", self.in_passing, self.now())
                self._mend()
            except Exception as error:
                self._caught("loop", error)
        return self._code

    def stop(self, code: int) -> None:
        """Let `run` return `code` after the present pass; the first call counts."""
        if self._code is None:
            self._code = code

    def _turn(self) -> None:
        self._fresh.clear()
        try:
            ready = self._epoll.poll(self._patience())
        except (OSError, MemoryError) as error:
            self._caught("waiting", error)
            ready = []
        woke = self.now()
        # Signals first: a death known now saves its handlers from writing to a process that is gone.  One that arrives
        # meanwhile does not wait for the next pass either: a dying program's pipes end just before its SIGCHLD comes.
        if self._noted or any(fd == self._wake_r for fd, _ in ready):
            self._take_signals()
        for fd, mask in ready:
            if self._code is not None:
                return
            self._serve(fd, mask)
            if self._noted:
                self._take_signals()
        self._fire()
        self.longest = max(self.longest, self.now() - woke)

    def _patience(self) -> float:
        deadline = self._timers.next()
        if self._mend_at is not None and (deadline is None or self._mend_at < deadline):
            deadline = self._mend_at
        return -1 if deadline is None else max(0.0, deadline - self.now())

    def _take_signals(self) -> None:
        noted, self._noted = self._noted, set()
        try:
            arrived = os.read(self._wake_r, self._wake_bytes)
        except (BlockingIOError, MemoryError):
            arrived = b""
        numbers = _in_order(arrived, noted if len(arrived) >= self._wake_bytes else set())
        signal.pthread_sigmask(signal.SIG_BLOCK, MANY)
        try:
            for number in numbers:
                self._call("signal", self._signal_callback, number)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, MANY)

    def _serve(self, fd: int, mask: int) -> None:
        callback = self._watched.get(fd)  # an earlier callback of this pass may have forgotten it
        if callback is None or fd in self._fresh:
            return
        if self._call(f"descriptor {fd}", callback, mask):
            self._faults.pop(fd, None)
            return
        self._faults[fd] = self._faults.get(fd, 0) + 1
        if self._faults[fd] >= FAULTS:
            self.forget(fd)
            self._report(f"descriptor {fd} is no longer watched after {FAULTS} failures in a row")

    def _fire(self) -> None:
        # Only what is due now: a callback that sets a new timer for "now" must not starve the descriptors.
        now = self.now()
        callback = self._timers.pop_due(now)
        while callback is not None:
            self._try(callback, 1)
            callback = self._timers.pop_due(now) if self._code is None else None

    def _call(self, where: str, callback: Callable[..., object] | None, *arguments: object) -> bool:
        if callback is None:
            return True
        try:
            callback(*arguments)
            return True
        except Exception as error:
            self._caught(where, error)
            return False

    def _mend(self) -> None:
        """Look over what an exception may have left half done, when its time has come."""
        if self._mend_at is None or self.now() < self._mend_at:
            return
        self._mend_at = None
        for mender in self.menders:
            self._call("mending", mender)
        failed, self._failed = self._failed, []
        for callback, tries in failed:
            self._try(callback, tries + 1)

    def _try(self, callback: Callable[[], object], tries: int) -> None:
        if not self._call("timer", callback) and tries < TRIES:
            self._failed.append((callback, tries))

    def shake(self) -> None:
        """Say that something failed which only menders can put right; `_caught` does so by itself."""
        if self._mend_at is None:
            self._mend_at = self.now() + MEND_SECONDS

    def _caught(self, where: str, error: BaseException) -> None:
        self.caught += 1
        self.shake()
        self._report(f"caught in {where}: {type(error).__name__}: {error}{_place(error)}")

    def _report(self, text: str) -> None:
        if self._complain is not None:
            try:
                self._complain(text)
            except Exception:
                self.caught += 1

    def close(self) -> None:
        """Give the descriptors back; for tests, since PID 1 never closes its loop."""
        signal.set_wakeup_fd(-1)
        self._epoll.close()
        for fd in (self._wake_r, self._wake_w):
            os.close(fd)


def _in_order(arrived: bytes, noted: set[int]) -> list[int]:
    """Signals to deliver: SIGCHLD first and once however often it came, the others by order and number."""
    numbers = [number for number in arrived if number != signal.SIGCHLD]
    numbers += sorted(noted.difference(numbers, (signal.SIGCHLD,)))
    if signal.SIGCHLD in arrived or signal.SIGCHLD in noted:
        numbers.insert(0, signal.SIGCHLD)
    return numbers


def _place(error: BaseException) -> str:
    """` (file.py:12)` of the innermost frame, without importing traceback."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"


def is_passing(error: OSError) -> bool:
    """True for shortages that may pass: retry later rather than give up."""
    return error.errno in (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EINTR)
