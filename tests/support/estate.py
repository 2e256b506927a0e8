"""What a test opened and nobody else closes: worlds put it here, tests/initd/conftest.py gives it back at the end.

A test that makes many worlds, as Hypothesis does, gives back after each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack

from initd.output import Output

_ESTATE = ExitStack()


def at_the_end(callback: Callable[[], object]) -> None:
    """Call it at the end of the test; the latest first."""
    _ESTATE.callback(callback)


def owned(*fds: int) -> None:
    """Close these at the end, unless that has been done: the number may be somebody else's by then."""
    for fd in fds:
        found = os.fstat(fd)
        _ESTATE.callback(_close, fd, (found.st_dev, found.st_ino))


def piped() -> tuple[int, int]:
    """A pipe that is closed at the end."""
    ends = os.pipe()
    owned(*ends)
    return ends


def emptied(output: Output) -> Output:
    """The pipes of all runs, the log files and what the container's streams opened are closed at the end."""
    at_the_end(lambda: [output.remove(name) for name in tuple(output._desks)])
    at_the_end(lambda: [sink.close() for sink in output._routes._streams.values()])
    return output


def give_back() -> None:
    """The end of a test."""
    _ESTATE.close()


def _close(fd: int, identity: tuple[int, int]) -> None:
    try:
        found = os.fstat(fd)
    except OSError:
        return
    if (found.st_dev, found.st_ino) == identity:
        os.close(fd)
