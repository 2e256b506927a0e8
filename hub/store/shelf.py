"""The sealed segments by tier and window, what they weigh, and which of them are damaged.

A window (tier, start) is the unit that comes and goes: raw ones may lie in several files, where memory ran short.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

from hub.store.errors import Damaged
from hub.store.rings import WINDOW
from hub.store.rows import TierUse
from hub.store.segments import Block, SegmentFile
from wire._record import Record

__all__ = ["RAW", "TIERS", "Shelf", "Tier"]


class Tier(Record):
    """One resolution."""

    name: str
    """Its directory."""
    step: float
    """Seconds of a point; 0 for samples as they came."""
    span: float
    """Seconds in one window."""


TIERS = (Tier("raw", 0.0, WINDOW), Tier("60", 60.0, WINDOW), Tier("600", 600.0, 21600.0), Tier("3600", 3600.0, 86400.0))
"""Finest first; each is made from the one before.  A window holds 24 to 120 points of a process: few, small blocks."""

RAW = TIERS[0]

INDEXES = 64
"""Indexes of segments kept decoded; one of 10,000 agents takes some 5 MiB."""

_NAME = re.compile(r"(\d{1,12})-(\d{1,9})\.(segment|journal)")

Index = dict[tuple[str, str], list[Block]]


class Shelf:
    """All segment files below one directory."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.problems: dict[str, str] = {}
        self.last_number = 0
        self._files: dict[str, dict[float, list[SegmentFile]]] = {tier.name: defaultdict(list) for tier in TIERS}
        self._indexes: OrderedDict[str, Index] = OrderedDict()
        self.journals: dict[str, float] = {}
        """Journals found at the start, with their windows."""
        for tier in TIERS:
            self._scan(tier)

    def _scan(self, tier: Tier) -> None:
        folder = os.path.join(self.directory, tier.name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name in sorted(os.listdir(folder)):
            path, match = os.path.join(folder, name), _NAME.fullmatch(name)
            if match is None:
                if name.endswith(".segment.new"):
                    os.unlink(path)  # never sealed: a crash left it, and what it was made from is still there
                continue
            self.last_number = max(self.last_number, int(match[2]))
            if match[3] == "journal":
                self.journals[path] = float(match[1])
            else:
                self.add(tier, float(match[1]), path)
                self._look(path)

    def _look(self, path: str) -> None:
        """Read the end of a file once, so that a cut one is known from the start."""
        self.attempt(lambda: SegmentFile(path).index())

    def path(self, tier: Tier, window: float, ending: str) -> str:
        """A name that was never used."""
        self.last_number += 1
        return os.path.join(self.directory, tier.name, f"{int(window)}-{self.last_number}.{ending}")

    def add(self, tier: Tier, window: float, path: str) -> None:
        """Take a sealed file in."""
        self._files[tier.name][window].append(SegmentFile(path))

    def windows(self, tier: Tier) -> list[float]:
        """The starts of a tier's windows, oldest first."""
        return sorted(self._files[tier.name])

    def remove(self, tier: Tier, window: float) -> int:
        """Delete a window; returns the bytes that gave."""
        files = self._files[tier.name].pop(window, [])
        for file in files:
            os.unlink(file.path)
            self._indexes.pop(file.path, None)
            self.problems.pop(file.path, None)
        return sum(file.size for file in files)

    def subjects(self, tier: Tier, window: float) -> set[tuple[str, str]]:
        """Whose samples a window holds: (kind, subject)."""
        return {who for file in self._files[tier.name].get(window, []) for who in self._index(file)}

    def read(self, tier: Tier, window: float, kind: str, subject: str) -> Iterator[tuple[Block, Any, memoryview]]:
        """The sound blocks of one subject: (index entry, head, body)."""
        for file in self._files[tier.name].get(window, []):
            for block in self._index(file).get((kind, subject), []):
                found = self.attempt(lambda file=file, block=block: file.read(block))
                if found is not None:
                    yield block, found[1], found[2]

    def covered(self, window: float) -> set[str]:
        """Names of the journals that the raw segments of a window replace."""
        indexes = [self.attempt(file.index) for file in self._files[RAW.name].get(window, [])]
        return {name for found in indexes if found for name in found[1]}

    def attempt(self, read: Any) -> Any:
        """The result, or None and a problem noted once for each file."""
        try:
            return read()
        except Damaged as damaged:
            self.problems.setdefault(damaged.path, str(damaged))
        except OSError as error:
            self.problems.setdefault(str(error.filename), f"{error.filename}: cannot be read ({error.strerror})")
        return None

    def _index(self, file: SegmentFile) -> Index:
        index = self._indexes.pop(file.path, None)
        if index is None:
            index = defaultdict(list)
            for block in (self.attempt(file.index) or ([], []))[0]:
                index[block.kind, block.subject].append(block)
        self._indexes[file.path] = index
        if len(self._indexes) > INDEXES:
            self._indexes.popitem(last=False)
        return index

    def use(self) -> tuple[TierUse, ...]:
        """What each tier weighs and spans."""
        return tuple(self._use(tier) for tier in TIERS)

    def _use(self, tier: Tier) -> TierUse:
        windows, files = self.windows(tier), [file for some in self._files[tier.name].values() for file in some]
        ends = (windows[0], windows[-1] + tier.span) if windows else (None, None)
        return TierUse(tier.name, sum(file.size for file in files), len(files), *ends)
