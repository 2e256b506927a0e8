"""What initd does to itself before the first program starts: descriptors, signals, limits, user, role.

Theory.  PID 1 takes over whatever the runtime gave it.  Inherited descriptors beyond 2 become close-on-exec, so that
no program gets them; where 0, 1 or 2 is missing, /dev/null takes its place, so that no pipe of ours lands there.  A
process that is not PID 1 becomes a *subreaper* (prctl(2)), or orphans would go to somebody else; the standard library
has no prctl, so ctypes is imported in that case only (4 ms, measured), never in a container's PID 1.
"""

from __future__ import annotations

import os

from initd.errors import OperatorError, SystemFault
from initd.signals import unblock_all
from initd.users import identity_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Daemon

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 1, 36, 37


def take_over() -> None:
    """Make sure of descriptors and signal mask."""
    secure_standard_streams()
    close_on_exec()
    unblock_all()


def secure_standard_streams() -> None:
    """Put /dev/null where 0, 1 or 2 is closed."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            _fill(fd)


def _fill(fd: int) -> None:
    try:
        opened = os.open("/dev/null", os.O_RDWR)  # the lowest free number, which is this one
        if opened != fd:
            os.dup2(opened, fd)
            os.close(opened)
    except OSError:
        pass  # no /dev/null: nothing better to offer


def close_on_exec() -> None:
    """Keep what the runtime left open beyond 2 from every program."""
    try:
        inherited = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        inherited = list(range(3, 256))
    for fd in inherited:
        if fd > 2:
            try:
                os.set_inheritable(fd, False)
            except OSError:
                pass  # the directory's own descriptor, closed since


def descriptors() -> int | None:
    """How many this process has open, None where /proc is not."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # the directory's own
    except OSError:
        return None


def become_subreaper() -> None:
    """Receive the orphans among our descendants.  Raises SystemFault where the kernel or the build refuses."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def neighbours() -> str:
    """A warning where our PID namespace is another's (--pid=container:, shareProcessNamespace, --pid=host); or "".

    Whoever started us is not in it then: our parent's pid reads 0.  Below `docker run --init` it does not.
    """
    if os.getpid() == 1 or os.getppid() != 0:
        return ""
    try:
        with open("/proc/1/comm", encoding="utf-8", errors="replace") as file:
            first = file.read(64).strip() or "?"
    except OSError:
        first = "?"
    return (
        f"this PID namespace is shared, and its PID 1 is {first!r}: what docker exec and others leave behind goes "
        "to it, and their processes are neither reaped nor stopped here"
    )


def die_with_parent(signum: int) -> None:
    """Get this signal when the process that started us dies.  Raises SystemFault as above."""
    _prctl(PR_SET_PDEATHSIG, signum)


def is_subreaper() -> bool:
    """Whether whoever executed us has made this process one already.  Raises SystemFault as above."""
    import ctypes

    answer = ctypes.c_int(0)
    _prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer))
    return bool(answer.value)


def _prctl(option: int, value: object) -> None:
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise SystemFault(os.strerror(ctypes.get_errno()))
    except (ImportError, OSError, AttributeError) as error:
        raise SystemFault(str(error)) from error


def apply_limits(daemon: Daemon) -> None:
    """Raise the soft limits to minfds and minprocs, as supervisord does; never lower one.  Raises OperatorError."""
    _raise_to(daemon.minfds, "SC_OPEN_MAX", "RLIMIT_NOFILE", "minfds", "file descriptors")
    _raise_to(daemon.minprocs, "SC_CHILD_MAX", "RLIMIT_NPROC", "minprocs", "processes")


def _raise_to(least: int, known: str, limit: str, option: str, what: str) -> None:
    """The C library knows the soft limit too (sysconf(3)); the module that can raise it is a file of its own."""
    soft = os.sysconf(known)
    if soft == -1 or soft >= least:
        return
    import resource

    number = getattr(resource, limit)
    hard = resource.getrlimit(number)[1]
    highest = hard if hard == resource.RLIM_INFINITY or hard >= least else least
    try:
        resource.setrlimit(number, (least, highest))
    except (ValueError, OSError):
        raise OperatorError(f"{option}={least}: only {soft} {what} are allowed here (ulimit); lower {option}") from None


def become(user: str) -> None:
    """Drop root for initd itself, as [supervisord] user= asks.  Raises OperatorError."""
    identity = identity_of(user)
    if identity is None:
        raise OperatorError(f"user={user}: no such user here")
    if os.getuid() == identity.uid:
        return
    try:
        os.setgroups(identity.groups)
        os.setgid(identity.gid)
        os.setuid(identity.uid)
    except OSError as error:
        raise OperatorError(f"user={user}: {error.strerror}") from None


def reserve(count: int) -> list[int]:
    """Descriptors kept back, so that programs cannot take the last ones before initd is reachable."""
    kept: list[int] = []
    try:
        while len(kept) < count:
            kept.append(os.dup(0))
    except OSError:
        pass  # what there is, is what there is
    return kept


def silent_stdin() -> int:
    """The read end of a pipe that nobody writes to: every program's stdin, as supervisord gives it.

    Its write end stays open here for good, so reading waits for ever instead of finding an end.
    """
    return os.pipe2(os.O_CLOEXEC)[0]


def write_pidfile(path: str) -> None:
    """Make its directory if need be, and the file.  Raises OSError.

    What is there is truncated only where it is of another length, since the file system's journal takes its time:
    PID 1 of a container that is started again writes what it finds.
    """
    flags, text = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, f"{os.getpid()}\n".encode("ascii")
    try:
        fd = os.open(path, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        fd = os.open(path, flags, 0o644)
    try:
        if os.fstat(fd).st_size not in (0, len(text)):
            os.ftruncate(fd, 0)
        os.write(fd, text)
    finally:
        os.close(fd)


def remove_pidfile(path: str) -> None:
    """Remove it if it is still ours; nobody minds if it is not there."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            ours = os.read(fd, 32).strip() == b"%d" % os.getpid()
        finally:
            os.close(fd)
        if ours:
            os.unlink(path)
    except OSError:
        pass
