"""What a hub writes of an open window to Redis, every 10 s: little and cheap, since the sealed window replaces it.

Theory.  The first field of a stream holds its roster and its first samples whole.  All later ones hold how theirs
differ from the very first (hub.store.thin), so no field needs any but the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from hub.store.rings import Key
from hub.store.segments import SHEET, squeeze
from hub.store.thin import Unwritten

__all__ = ["FIELD_BYTES", "SPARSE", "Held", "Written"]

FIELD_BYTES = 100
"""What Redis itself needs for a block, roughly."""

SPARSE = "sparse"
"""First word of the head of a field that holds differences: [SPARSE, roster, samples]."""

Who = tuple[str, str]
Written = tuple[Who, dict[str, bytes], list[str], int]
"""Subject, fields, the fields they replace, the bytes these had."""


class Held:
    """A journal: what this hub wrote of the streams of one window that it has in memory."""

    def __init__(self, path: str, put: Callable[[list[Written]], None]) -> None:
        self.path, self._put = path, put
        self._streams: dict[Key, int] = {}
        self.fields: defaultdict[Key, dict[str, int]] = defaultdict(dict)
        """Each stream's fields and what they weigh."""

    def append(self, parts: list[Unwritten]) -> None:
        """Write the samples of some streams that are not written yet."""
        found = [self._written(part) for part in parts]
        self._put(found)
        for part, (_, fields, _, _) in zip(parts, found, strict=True):
            self.fields[part.key] |= {name: len(data) + FIELD_BYTES for name, data in fields.items()}

    def _written(self, part: Unwritten) -> Written:
        key, count = part.key, part.number
        if part.before:
            data = squeeze([key.boot, [SPARSE, key.roster, count]], part.times + part.data, SHEET)
        else:
            data = squeeze([key.boot, [key.roster, part.rows, count]], part.times + part.data)
        return (key.kind, key.subject), {f"{self.stream(key)}:{len(self.fields[key])}": data}, [], 0

    def stream(self, key: Key) -> str:
        """The beginning of the names of a stream's fields."""
        return f"{self.path}:{self._streams.setdefault(key, len(self._streams))}"

    def close(self) -> None:
        """Nothing to release."""
