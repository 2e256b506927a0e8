"""A small store of samples, the same from every release: what was written of it long ago is kept beside the tests."""

from __future__ import annotations

from pathlib import Path

from hub.store.embedded import Embedded
from tests.support.rows import columns, container
from wire.model import RosterRow

T0 = 1_700_000_400.0
END = T0 + 1200.0
ROWS = 10
HERE = Path(__file__).parent.parent / "hub" / "store" / "formats"


def fill(directory: Path) -> None:
    """Two windows of ten processes (two pieces), a third that is open; one more process from the second window on."""
    store = Embedded(str(directory))
    for roster, rows in ((1, ROWS), (2, ROWS + 1)):
        named = [RosterRow(100 + n, 7, 1, "program", f"p{n}", f"p{n}", 0) for n in range(rows)]
        store.put_roster("agent", "boot", roster, named)
    for turn in range(130):
        at = T0 + 10.0 * turn + 0.25
        roster = 1 if at < T0 + 600 else 2
        values = [figures(row, turn) for row in range(ROWS + roster - 1)]
        store.put_samples("agent", "boot", roster, at, columns(values))
        store.put_container("box", at, container(cpu_seconds=turn / 4, memory=1e6 + turn % 7))
        store.tend(at)
    while store.tend(at).more:
        pass
    store.close(at)


def figures(row: int, turn: int) -> dict[str, float]:
    """The first sleeps, the others do more or less; what is not named is unknown."""
    return {
        "cpu_seconds": 5.0 + row * turn / 8,
        "cpu": row * (turn % 5) / 16,
        "rss": 4096.0 * (row + 1),
        "fds": 3.0 + row,
    }


def told(directory: Path) -> list[str]:
    """What a store of these answers; as text, since NaN is like nothing."""
    store = Embedded(str(directory))
    try:
        span = (T0, END + 100)
        asked = [(f"p{n}", step) for n in (0, 3, 9, 10) for step in (None, 60.0)]
        found = [store.process_history("agent", *span, step, program=name) for name, step in asked]
        found += [store.container_history("box", *span, step) for step in (None, 60.0)]
        return [repr(one) for one in found]
    finally:
        store.close(END)
