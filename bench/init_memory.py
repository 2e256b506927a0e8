"""What PID 1 and link take together once their rings are full and a hub has joined them: bytes of PSS.

Every program writes more than its two rings hold (wire.limits.RING_BYTES a stream) and then waits; link has joined the
hub of `join` and told it all.  PSS divides a page among all who map it: what PID 1 and link share is counted once, but
an interpreter that others on the machine run, too, counts less than alone in a container.  The bundle has its own.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.init_peers import Peer, Program
from bench.init_space import PATIENCE, GaveUp, Space, read, smaps
from initd.ctl.client import Client
from wire.limits import RING_BYTES

PROGRAMS, SETTLED = 50, 5.0
"""Programs; and seconds in which link sends its roster, its facts and some samples."""

TALK = f"""\
yes what a program says | head -c {2 * RING_BYTES}
yes what it complains of | head -c {2 * RING_BYTES} >&2
exec "$@"
"""


class Both(NamedTuple):
    """Bytes of PSS."""

    pid1: int
    link: int


def full_rings(peer: Peer, probe: Path, join: str, joined: Callable[[], object], facts: int = 0) -> Both:
    """`joined` waits until the hub knows this container; all is restarted until there were `facts`.  Raises GaveUp."""
    with tempfile.TemporaryDirectory(prefix="init-", dir=probe.parent) as name:
        directory = Path(name)
        talk = directory / "talk"
        talk.write_text(TALK)
        programs = [_loud(talk, probe, directory / "words", f"p{number}") for number in range(PROGRAMS)]
        with Space(probe, directory, peer.prepare(directory, programs), environ={"PIDONE_JOIN": join}) as space:
            space.wait("S", PROGRAMS)
            joined()
            with Client(str(space.socket)) as client:
                while (past := client.ask("events", limit=1)) and past[-1]["seq"] < facts:
                    client.ask("restart", names=["all"], wait=PATIENCE)
            time.sleep(SETTLED)
            return _measured(space)


def _measured(space: Space) -> Both:
    """PID 1, and the process that has libzmq.  Raises GaveUp."""
    others = [pid for pid in space.supervisors() if pid != space.pid]
    links = [pid for pid in others if "libzmq" in read(f"/proc/{pid}/maps")]
    if len(links) != 1:
        raise GaveUp(f"{len(links)} links: {space.output()}")
    return Both(smaps(space.pid).pss, smaps(links[0]).pss)


def _loud(talk: Path, probe: Path, fifo: Path, name: str) -> Program:
    return Program(name, ("/bin/sh", str(talk), str(probe), "run", str(fifo), name))
