"""Everything between "start this" and the program's first instruction.

Theory.  Two ways to make a process, chosen by what it needs:

* posix_spawn(3): the kernel lends our memory to the child until its execve (vfork), no page tables are copied, and
  errno comes back directly.  It cannot change directory or umask, but we are one thread, so PID 1 changes its own for
  the length of the call and changes back.  Less than half the cost of fork in an interpreter of 15 MB.
* fork(2), for programs that run as another user, have limits or take over a terminal.  All signals are blocked around
  it, so that none meets our handlers in the child (it would write into our own wake-up pipe).  The child reports what
  failed through a close-on-exec pipe, one line each; end of file without a failure means that execve succeeded.

(_posixsubprocess.fork_exec was measured too: with a user it forks like os.fork and costs the same, it is private and
changes between versions, and it names no step.  So it is not used.)

Either way the parent waits for the execve, so an error is known before anything else happens, and every child begins
with: a process group of its own, standard descriptors as ordered and no others (ours are all close-on-exec), default
dispositions for what initd handles or Python ignores, an empty signal mask.  Order in the child as supervisord has it:
group, descriptors, user, directory, umask, execve; limits are set around the change of user (initd.limits.child), which
this module knows as two steps of the order's `confine` and nothing more.
"""

from __future__ import annotations

import errno
import fcntl
import os

from initd.errors import StartFailed
from initd.native import signal
from initd.signals import DAEMON, PYTHON_IGNORES
from initd.users import Identity, identity_of
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn, Protocol

    Tell = Callable[[str, OSError], None]
    """(option, why) of a limit that could not be set: notes it, or raises it where limits are strict."""

    class Confinement(Protocol):
        """What a process does to itself in the child of a fork, before and after it becomes its user."""

        @property
        def strict(self) -> bool: ...
        @property
        def counter(self) -> str: ...
        def identity(self, user: Identity | None) -> Identity | None: ...
        def before(self, identity: Identity | None, tell: Tell) -> object: ...
        def after(self, tell: Tell) -> object: ...


DEFAULT_PATH = "/bin:/usr/bin:/usr/local/bin"
"""Where commands are searched if there is no PATH at all; supervisord's list (options.py, get_path)."""

SHORTAGES = (errno.EAGAIN, errno.ENOMEM)
"""What posix_spawn says when it is the fork that failed."""


class Order(Record):
    """A process to start.  Descriptors are ours and stay open; None for `mask` is an empty one."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    stdin: int
    stdout: int
    stderr: int
    directory: str | None = None
    umask: int | None = None
    user: str | None = None
    defaults: tuple[int, ...] = (*DAEMON, *PYTHON_IGNORES)
    mask: tuple[int, ...] = ()
    extra: tuple[tuple[int, int], ...] = ()
    """Further descriptors, as pairs (ours, the number it has there: 3 or more)."""
    terminal: int | None = None
    """A terminal whose foreground the new group becomes."""
    group: bool = True
    """Whether it leads a process group of its own."""
    confine: Confinement | None = None
    """Its limits."""
    tell: Callable[[str], object] | None = None
    """Hears of each limit that could not be set, in words."""


def spawn(order: Order) -> int:
    """Start it; returns the pid once its execve has succeeded.  Raises StartFailed."""
    if not order.argv:
        raise StartFailed("command", None, "the command is empty")
    path = find(order.argv[0], order.environ.get("PATH"))
    identity = resolve(order.user) if order.user else None
    if order.confine is not None:
        identity = order.confine.identity(identity)
    pairs, lifted = [(order.stdin, 0), (order.stdout, 1), (order.stderr, 2), *order.extra], list[int]()
    if order.extra or order.stdin < 3 or order.stdout < 3 or order.stderr < 3:
        pairs, lifted = _keep_apart(pairs)
    try:
        if identity is None and order.terminal is None and order.confine is None:
            return _spawn_lightly(path, order, pairs)
        return _spawn_by_fork(path, order, identity, pairs)
    except ValueError as error:  # a NUL byte in an argument or variable
        raise StartFailed("command", errno.EINVAL, str(error)) from error
    finally:
        for fd in lifted:
            os.close(fd)


def _keep_apart(pairs: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[int]]:
    """Pairs in whose order no descriptor is overwritten before its turn, and the copies made for that."""
    top = max(max(pair) for pair in pairs)
    found: dict[int, int] = {}
    lifted = []
    for source, target in pairs:
        if found.get(source, source) != source:
            try:
                source = fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, top + 1)
            except OSError as error:
                raise StartFailed("descriptors", error.errno) from error
            lifted.append(source)
        found[target] = source
    return [(source, target) for target, source in found.items()], lifted


def find(command: str, path: str | None) -> str:
    """The file of a command: as it is if it has a slash, else the first of that name along `path`.

    As with supervisord the first *existing* file counts, executable or not; where there is none, execve will say so.
    """
    if "/" in command:
        return command
    for directory in (DEFAULT_PATH if path is None else path).split(":"):
        candidate = os.path.join(directory or ".", command)
        if os.path.exists(candidate):
            return candidate
    raise StartFailed("exec", errno.ENOENT, f"no file {command!r} in PATH")


def resolve(user: str) -> Identity | None:
    """The identity of a user by name or number, None if we are it already.  Raises StartFailed."""
    identity = identity_of(user)
    if identity is None:
        raise StartFailed("user", None, f"no user {user!r}")
    if os.geteuid() != 0:
        if identity.uid == os.getuid():
            return None
        raise StartFailed("user", errno.EPERM, f"only root can become {user!r}")
    return identity


# posix_spawn


def _spawn_lightly(path: str, order: Order, pairs: list[tuple[int, int]]) -> int:
    group: dict[str, Any] = {"setpgroup": 0} if order.group else {}
    here = _enter(order.directory)
    umask = os.umask(order.umask) if order.umask is not None else None
    try:
        return os.posix_spawn(
            path,
            order.argv,
            order.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, source, target) for source, target in pairs],
            setsigmask=order.mask,
            setsigdef=order.defaults,
            **group,
        )
    except OSError as error:
        step = "fork" if error.errno in SHORTAGES else "exec"
        raise StartFailed(step, error.errno, _about(path, error.errno) if step == "exec" else "") from error
    finally:
        if umask is not None:
            os.umask(umask)
        if here is not None:
            os.fchdir(here)
            os.close(here)


def _enter(directory: str | None) -> int | None:
    """Change to `directory`; a descriptor of where we were, to go back to.  Raises StartFailed."""
    if directory is None:
        return None
    try:
        here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StartFailed("pipe", error.errno, "a descriptor to return from the directory") from error
    try:
        os.chdir(directory)
    except (OSError, ValueError) as error:
        os.close(here)
        raise StartFailed("chdir", getattr(error, "errno", errno.EINVAL), directory) from error
    return here


def _about(path: str, number: int | None) -> str:
    """What helps a person with an exec error, beside its text."""
    if number == errno.ENOENT and os.path.exists(path):
        return f"{path} (it exists: its interpreter or loader does not)"
    if number == errno.ENOEXEC:
        return f"{path} (a script needs a #! line)"
    return path


# fork

FAILED, WARNED = "!", "~"
"""How a line of the child's report begins; step or option, errno and detail follow, with blanks between."""


def _spawn_by_fork(path: str, order: Order, identity: Identity | None, pairs: list[tuple[int, int]]) -> int:
    try:
        reports, reporter = os.pipe2(os.O_CLOEXEC)
    except OSError as error:
        raise StartFailed("pipe", error.errno) from error
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        low, reporter = reporter, _above(pairs, reporter)
        if low != reporter:
            os.close(low)
        pid = os.fork()
        if pid == 0:
            _become(path, order, identity, pairs, reporter)
    except OSError as error:
        os.close(reports)
        raise StartFailed("fork", error.errno) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(reporter)
    return _wait_for_exec(pid, path, order, reports)


def _above(pairs: list[tuple[int, int]], fd: int) -> int:
    """A descriptor that none of the child's own takes the place of.  Raises OSError."""
    top = max(target for _, target in pairs)
    return fd if fd > top else fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, top + 1)


def _wait_for_exec(pid: int, path: str, order: Order, reports: int) -> int:
    report = b""
    try:
        while chunk := os.read(reports, 4096):
            report += chunk
    finally:
        os.close(reports)
    failure = None
    for line in report.decode("utf-8", "replace").splitlines():
        step, number, detail = line[1:].split(" ", 2)
        if line.startswith(FAILED):
            failure = StartFailed(step, int(number), detail or _detail(step, path, order, int(number)))
        elif order.tell is not None:
            order.tell(f"{step}: {detail}{': ' if detail else ''}{os.strerror(int(number))}")
    if failure is not None:
        os.waitpid(pid, 0)  # it is on its way out, and ours alone to reap: nobody was told its pid
        raise failure
    return pid


def _detail(step: str, path: str, order: Order, number: int) -> str:
    return {"exec": _about(path, number), "chdir": order.directory or "", "user": order.user or ""}.get(step, "")


def _become(
    path: str, order: Order, identity: Identity | None, pairs: list[tuple[int, int]], reporter: int
) -> NoReturn:
    """The child's side of a fork: never returns, never runs anything of the parent's."""
    confine = order.confine
    tell = _teller(reporter, confine is not None and confine.strict)
    step = ""
    try:
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("descriptors", lambda: _take_place(order, pairs)),
            ("limits", lambda: confine is None or confine.before(identity, tell)),
            ("user", lambda: identity is None or _take_identity(identity)),
            ("limits", lambda: confine is None or confine.after(tell)),
            ("chdir", lambda: _take_directory(order)),
            ("exec", lambda: _take_over(path, order)),
        )
        for name, take in steps:
            step = name
            take()
    except Refused as refused:
        _report(reporter, FAILED, step, refused, ": ".join(filter(None, (refused.strerror, refused.filename))))
    except BaseException as error:
        _report(reporter, FAILED, step, error)
    finally:
        os._exit(127)  # whatever happened, also where there is no memory left to report it


def _teller(reporter: int, strict: bool) -> Tell:
    def tell(option: str, error: OSError) -> None:
        if strict:
            raise Refused(error.errno, option, error.filename)
        _report(reporter, WARNED, option, error, error.filename or "")

    return tell


def _report(reporter: int, kind: str, what: str, error: BaseException, detail: str = "") -> None:
    number = getattr(error, "errno", None) or errno.EINVAL
    os.write(reporter, f"{kind}{what} {number} {detail}\n".encode("utf-8", "replace"))


class Refused(OSError):
    """A limit that may not be missing: errno, option, detail."""


def _take_place(order: Order, pairs: list[tuple[int, int]]) -> None:
    if order.group:
        os.setpgid(0, 0)
    if order.terminal is not None:
        os.tcsetpgrp(order.terminal, os.getpgrp())  # SIGTTOU is blocked here, so a background group may do this
    for source, target in pairs:
        os.dup2(source, target, inheritable=True)


def _take_identity(identity: Identity) -> object:
    os.setgroups(identity.groups)
    os.setgid(identity.gid)
    os.setuid(identity.uid)
    return identity


def _take_directory(order: Order) -> None:
    if order.directory is not None:
        os.chdir(order.directory)
    if order.umask is not None:
        os.umask(order.umask)


def _take_over(path: str, order: Order) -> None:
    signal.set_wakeup_fd(-1)
    for number in order.defaults:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, order.mask)
    os.execve(path, order.argv, order.environ)
