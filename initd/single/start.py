"""Starts the one command exactly as we were started ourselves, in a session or group of its own.

Theory.  The command is to see the signals blocked and ignored that our caller gave us, no more and no less.  That rules
out posix_spawn(3), which in glibc ignores the two signals that the C library keeps for itself (32 and 33) in the child;
so we fork.  All signals are blocked around it.  The child reports an errno through a close-on-exec pipe; end of file
without a word means that execve succeeded.

A terminal is the controlling one of a single session (tty_ioctl(4)).  Before the command gets a session of its own we
let go of it: where we lead its session, the kernel sends SIGHUP and SIGCONT to our group for that, ourselves included,
and the child can take it up.  Where our session is led by somebody else, a shell say, the child's attempt fails, and it
runs without a controlling terminal.
"""

from __future__ import annotations

import os

from initd.errors import StartFailed
from initd.native import signal
from initd.single.manner import SESSION, SHARED
from initd.spawn import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def let_go_of_terminal() -> bool:
    """Give up our controlling terminal; True where the kernel now sends us SIGHUP and SIGCONT for it."""
    import fcntl
    import termios

    try:
        fcntl.ioctl(0, termios.TIOCNOTTY)
    except OSError:
        return False  # we have none
    return os.getsid(0) == os.getpid()


def start(
    argv: tuple[str, ...], place: str, terminal: int | None, defaults: tuple[int, ...], mask: tuple[int, ...]
) -> int:
    """Start it; returns the pid once its execve has succeeded.  We are in / then.  Raises StartFailed, OSError."""
    path = find(argv[0], os.environ.get("PATH"))
    reports, reporter = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
    except OSError as error:
        raise StartFailed("fork", error.errno) from error
    if pid == 0:
        _become(path, argv, place, terminal, defaults, mask, reporter)
    os.chdir("/")  # what the command's directory is mounted on can be released when the command leaves it
    os.close(reporter)
    report = os.read(reports, 16)
    os.close(reports)
    if report:
        os.waitpid(pid, 0)
        raise StartFailed("exec", int(report), path)
    return pid


def _become(
    path: str, argv: tuple[str, ...], place: str, terminal: int | None, defaults: tuple[int, ...],
    mask: tuple[int, ...], reporter: int,
) -> NoReturn:  # fmt: skip
    """The child's side: never returns."""
    try:
        _take_place(place, terminal)
        signal.set_wakeup_fd(-1)
        for number in defaults:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execve(path, argv, os.environ)
    except OSError as error:
        os.write(reporter, b"%d" % (error.errno or 0))
    finally:
        os._exit(127)


def _take_place(place: str, terminal: int | None) -> None:
    if place == SESSION:
        os.setsid()
        _take_terminal()
    elif place != SHARED:
        os.setpgid(0, 0)
        if terminal is not None:
            os.tcsetpgrp(terminal, os.getpgrp())  # SIGTTOU is blocked here, so a background group may do this


def _take_terminal() -> None:
    import fcntl
    import termios

    try:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    except OSError:
        pass  # no terminal, or another session's
