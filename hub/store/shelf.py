"""The sealed segments by tier and window, what they weigh, and which of them are damaged.

A window (tier, start) is the unit that comes and goes: raw ones may lie in several files, where memory ran short.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Protocol

from hub.store.errors import Damaged
from hub.store.rings import WINDOW
from hub.store.rows import TierUse
from hub.store.segments import Block, Journal, SegmentFile, SegmentWriter
from hub.store.thin import Unwritten
from wire._record import Record

__all__ = ["RAW", "TIERS", "Journalling", "Shelf", "Shelving", "Tier", "Writing", "make_again"]


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


class Journalling(Protocol):
    """Samples of an open window on their way to safety."""

    path: str
    """What the journal is called."""

    def append(self, parts: list[Unwritten]) -> None:
        """Write what there is of some streams.  Raises OSError."""

    def close(self) -> None:
        """Release what it holds; what was written stays."""


class Writing(Protocol):
    """A window of a tier that is being written; it can be read when it is sealed."""

    def add(self, tag: bytes, block: Block, head: Any, body: bytes) -> None:
        """Append a block."""

    def seal(self) -> None:
        """Make it part of the shelf."""

    def abandon(self) -> None:
        """Forget what was written so far."""


class Shelving(Protocol):
    """What the samples need of the place where their windows lie; effects raise OSError."""

    problems: dict[str, str]
    """What is damaged, one line each."""
    journals: dict[str, float]
    """Journals found at the start, with their windows."""
    patience: float
    """Seconds a window waits, beyond the grace for late samples, for other hubs before it is rolled up."""

    def journal(self, window: float) -> Journalling:
        """Begin a journal of a window."""

    def weigh(self, journal: str) -> int:
        """Bytes of a journal that `use` does not count."""

    def drop(self, journal: str) -> None:
        """A sealed window has replaced this journal."""

    def writer(self, tier: Tier, window: float, journals: list[str]) -> Writing:
        """Begin a window of a tier, which replaces these journals."""

    def claim(self, tier: Tier, window: float) -> bool:
        """Whether this hub is the one to make this window."""

    def windows(self, tier: Tier) -> list[float]:
        """The starts of a tier's windows, oldest first."""

    def remove(self, tier: Tier, window: float) -> int:
        """Delete a window; returns the bytes that gave."""

    def subjects(self, tier: Tier, window: float) -> set[tuple[str, str]]:
        """Whose samples a window holds: (kind, subject)."""

    def read(self, tier: Tier, window: float, kind: str, subject: str) -> Iterator[tuple[Block, Any, memoryview]]:
        """The sound blocks of one subject: (index entry, head, body)."""

    def covered(self, window: float) -> set[str]:
        """Names of the journals that the raw windows replace."""

    def alone(self, window: float) -> frozenset[tuple[str, str]]:
        """Subjects of a raw window of which the shelf has what was sealed here last, and nothing else."""

    def use(self) -> tuple[TierUse, ...]:
        """What each tier weighs and spans."""


class Shelf:
    """All segment files below one directory."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.patience = 0.0
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

    def journal(self, window: float) -> Journal:
        """A new journal file."""
        return Journal(self.path(RAW, window, "journal"))

    def weigh(self, journal: str) -> int:
        """Bytes of a journal file."""
        return os.path.getsize(journal)

    def drop(self, journal: str) -> None:
        """Delete a journal file."""
        os.unlink(journal)

    def writer(self, tier: Tier, window: float, journals: list[str]) -> Sealed:
        """A new segment file."""
        return Sealed(self, tier, window, self.path(tier, window, "segment"), journals)

    def claim(self, tier: Tier, window: float) -> bool:
        """A directory has one hub."""
        return True

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

    def alone(self, window: float) -> frozenset[tuple[str, str]]:
        """All, where a single file holds the window."""
        files = self._files[RAW.name].get(window, [])
        return frozenset(self._index(files[0])) if len(files) == 1 else frozenset()

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


class Sealed(SegmentWriter):
    """A segment file that is on its shelf as soon as it is sealed."""

    def __init__(self, shelf: Shelf, tier: Tier, window: float, path: str, journals: list[str]) -> None:
        super().__init__(path, [os.path.basename(journal) for journal in journals])
        self._shelf, self._tier, self._window = shelf, tier, window

    def seal(self) -> None:
        """Finish, sync, rename, and put it on the shelf."""
        super().seal()
        self._shelf.add(self._tier, self._window, self.path)


def make_again(shelf: Shelving, late: float) -> None:
    """Remove the windows that lack what came late to a raw one: so they are due, if all they are made of is there."""
    stale = []
    for source, tier in pairwise(TIERS):
        window, finer = late // tier.span * tier.span, shelf.windows(source)
        if window in shelf.windows(tier) and finer and finer[0] <= window:
            stale.append((tier, window))
    for tier, window in stale:
        shelf.remove(tier, window)
