"""All samples of a store as blocks, and blocks into a shelf: how samples move between stores.

Theory.  Back ends cut one stream of a raw window differently (an early sealing, a write every 10 s, two hubs one after
the other); here its parts are joined in the order of time, so that the same samples give the same blocks everywhere.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from hub.store.errors import BadRow
from hub.store.recall import LAYOUTS
from hub.store.rolling import sheet_in
from hub.store.rows import SampleBlock
from hub.store.samples import Samples
from hub.store.segments import Block
from hub.store.shelf import RAW, TIERS, Shelving, Tier
from hub.store.tiers import Points

__all__ = ["blocks_of", "restore"]

Who = tuple[str, str]
Part = tuple[list[Any], bytes, bytes]
"""Roster rows, times, blobs."""


def blocks_of(samples: Samples) -> Iterator[SampleBlock]:
    """Everything: tiers from the finest, windows from the oldest, subjects by name."""
    for tier in TIERS:
        opened = samples.rings.windows if tier is RAW else {}
        for window in sorted({*samples.shelf.windows(tier), *opened}):
            yield from _raw(samples, window) if tier is RAW else _tier(samples.shelf, tier, window)


def _raw(samples: Samples, window: float) -> Iterator[SampleBlock]:
    opened: dict[Who, dict[tuple[str, int], list[Part]]] = {}
    for key, s in samples.rings.windows.get(window, {}).items():
        part = ([list(row) for row in s.rows], s.times.tobytes(), s.data)
        opened.setdefault((key.kind, key.subject), {}).setdefault((key.boot, key.roster), []).append(part)
    for who in sorted({*samples.shelf.subjects(RAW, window), *opened}):
        found = opened.get(who, {})
        for block, head, body in samples.shelf.read(RAW, window, *who):
            roster, rows, sheet = sheet_in(LAYOUTS[who[0]], head, body)
            part = ([list(row) for row in rows], sheet.times.tobytes(), sheet.whole().blobs())
            found.setdefault((block.boot, roster), []).append(part)
        for (boot, roster), parts in sorted(found.items()):
            yield _joined(window, who, boot, roster, parts)


def _joined(window: float, who: Who, boot: str, roster: int, parts: list[Part]) -> SampleBlock:
    times = array("d", b"".join(part[1] for part in parts))
    blobs = b"".join(part[2] for part in parts)
    if any(a >= b for a, b in pairwise(times)):
        width = len(blobs) // len(times)
        by_time = {at: blobs[n * width : (n + 1) * width] for n, at in enumerate(times)}
        times = array("d", sorted(by_time))
        blobs = b"".join(by_time[at] for at in times)
    head = [roster, [list(row) for row in parts[0][0]], len(times)]
    return SampleBlock(RAW.name, window, *who, boot, times[0], times[-1], head, times.tobytes() + blobs)


def _tier(shelf: Shelving, tier: Tier, window: float) -> Iterator[SampleBlock]:
    for who in sorted(shelf.subjects(tier, window)):
        for block, head, body in sorted(shelf.read(tier, window, *who), key=lambda found: found[0].boot):
            plain = Points(LAYOUTS[who[0]], head, body).plain()
            yield SampleBlock(tier.name, window, *who, block.boot, window, window + tier.span, *plain)


def restore(shelf: Shelving, name: str, window: float, blocks: Iterable[SampleBlock]) -> None:
    """Write a window.  Raises OSError, or BadRow for a tier that there is not."""
    tier = next((tier for tier in TIERS if tier.name == name), None)
    if tier is None:
        raise BadRow(f"there is no tier {name!r} of samples")
    journals: list[str] = []
    writer = shelf.writer(tier, window, journals)
    tag = b"RAWB" if tier is RAW else b"TIER"
    try:
        for b in blocks:
            writer.add(tag, Block(b.kind, b.subject, b.boot, b.start, b.end, 0, 0), b.head, b.body)
        writer.seal()
    except BaseException:
        writer.abandon()
        raise
    for journal in journals:
        shelf.drop(journal)
