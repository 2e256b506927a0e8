"""Raw windows as the blocks of the first tier: from the sheets at hand, or from what a shelf has of them.

Theory.  A window that is sealed by the hub that has all of it in memory is rolled up at that moment, while its figures
are at hand; the points wait until the window of the tier is due.  All else (a window that was sealed in parts because
memory ran short, a crash in between, samples of another hub) is read from the shelf again.  Parts of one roster are
joined first, so that no rate is lost between them; only a process that stands in several rosters takes the long way,
sample by sample.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from hub.monitor.folding import fold
from hub.monitor.history import Layout, rollup_samples
from hub.monitor.sheets import Packed, Sheet, joined, open_cells, open_sheet, sheet_of
from hub.store.rings import NOBODY, Stream
from hub.store.shelf import Shelving, Tier
from hub.store.tiers import Part, of_points
from wire.model import RosterRow

__all__ = ["folded", "head_of", "reread", "roster_of", "sheet_in", "spread"]

SHEETS = {"lines": open_sheet, "columns": open_cells}
"""First words of the heads of blocks whose body is a packed sheet, and what opens each; the first is today's.

Blocks that are older still have their roster's number there, and samples as they came.
"""

Instance = tuple[str, int, int]
"""Boot id, pid, start ticks."""


def head_of(stream: Stream) -> list[Any]:
    """The head of the block that holds a stream's packed sheet."""
    return ["lines", stream.key.roster, [list(row) for row in stream.rows], len(stream.times)]


def roster_of(head: Any) -> int:
    """The roster's number in the head of a raw block, of today or of old."""
    return int(head[1] if head[0] in SHEETS else head[0])


def sheet_in(layout: Layout, head: Any, body: memoryview) -> tuple[int, tuple[RosterRow, ...], Sheet | Packed]:
    """Roster, rows and samples of a raw block, of today or of old.  Raises ValueError."""
    opening = SHEETS.get(head[0])
    listed, count = head[2:4] if opening else head[1:3]
    rows = tuple(map(RosterRow._make, listed))
    if opening:
        return roster_of(head), rows, opening(layout, len(rows) or 1, body)
    times = array("d", bytes(body[: 8 * count]))
    return roster_of(head), rows, sheet_of(layout, len(rows) or 1, times, body[8 * count :])


def folded(boot: str, rows: tuple[RosterRow, ...], sheet: Sheet, step: float) -> list[Part]:
    """Every row's points."""
    starts, bodies = fold(sheet, step)
    start, end, points = starts[0], starts[-1], len(starts)
    return [Part(boot, row, start, end, points, body) for row, body in zip(rows or (NOBODY,), bodies, strict=True)]


def spread(parts: Iterable[Part]) -> bool:
    """Whether an instance is in more than one of them."""
    seen = [(part.boot, part.row.pid, part.row.start_ticks) for part in parts]
    return len(set(seen)) < len(seen)


def reread(
    shelf: Shelving, source: Tier, window: float, who: tuple[str, str], layout: Layout, step: float
) -> list[Part]:
    """One subject's points, from the raw blocks of a shelf."""
    found: dict[tuple[str, int], list[tuple[tuple[RosterRow, ...], Sheet]]] = defaultdict(list)
    for block, head, body in shelf.read(source, window, *who):
        roster, rows, sheet = sheet_in(layout, head, body)
        found[block.boot, roster].append((rows, sheet.whole()))
    whole = [(boot, some[0][0], joined([sheet for _, sheet in some])) for (boot, _), some in sorted(found.items())]
    parts = [part for boot, rows, sheet in whole for part in folded(boot, rows, sheet, step)]
    return list(_long_way(whole, layout, step)) if spread(parts) else parts


def _long_way(whole: list[tuple[str, tuple[RosterRow, ...], Sheet]], layout: Layout, step: float) -> Iterator[Part]:
    samples: dict[Instance, list[tuple[float, tuple[float, ...]]]] = defaultdict(list)
    known: dict[Instance, RosterRow] = {}
    for boot, rows, sheet in whole:
        for index, row in enumerate(rows or (NOBODY,)):
            instance = (boot, row.pid, row.start_ticks)
            known[instance] = row
            samples[instance] += zip(sheet.times, map(tuple, sheet.row(index).tolist()), strict=True)
    for instance, found in samples.items():
        found.sort(key=lambda sample: sample[0])
        yield of_points(layout, instance[0], known[instance], rollup_samples(layout, found, step))
