"""initd under a storm of faults that cannot be caused otherwise.  Run as a file, like initd itself.

The file named by FAULTS_FILE is one byte, mapped into memory: while it is not 0, calls of what CALLS lists fail by
chance, as they would in a machine without memory, descriptors, processes or disk space, and the wall clock jumps.  With
FAULTS_BARE set, initd's loop lets exceptions through, which is the fault that the proof must notice.
"""

from __future__ import annotations

import errno
import mmap
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ODDS = 0.03
"""The chance that a call fails while the storm lasts."""

JUMP_SECONDS = 10_000_000.0
"""How far the wall clock jumps, either way: four months."""


def memory() -> Exception:
    return MemoryError("injected")


def shortage(*numbers: int) -> Callable[[], Exception]:
    return lambda: OSError(number := random.choice(numbers), os.strerror(number) + " (injected)")


NO_PROCESS = shortage(errno.EAGAIN, errno.ENOMEM)
NO_DESCRIPTOR = shortage(errno.EMFILE, errno.ENFILE, errno.ENOMEM)
NO_SPACE = shortage(errno.ENOSPC, errno.EDQUOT, errno.EIO)

CALLS: tuple[tuple[str, str, Callable[[], Exception]], ...] = (
    ("os", "pipe2", NO_DESCRIPTOR),
    ("os", "posix_spawn", NO_PROCESS),
    ("os", "fork", NO_PROCESS),
    ("os", "open", NO_DESCRIPTOR),
    ("os", "listdir", NO_DESCRIPTOR),
    ("os", "write", NO_SPACE),
    ("os", "read", memory),
    ("os", "pwritev", memory),
    ("json", "loads", memory),
    ("json", "dumps", memory),
    ("socket:socket", "accept", NO_DESCRIPTOR),
    ("initd.facts:Journal", "append", memory),
    ("initd.output:Output", "drain", memory),
    ("initd.output:Output", "open", memory),
    ("initd.say:Voice", "say", memory),
    ("initd.control:Control", "handle", memory),
    ("initd.reports:Reports", "status", memory),
    ("initd.oom:OomCounter", "judge", memory),
    ("initd.oom:OomCounter", "glance", memory),
    ("initd.timers:Timers", "at", memory),
    ("initd.probes.part:Probes", "_on_change", memory),
    ("initd.probes.part:Probes", "_judge", memory),
    ("initd.probes.watch:Watch", "_begin_look", memory),
    ("initd.jobs.part:Schedules", "_look", memory),
    ("initd.renewal.part:Renewals", "_look", memory),
)
"""Where, what, and how it fails."""


class Storm:
    """Whether it rages, and how often something failed."""

    def __init__(self, path: str) -> None:
        with open(path, "r+b") as file:
            self._byte = mmap.mmap(file.fileno(), 16)
        self._dice = random.Random(int(os.environ.get("FAULTS_SEED", "0")))

    def strikes(self, odds: float = ODDS) -> bool:
        """Whether this call fails; counted in the file for the proof."""
        if not self._byte[0] or self._dice.random() >= odds:
            return False
        count = int.from_bytes(self._byte[8:16], "little") + 1
        self._byte[8:16] = count.to_bytes(8, "little")
        return True

    def jump(self) -> float:
        """Seconds that the wall clock is off."""
        return self._dice.uniform(-JUMP_SECONDS, JUMP_SECONDS) if self.strikes() else 0.0


def arm(storm: Storm) -> None:
    """Put the faults in place."""
    for where, name, fault in CALLS:
        owner = resolve(where)
        setattr(owner, name, failing(getattr(owner, name), fault, storm))
    honest = time.time
    time.time = lambda: honest() + storm.jump()


def resolve(where: str) -> Any:
    """A module, or a class after a colon."""
    module, _, name = where.partition(":")
    found = __import__(module, fromlist=["*"])
    return getattr(found, name) if name else found


def failing(honest: Callable[..., Any], fault: Callable[[], Exception], storm: Storm) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        if storm.strikes():
            raise fault()
        return honest(*args, **options)

    return call


def bare(loop: Any, where: str, callback: Any, *arguments: Any) -> bool:
    """What Loop._call would be without its net."""
    if callback is not None:
        callback(*arguments)
    return True


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))
    import initd.backoff
    import initd.loop
    import initd.main

    initd.backoff.LINK_CAP = 0.02
    if os.environ.get("FAULTS_BARE"):
        initd.loop.Loop._call = bare  # type: ignore[method-assign]
        initd.loop.Loop._caught = lambda self, where, error: os._exit(70)  # type: ignore[method-assign]
    arm(Storm(os.environ["FAULTS_FILE"]))
    os._exit(initd.main.main(sys.argv[1:]))
