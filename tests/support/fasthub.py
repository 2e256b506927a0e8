"""A real hubd whose clock on the wall is somebody else's, and which tells what its intake has done.

    python -m tests.support.fasthub BOARD hubd.ini [lossy]

BOARD is a file of eight float64 values: 0 the time that everybody here goes by, 1 process-samples taken, 2 CPU seconds
of this process less those of telling, 3 whether all upkeep is done, 4 windows of the first tier, 5 samples left out, 6
bytes of a window of raw samples on disk, 7 of one of the first tier.  The store's upkeep goes by BOARD's clock as well,
so that an hour of samples may come in seconds and is written out, sealed and rolled up as often as in an hour.  Rows
have twelve columns here: the table's, and three more of the same kinds.
"""

from __future__ import annotations

import mmap
import sys
import threading
import time
from itertools import count
from struct import Struct
from types import SimpleNamespace
from typing import Any

from tests.support.twelve import widen

BOARD = Struct("<8d")
_NUMBER = Struct("<d")
SLOWER = 5.0
"""Upkeep is looked for every 10 s of BOARD, as samples are to be written out: a hub does more in 2 s than here."""

POST_SECONDS, LOOKS = 0.002, 25
"""How often the samples taken are told, and after how many times all else is."""


def board(path: str) -> mmap.mmap:
    """The file, mapped; made where it is missing."""
    with open(path, "a+b") as file:
        file.truncate(BOARD.size)
        return mmap.mmap(file.fileno(), BOARD.size)


def post(shared: mmap.mmap, place: int, *values: float) -> None:
    """Write values from a place on."""
    for number, value in enumerate(values, place):
        _NUMBER.pack_into(shared, 8 * number, value)


def read(shared: mmap.mmap) -> tuple[float, ...]:
    """All values."""
    return BOARD.unpack_from(shared)


def _report(shared: mmap.mmap, stores: list[Any]) -> None:
    from hub.store.shelf import RAW, TIERS

    for number in count():
        time.sleep(POST_SECONDS)
        for store in stores:
            samples = store._samples
            post(shared, 1, samples.taken, time.process_time() - time.thread_time())
            if number % LOOKS:
                continue
            try:
                use = samples.shelf.use() if not samples.rings.windows else ()
                tiers = samples.shelf.windows(TIERS[1]) if use else ()
            except (RuntimeError, OSError):  # changed while it was looked at
                continue
            idle = bool(use) and not samples.sealing and {*samples.shelf.windows(RAW)} <= {*tiers}
            sizes = [one.size / max(1, one.segments) for one in use[:2]] or [0, 0]
            post(shared, 3, idle, len(tiers), samples.late, *sizes)


def _lose(samples: Any) -> None:
    """From now on one sample in a hundred is left out, and not even counted."""
    take, number = samples.add, count()
    samples.add = lambda *sample: next(number) % 100 == 99 or take(*sample)


def main(path: str, ini: str, fault: str = "") -> int:
    """Runs hubd on the clock of BOARD; `lossy` is a fault."""
    import hub.monitor.families  # has names for the columns of today only

    assert hub.monitor.families and "hub.monitor.history" not in sys.modules
    widen()
    shared = board(path)
    time.time = lambda: _NUMBER.unpack_from(shared, 0)[0]  # type: ignore[assignment]
    from hub import daemon, vigil
    from hub.store import worker

    worker.time = SimpleNamespace(monotonic=lambda: time.time() / SLOWER, time=time.time)  # type: ignore[attr-defined]
    stores: list[Any] = []
    opened = vigil.open_store

    def opening(config: Any) -> Any:
        stores.append(opened(config))
        if fault == "lossy":
            _lose(stores[-1]._samples)
        return stores[-1]

    vigil.open_store = opening
    threading.Thread(target=_report, args=(shared, stores), daemon=True).start()
    return daemon.main(["-c", ini])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
