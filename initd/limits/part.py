"""The part that gives programs their limits: a Confinement for each start, a cgroup where one is asked for.

What cannot be done costs one line for each program and option, until the next reload; with strict_limits, the start.
"""

from __future__ import annotations

import grp
import os

from initd import family
from initd.errors import StartFailed
from initd.limits.cgroups import FILES, Cgroups, Place
from initd.limits.child import Confinement
from initd.users import LAST_UID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config
    from initd.config.topics.limits import Limits as Configured
    from initd.process import Process
    from initd.spawn import Order
    from initd.supervisor import Supervisor


class Limits:
    """Serves the topics `limits` and `stopping`: a cgroup also tells who belongs to a program."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._cgroups: Cgroups | None = None
        self._places: dict[str, Place] = {}
        self._told: set[tuple[str, str]] = set()
        supervisor.fittings.append(self.fit)
        supervisor.on_change(self.on_change)

    def adopt(self, config: Config) -> None:
        """Warnings are said anew."""
        self._told.clear()

    def fit(self, process: Process, order: Order) -> Order:
        """Limits, mark and cgroup for one start.  Raises StartFailed."""
        limits = process.config.limits
        place = self._place(process, limits)
        if limits is None and not place.folders:
            return order
        return order._replace(confine=confinement(limits, place), tell=lambda text: self._tell(process, text))

    def on_change(self, process: Process) -> None:
        """Remove the cgroup of who has ended; who is left in it keeps it."""
        place = self._places.get(process.name)
        if place is not None and process.pid is None and self._cgroups is not None and self._cgroups.remove(place):
            del self._places[process.name]
            self._sup.kernel.folders.pop(process.name, None)

    def _place(self, process: Process, limits: Configured | None) -> Place:
        """The cgroup of one start, where there is a reason for one."""
        limited = limits is not None and any(getattr(limits, option) is not None for option in FILES)
        tree = process.program.rules.stop_scope == family.TREE
        if not limited and not tree:
            return Place(())
        if self._cgroups is None:
            self._cgroups = Cgroups(self._sup.kernel.pid, token=self._sup.kernel.token)
        place = self._limited(process, limits, self._cgroups) if limits is not None and limited else Place(())
        if tree and not place.folders:
            place = self._cgroups.plain(process.name)
        if place.folders:
            self._places[process.name] = place
            self._sup.kernel.folders[process.name] = place.folders[0]
        return place

    def _limited(self, process: Process, limits: Configured, cgroups: Cgroups) -> Place:
        place, problems = cgroups.limited(process.name, limits)
        for option, error in problems:
            if limits.strict_limits:
                raise StartFailed("limits", error.errno, f"{option}: {error.filename}")
            self._tell(process, f"{option}: {error.filename}: {os.strerror(error.errno or 0)}")
        return place

    def _tell(self, process: Process, text: str) -> None:
        if (process.name, text) not in self._told:
            self._told.add((process.name, text))
            self._sup.note(f"{process.name}: {text}; it starts all the same (strict_limits=true refuses)", "warn")


def confinement(limits: Configured | None, place: Place) -> Confinement:
    """What the child of a fork has to do.  Raises StartFailed where a group does not exist."""
    if limits is None:
        return Confinement(folders=place.folders)
    listed = limits.groups or ()
    numbers = tuple(gid_of(name) for name in listed if name != "+")
    added = listed[:1] == ("+",)
    return Confinement(
        strict=limits.strict_limits,
        gid=gid_of(limits.group) if limits.group is not None else None,
        groups=None if limits.groups is None or added else numbers,
        added=numbers if added else (),
        rlimits=limits.rlimits,
        nice=limits.nice,
        oom_score_adj=limits.oom_score_adj,
        capabilities=limits.capabilities,
        no_new_privs=limits.no_new_privs,
        folders=place.folders,
        counter=place.counter,
    )


def gid_of(name: str) -> int:
    """The number of a group; a number needs no entry in the database.  Raises StartFailed."""
    if name.isascii() and name.isdecimal() and int(name) <= LAST_UID:
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):  # ValueError: a NUL byte in the name
        raise StartFailed("user", None, f"no group {name!r}") from None
