"""One look at a program, of whatever kind: begun, and answered once.

A look is an object with `cancel()` and `gone`; its answer is a text, "" for success.  Files are looked at by stat(2),
which does not wait for anything but a dead network file system: a probe should not name a file on one.
"""

from __future__ import annotations

import os

from initd.probes.dial import Dial
from initd.probes.errand import Errand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from initd.config.probe import Probe
    from initd.probes.errand import Fit
    from initd.process import Process
    from initd.supervisor import Supervisor

    class Look(Protocol):
        """What a look under way offers."""

        @property
        def gone(self) -> bool:
            """Whether nothing of it is left."""

        def cancel(self) -> None:
            """End it without an answer."""


CLOCK_GRAIN = 0.05
"""Seconds by which a file's time may lie before the moment it was written: the kernel stamps with its last tick."""


class Glance:
    """A look that is over at once."""

    gone = True

    def cancel(self) -> None:
        """There is nothing to end."""


class Looks:
    """Begins looks.  `ours` is the fitting that is not for errands."""

    def __init__(self, supervisor: Supervisor, ours: Fit) -> None:
        self._sup = supervisor
        self._ours = ours

    def begin(self, probe: Probe, process: Process, tell: Callable[[str], object]) -> Look:
        """Look; `tell(why)` is called once, perhaps before this returns.  May raise: that is a failure too."""
        if probe.kind == "exec":
            return Errand(self._sup, process, probe.argv, self._ours, tell)
        if probe.kind in ("tcp", "http"):
            return Dial(self._sup.loop, probe, tell)
        tell(missing(probe, process.run.started_at))
        return Glance()


def missing(probe: Probe, started_at: float) -> str:
    """Why a file does not satisfy a probe, "" where it does; `started_at` is wall time."""
    try:
        found = os.stat(probe.path)
    except OSError as error:
        return str(error.strerror)
    if probe.kind == "file" and max(found.st_mtime, found.st_ctime) < started_at - CLOCK_GRAIN:
        return "older than this start"
    return ""
