"""What /proc says of processes that may end, or may not be what they will be yet, while one looks.

Who was listed a moment ago is often gone when the next file is read: each of these then answers with nothing instead of
raising.  A child that was just forked still has its parent's command line and environment: see `runs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def _bytes(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # ESRCH where it ended between open and read, see proc(5)
        return b""


def command_line(pid: int) -> str:
    """Its words, each followed by a blank; "" if it is gone or a zombie."""
    return _bytes(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def runs(pid: int, words: str) -> bool:
    """Whether its command line begins with these words: it has passed execve, and its environment is the program's."""
    return command_line(pid).startswith(words)


def environment(pid: int) -> dict[str, str]:
    """The variables it was executed with; {} if it is gone."""
    entries = _bytes(pid, "environ").decode(errors="replace").split("\0")
    return {name: value for name, _, value in (entry.partition("=") for entry in entries if entry)}


def status(pid: int, field: str) -> str:
    """One line of /proc/PID/status; "" where there is no such process any more."""
    lines = _bytes(pid, "status").decode(errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field + ":")), "")


def alive(pid: int) -> bool:
    """Whether it is there and no zombie."""
    return not status(pid, "State").startswith(("Z", "X")) and bool(status(pid, "Pid"))


def switches(pid: int) -> int:
    """How often it was switched in: what wakes up switches."""
    return sum(int(status(pid, f"{kind}_ctxt_switches") or 0) for kind in ("voluntary", "nonvoluntary"))


def children(pid: int) -> list[int]:
    """Process ids of the children of its first thread."""
    return [int(one) for one in _bytes(pid, f"task/{pid}/children").split()]


def descendants(pid: int) -> Iterator[int]:
    """Process ids of all below it, each parent before its children."""
    for child in children(pid):
        yield child
        yield from descendants(child)
