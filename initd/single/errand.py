"""Single-command mode: a proper init around one program, and nothing else.

Theory.  The command gets what we got: descriptors, environment, directory, signal mask, and whatever signals the
caller ignores.  It leads a process group of its own, in the foreground where we were in the foreground of a terminal,
so ctrl-C reaches it and not us.  Every signal that can be caught is passed on to it, except SIGCHLD; one that was
ignored when we started stays ignored for both (nohup).  Orphans are reaped for as long as it runs.  Then, as PID 1,
what it left behind gets a second to end before the kernel kills the namespace, and we leave with its status.

Job control.  A shell that started us knows our group only.  ctrl-Z stops the command's group, so we stop ourselves as
soon as we hear of it, and the shell notices; SIGCONT wakes us, we hand the terminal over again and wake the command's
group.  SIGTSTP, SIGTTIN and SIGTTOU that somebody sends to us are passed on and end in the same way.  PID 1 cannot be
stopped, and nobody would wake the command: ctrl-Z has no effect there.

Handlers for SIGTTOU make writing to a terminal dangerous: in the background the kernel would send it again and again.
So it is blocked while we write to the terminal or give it away; then the kernel lets us.
"""

from __future__ import annotations

import os
import sys

from initd import prepare, reaper, sweep
from initd.errors import FAILED, StartFailed, SystemFault
from initd.loop import Loop
from initd.native import signal
from initd.say import Voice
from initd.signals import JOB_CONTROL, PYTHON_IGNORES, forwardable, name_of, unblock_all
from initd.single import start
from initd.single.manner import GROUP, SESSION, SHARED, Manner, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NOT_FOUND, BY_SIGNAL = 2, 128
"""ENOENT; and what a shell adds to the number of the signal that ended a command."""

SWEEP_SECONDS, LOOK_SECONDS = 1.0, 0.05
"""How long what the command left behind may take to end, and how often we look."""


def carry_out(read: Callable[[], Manner]) -> int:
    """Run the command that `read` finds on a command line, or say what it says; returns the exit status."""
    try:
        return run(read())
    except Said as said:
        stream = sys.stderr if said.status else sys.stdout
        if stream is not None:  # else the caller has closed it
            stream.write(said.text)
        return said.status


def run(manner: Manner) -> int:
    """Run one command to its end; returns the status to leave with."""
    prepare.secure_standard_streams()
    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    voice = Voice(level=manner.level, prefix=manner.prefix)
    loop = Loop(voice.error)
    # Before the handlers are in place nothing may be lost: what arrives meanwhile stays pending.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    _take_role(manner, voice)
    try:
        return Errand(loop, voice, manner, tuple(inherited)).run()
    except StartFailed as error:
        voice.error(str(error).removeprefix("exec: "))
        return manner.not_found if error.errno == NOT_FOUND else manner.cannot_run
    except OSError as error:
        voice.error(str(error))
        return FAILED


def _take_role(manner: Manner, voice: Voice) -> None:
    """Become what the manner asks for; what the kernel refuses is said, and no more."""
    try:
        if manner.parent_death is not None:
            prepare.die_with_parent(manner.parent_death)
        if os.getpid() == 1:
            return
        if warning := prepare.neighbours():
            voice.say(warning, "warn")
        if manner.subreaper:
            prepare.become_subreaper()
        elif manner.unadopted and not prepare.is_subreaper():
            voice.say(manner.unadopted, "warn")
    except SystemFault as fault:
        voice.say(f"the kernel refuses -p, or a subreaper's role: {fault}", "warn")


class Errand:
    """One command under way.  Raises StartFailed where it cannot be started."""

    def __init__(self, loop: Loop, voice: Voice, manner: Manner, inherited: tuple[int, ...]) -> None:
        self._loop = loop
        self._voice = voice
        self._manner = manner
        self._status = FAILED
        self._unheeded: set[int] = set()
        """Signals of which the next one is not passed on: it was caused by ourselves."""
        self._terminal = _terminal() if manner.place == GROUP else None
        heard = (*forwardable(), *JOB_CONTROL)
        self._heard = tuple(number for number in heard if not _is_ignored(number))
        loop.listen((signal.SIGCHLD, *self._heard), self.on_signal)
        self.pid = 0
        for _ in reaper.collect():
            pass  # what the launcher left is nobody's orphan
        self.pid = self._start(inherited)
        self._say(f"Child spawned with PID {self.pid}.", "info")
        unblock_all()

    def _start(self, inherited: tuple[int, ...]) -> int:
        if self._manner.place == SESSION and start.let_go_of_terminal():
            self._unheeded.update((signal.SIGHUP, signal.SIGCONT))
        defaults = (*PYTHON_IGNORES, signal.SIGCHLD, *self._heard)
        terminal = self._terminal if _is_ours(self._terminal) else None
        return start.start(self._manner.argv, self._manner.place, terminal, defaults, inherited)

    def run(self) -> int:
        """Serve until the command has ended; returns its status."""
        self._reap()  # what the launcher left may have died before anybody listened to SIGCHLD
        return self._loop.run()

    # Signals

    def on_signal(self, signum: int) -> None:
        """Reap, swallow, or pass on."""
        if signum == signal.SIGCHLD:
            self._reap()
            self._notice_stop()
        elif signum in self._unheeded:
            self._unheeded.discard(signum)
            self._say(f"Ignoring tty hand-off signal {signum}.", "debug")
        else:
            self._pass_on(signum)
            if signum in JOB_CONTROL and self._manner.halts_at_once:
                self._halt()

    def _pass_on(self, signum: int) -> None:
        sent = self._manner.rewrites.get(signum, signum)
        if not self.pid or not sent:
            return
        try:
            os.kill(-self.pid if self._manner.to_group else self.pid, sent)
            self._say(f"Forwarded signal {sent} to children.", "debug")
        except ProcessLookupError:
            pass  # it has ended, and its death is the next thing we hear of
        except OSError as error:
            self._say(f"cannot pass on {name_of(sent)}: {error.strerror}", "error")

    def _notice_stop(self) -> None:
        """Follow the command into a stop that a terminal caused."""
        try:
            found = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG) if self.pid else None
        except ChildProcessError:
            return
        if found is None or found.si_status not in JOB_CONTROL:
            return
        if os.getpid() != 1:
            self._halt()
        elif self._terminal is not None and found.si_status == signal.SIGTSTP:
            self._wake()

    def _halt(self) -> None:
        """Be stopped, until somebody sends SIGCONT; then wake the command."""
        if os.getpid() == 1:
            return  # the kernel does not stop it
        if signal.SIGCONT in self._heard:
            self._unheeded.add(signal.SIGCONT)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._give_terminal(os.getpgrp(), self.pid)
        self._wake()

    def _wake(self) -> None:
        """The whole of what ctrl-Z has stopped."""
        try:
            os.kill(self.pid if self._manner.place == SHARED else -self.pid, signal.SIGCONT)
        except OSError:
            pass  # it has ended meanwhile

    def _give_terminal(self, owner: int, heir: int) -> None:
        """Move the terminal's foreground from one group to another, if it is where we believe it to be."""
        if self._terminal is None:
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTOU,))
        try:
            if os.tcgetpgrp(self._terminal) == owner:
                os.tcsetpgrp(self._terminal, heir)
        except OSError:
            pass  # the terminal is gone, or the group is
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _say(self, text: str, level: str) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTOU,))
        self._voice.say(text, level)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    # The end

    def _reap(self) -> None:
        for batch in reaper.collect():
            for death in batch:
                if death.pid == self.pid:
                    self._end(death)
                elif self._manner.tells_reaps:
                    self._say(f"Reaped zombie process with pid={death.pid}", "warn")

    def _end(self, death: reaper.Death) -> None:
        status = death.code if death.code is not None else BY_SIGNAL + (death.signal or 0)
        self._say(f"A child with PID {self.pid} exited with exit status {status}.", "info")
        self._status = 0 if status in self._manner.pardoned else status
        if self._manner.place == SESSION:
            self._pass_on(signal.SIGTERM)
        self._give_terminal(self.pid, os.getpgrp())
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
    return number not in PYTHON_IGNORES and signal.getsignal(number) == signal.SIG_IGN


def _terminal() -> int | None:
    """stdin, where it is our controlling terminal."""
    try:
        os.tcgetpgrp(0)  # 0 where the foreground group is outside of our PID namespace
        return 0
    except OSError:
        return None


def _is_ours(terminal: int | None) -> bool:
    """Whether our group is in its foreground."""
    return terminal is not None and os.tcgetpgrp(terminal) == os.getpgrp()
