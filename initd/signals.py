"""Which signals mean what to PID 1, and with which dispositions its children begin.

Theory.  The kernel drops every signal to PID 1 of a namespace that has no handler there (pid_namespaces(7)), so each
signal that is to mean something gets a handler, SIGTERM above all.  execve(2) resets caught signals to their default,
but *ignored* ones stay ignored: Python ignores SIGPIPE and SIGXFSZ, and a child that inherits that behaves differently
from one started by a shell.  So these and all we handle are set to their default in each child, with an empty mask;
what the runtime itself made us ignore beyond these is passed on as it came.
"""

from __future__ import annotations

from initd.native import signal

SHUTDOWN = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""Stop everything and leave; the second one means: without grace."""

HALT = signal.SIGRTMIN + 3
"""systemd's and podman's way to ask an init to power off; treated as SIGTERM."""

RELOAD = signal.SIGHUP
"""Stop all programs, read the configuration again, start them; ignored during a shutdown."""

REOPEN = signal.SIGUSR2
"""Open the log files anew, after they were moved by a rotation tool."""

SIGCHLD = signal.SIGCHLD

DAEMON = (SIGCHLD, *SHUTDOWN, HALT, RELOAD, REOPEN)
"""What the daemon listens to."""

PYTHON_IGNORES = (signal.SIGPIPE, signal.SIGXFSZ)
"""What the interpreter ignores at its start, for its own sake only."""

JOB_CONTROL = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""What a terminal sends to stop a background group; PID 1 may not be stopped by it."""

UNCATCHABLE = (signal.SIGKILL, signal.SIGSTOP)

NAMES: dict[int, str] = {
    getattr(signal, name): name for name in sorted(dir(signal), reverse=True) if name[:3] == "SIG" and name[3] != "_"
}
"""Number to name; of two names the first in the alphabet, as signal.Signals has it."""


def forwardable() -> tuple[int, ...]:
    """Every signal that single-command mode passes on: all that can be caught, but SIGCHLD and those of job control.

    Faults (SIGSEGV and the like) are passed on too: one that arrives from outside was meant for the program.
    """
    kept = (*UNCATCHABLE, *JOB_CONTROL, signal.SIGCHLD)
    return tuple(sorted(number for number in signal.valid_signals() if number not in kept))


def unblock_all() -> None:
    """Accept every signal, whatever mask the runtime left us."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def name_of(number: int) -> str:
    """`SIGTERM`, `SIGRTMIN+3`, or `signal 99`."""
    if number in NAMES:
        return NAMES[number]
    if signal.SIGRTMIN < number < signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    return f"signal {number}"
