"""What a process does to itself between fork and exec, where its program has limits.

Theory.  Everything that needs privileges comes before the change of user, in an order in which no step takes away what
a later one needs: cgroup, OOM adjustment, groups, nice, bounding set, resource limits; what only gives up comes after
it: capabilities, no_new_privs.  Where the kernel refuses, `tell` notes the option or, where limits are strict, raises.

The standard library has no prctl(2) and no capset(2).  ctypes has, and must not be loaded in PID 1; but this runs in a
child that is about to become something else, so it loads ctypes there, where capabilities or no_new_privs are asked for
(4 ms beside the 1.2 ms of a fork, measured).  A helper to exec would cost an interpreter, or be a C program, which pip
cannot bring; setpriv(1) is missing or smaller in most images.  A file system that is gone costs such a start, no more.
"""

from __future__ import annotations

import errno
import os
import resource

from initd.config.topics.limits import NO_LIMIT
from initd.users import Identity
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.spawn import Tell


class Confinement(Record):
    """The limits of one start; see initd.spawn, which calls its methods."""

    strict: bool = False
    gid: int | None = None
    groups: tuple[int, ...] | None = None
    added: tuple[int, ...] = ()
    """Groups on top of those of the user."""
    rlimits: tuple[tuple[str, int, int], ...] = ()
    nice: int | None = None
    oom_score_adj: int | None = None
    capabilities: tuple[str, ...] | None = None
    no_new_privs: bool = False
    folders: tuple[str, ...] = ()
    """cgroups to enter."""
    counter: str = ""
    """The file that counts OOM kills among these alone; for initd.kernel."""

    def identity(self, user: Identity | None) -> Identity | None:
        """The user with the groups asked for; None where there is no change of user."""
        if user is None:
            return None
        groups = user.groups if self.groups is None else self.groups
        merged = tuple(dict.fromkeys((*groups, *self.added)))
        return Identity(user.uid, user.gid if self.gid is None else self.gid, merged)

    def before(self, identity: Identity | None, tell: Tell) -> None:
        """The steps before the change of user.  Raises OSError where `tell` does."""
        self._enter_cgroups(tell)
        if self.oom_score_adj is not None:
            _write("/proc/self/oom_score_adj", self.oom_score_adj, "oom_score_adj", tell)
        if identity is None:
            self._take_groups(tell)
        if self.nice is not None:
            self._be_nice(self.nice, tell)
        if self.capabilities is not None:
            from initd.limits.capabilities import reduce_bounds

            reduce_bounds(self.capabilities, tell)
        for name, soft, hard in self.rlimits:
            _limit(name, soft, hard, tell)

    def after(self, tell: Tell) -> None:
        """The steps after the change of user.  Raises OSError where `tell` does."""
        if self.capabilities is not None:
            from initd.limits.capabilities import keep

            keep(self.capabilities, tell)
        if self.no_new_privs:
            from initd.limits.capabilities import forswear

            forswear(tell)

    def _enter_cgroups(self, tell: Tell) -> None:
        for folder in self.folders:
            _write(f"{folder}/cgroup.procs", 0, "cgroup", tell)

    def _take_groups(self, tell: Tell) -> None:
        """The groups of a program that keeps initd's user."""
        if self.groups is not None or self.added:
            groups = (*(os.getgroups() if self.groups is None else self.groups), *self.added)
            _attempt("groups", lambda: os.setgroups(groups), tell)
        if self.gid is not None:
            gid = self.gid
            _attempt("group", lambda: os.setgid(gid), tell)

    def _be_nice(self, value: int, tell: Tell) -> None:
        _attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, value), tell)


def _attempt(option: str, take: Callable[[], object], tell: Tell) -> None:
    try:
        take()
    except OSError as error:
        tell(option, OSError(error.errno, error.strerror))


def _write(path: str, value: int, option: str, tell: Tell) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, b"%d" % value)
        finally:
            os.close(fd)
    except OSError as error:
        tell(option, OSError(error.errno, error.strerror, path))


def _limit(name: str, soft: int, hard: int, tell: Tell) -> None:
    """Set one; where the hard limit may not be raised, take what there is."""
    which = getattr(resource, "RLIMIT_" + name.upper(), None)
    if which is None:
        tell("rlimit_" + name, OSError(errno.EINVAL, "", "not known here"))
        return
    wanted = tuple(resource.RLIM_INFINITY if value == NO_LIMIT else value for value in (soft, hard))
    try:
        resource.setrlimit(which, (wanted[0], wanted[1]))
    except (OSError, ValueError):  # ValueError is what it makes of EPERM and EINVAL
        most = resource.getrlimit(which)[1]
        tell("rlimit_" + name, OSError(errno.EPERM, "", f"the most that is allowed here is {most}, taken instead"))
        bounded = most != resource.RLIM_INFINITY and (soft == NO_LIMIT or soft > most)
        resource.setrlimit(which, (most if bounded else wanted[0], most))
