"""Single-command mode, `initd -- COMMAND`: a proper init around one program, and nothing else.

Theory.  The command gets what we got: descriptors, environment, directory, signal mask, and whatever signals the
caller ignores.  It leads a process group of its own, in the foreground where we were in the foreground of a terminal,
so ctrl-C reaches it and not us.  Every signal that can be caught is passed on to it, except SIGCHLD and those of job
control; one that was ignored when we started stays ignored for both (nohup).  Orphans are reaped for as long as it
runs.  Then, as PID 1, what it left behind gets a second to end before the kernel kills the namespace, and we leave with
its status.
"""

from __future__ import annotations

import os
import signal
import sys

from initd import prepare, reaper, sweep
from initd.errors import FAILED, StartFailed, SystemFault
from initd.loop import Loop
from initd.say import Voice
from initd.signals import JOB_CONTROL, PYTHON_IGNORES, forwardable, unblock_all
from initd.spawn import Order, spawn

CANNOT_RUN, NOT_FOUND, BY_SIGNAL = 126, 127, 128
"""Statuses of a shell for a command that is no program, is not there, or was ended by signal n (128 + n)."""

SWEEP_SECONDS, LOOK_SECONDS = 1.0, 0.05
"""How long what the command left behind may take to end, and how often we look."""


def run(argv: list[str]) -> int:
    """Run one command to its end; returns the status to leave with."""
    prepare.secure_standard_streams()
    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    voice = Voice()
    if os.getpid() != 1:
        try:
            prepare.become_subreaper()
        except SystemFault as fault:
            voice.say(f"not PID 1, and orphans go to another process: {fault}", "warn")
    loop = Loop(voice.error)
    # Before the handlers are in place nothing may be lost: what arrives meanwhile stays pending.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        return Errand(loop, voice, argv, tuple(inherited)).run()
    except StartFailed as error:
        voice.error(str(error))
        return NOT_FOUND if error.errno == 2 else CANNOT_RUN
    except OSError as error:
        voice.error(str(error))
        return FAILED


class Errand:
    """One command under way.  Raises StartFailed where it cannot be started."""

    def __init__(self, loop: Loop, voice: Voice, argv: list[str], inherited: tuple[int, ...]) -> None:
        self._loop = loop
        self._voice = voice
        terminal = _terminal()
        passed = tuple(number for number in forwardable() if not _is_ignored(number))
        deaf = tuple(number for number in JOB_CONTROL if signal.getsignal(number) is not signal.SIG_IGN)
        for number in deaf:
            signal.signal(number, signal.SIG_IGN)
        loop.listen((signal.SIGCHLD, *passed), self.on_signal)
        self.pid = spawn(
            Order(
                argv=tuple(argv),
                environ=os.environ,
                stdin=0,
                stdout=1,
                stderr=2,
                defaults=(*PYTHON_IGNORES, *deaf, signal.SIGCHLD, *passed),
                mask=inherited,
                terminal=terminal,
            )
        )
        os.chdir("/")  # what the command's directory is mounted on can be released when the command leaves it
        unblock_all()
        self._status = FAILED

    def run(self) -> int:
        """Serve until the command has ended; returns its status."""
        self._reap()  # what the launcher left may have died before anybody listened to SIGCHLD
        return self._loop.run()

    def on_signal(self, signum: int) -> None:
        """Reap, or pass it on."""
        if signum == signal.SIGCHLD:
            self._reap()
            return
        if not self.pid:
            return
        try:
            os.kill(self.pid, signum)
        except ProcessLookupError:
            pass  # it has ended, and its death is the next thing we hear of
        except OSError as error:
            self._voice.error(f"cannot pass on signal {signum}: {error.strerror}")

    def _reap(self) -> None:
        for batch in reaper.collect():
            for death in batch:
                if death.pid == self.pid:
                    self._end(death)

    def _end(self, death: reaper.Death) -> None:
        self._status = death.code if death.code is not None else BY_SIGNAL + (death.signal or 0)
        self.pid = 0
        self._sweep(self._loop.now() + SWEEP_SECONDS, first=True)

    def _sweep(self, deadline: float, first: bool = False) -> None:
        found = sweep.leftovers(1) if os.getpid() == 1 else []
        now = self._loop.now()
        if not found or now >= deadline:
            self._loop.stop(self._status)
            return
        if first:
            sweep.signal_all(1, signal.SIGTERM, found)
            sweep.signal_all(1, signal.SIGCONT, found)
        self._loop.at(now + LOOK_SECONDS, lambda: self._sweep(deadline))


def _is_ignored(number: int) -> bool:
    """Whether our caller ignores it, as far as one can tell: what Python itself ignores counts as not ignored."""
    return number not in PYTHON_IGNORES and signal.getsignal(number) is signal.SIG_IGN


def _terminal() -> int | None:
    """The controlling terminal on stdin, where our group is in its foreground."""
    try:
        return 0 if sys.stdin is not None and os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp() else None
    except OSError:
        return None
