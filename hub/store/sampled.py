"""The half of a store about samples, the same for every back end: only where its windows lie differs (`Samples.shelf`).

It takes packed columns in, checks their shape, and answers histories from memory and shelf together.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import isfinite, nan
from struct import Struct
from struct import error as StructError

import msgpack

from hub.monitor.history import CONTAINER, PROCESS, History
from hub.store.base import Store
from hub.store.blocks import blocks_of, restore
from hub.store.errors import BadRow
from hub.store.recall import recall
from hub.store.rings import Key
from hub.store.rows import ContainerSample, Latest, Sample, SampleBlock, Taking
from hub.store.samples import Samples
from wire.model import RosterRow

__all__ = ["Sampled"]

_NAMES = tuple(name for name, _, _ in PROCESS.sizes)
_CONTAINER = Struct("<" + "".join(column.code for column in CONTAINER.columns))


class Sampled(Store):
    """The samples of a store (abstract: all else is missing)."""

    _samples: Samples

    def put_roster(self, agent: str, boot: str, number: int, rows: Sequence[RosterRow]) -> None:
        kept = tuple(RosterRow(*row) for row in rows)
        try:
            msgpack.packb([agent, boot, number, kept])
        except (TypeError, ValueError, OverflowError) as error:
            raise BadRow(f"roster {number} of {agent} cannot be stored: {error}") from None
        if kept:
            self._samples.rosters.put(Key("process", agent, boot, number), kept)

    def put_samples(self, agent: str, boot: str, roster: int, at: float, columns: Mapping[str, bytes]) -> bool:
        key = Key("process", agent, boot, roster)
        rows = self._samples.rosters.get(key)
        if rows is None:
            return False
        self._samples.put(key, rows, at, _blob(columns, _lengths(len(rows))))
        return True

    def take_samples(self, samples: Sequence[Sample], containers: Sequence[ContainerSample]) -> Taking:
        taken, newest, unknown, refused = self._samples, self._samples.newest, [], 0
        for agent, boot, roster, at, columns in samples:
            stream = newest.get(agent)
            if stream is None or not stream.start <= at < stream.end or stream.roster != roster or stream.boot != boot:
                stream = None
            try:
                if stream is not None:
                    taken.add(stream, at, _blob(columns, stream.lengths))  # type: ignore[arg-type]
                elif not self.put_samples(agent, boot, roster, at, columns):
                    unknown.append(agent)
            except BadRow:
                refused += 1
        for container, at, values in containers:
            box = taken.boxes.get(container)
            try:
                if box is not None and box.start <= at < box.end:
                    taken.add(box, at, _packed(values))
                else:
                    self.put_container(container, at, values)
            except BadRow:
                refused += 1
        return Taking(tuple(unknown), refused)

    def put_container(self, container: str, at: float, values: Sequence[float | None]) -> None:
        self._samples.put(Key("container", container), (), at, _packed(values))

    def process_history(
        self,
        agent: str,
        start: float,
        end: float,
        step: float | None = None,
        program: str | None = None,
        pid: int | None = None,
        start_ticks: int | None = None,
    ) -> History:
        if (program is None) == (pid is None):
            raise BadRow("a history of processes needs either a program or a pid")
        return self._history(("process", agent), _match(program, pid, start_ticks), start, end, step)

    def container_history(self, container: str, start: float, end: float, step: float | None = None) -> History:
        return self._history(("container", container), lambda row: True, start, end, step)

    def _history(
        self, who: tuple[str, str], match: Callable[[RosterRow], bool], start: float, end: float, step: float | None
    ) -> History:
        if not (isfinite(start) and isfinite(end) and start <= end) or (step is not None and step <= 0):
            raise BadRow(f"no history from {start} to {end} by {step}")
        samples = self._samples
        streams = [(one.window, s) for one in samples.sealing for s in one.streams.values() if s.key[:2] == who]
        return recall(samples.shelf, [*streams, *samples.rings.of(*who)], who, match, (start, end), step)

    def blocks(self) -> Iterator[SampleBlock]:
        return blocks_of(self._samples)

    def restore_blocks(self, tier: str, window: float, blocks: Iterable[SampleBlock]) -> None:
        restore(self._samples.shelf, tier, window, blocks)

    def latest(self, agent: str) -> Latest | None:
        found = self._samples.newest.get(agent)
        if found is None:
            return None
        columns: dict[str, array[float]] = {}
        blob, offset = found.blob, 0
        for (name, _, code), length in zip(PROCESS.sizes, found.lengths, strict=True):
            columns[name] = array(code, blob[offset : offset + length])
            offset += length
        return Latest(agent, found.key.boot, found.at, found.rows, columns)


def _blob(columns: Mapping[str, bytes], lengths: list[int]) -> bytes:
    """The columns in our order, unknown ones filled with NaN; `lengths` are the bytes of each."""
    if tuple(columns) == _NAMES and [*map(len, columns.values())] == lengths:
        return b"".join(columns.values())
    parts = []
    for (name, size, code), length in zip(PROCESS.sizes, lengths, strict=True):
        part = columns.get(name)
        if part is None:
            part = array(code, [nan] * (length // size)).tobytes()
        elif len(part) != length:
            raise BadRow(f"column {name} has {len(part)} bytes instead of {length} for {length // size} rows")
        parts.append(part)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _lengths(rows: int) -> list[int]:
    return [size * rows for _, size, _ in PROCESS.sizes]


def _packed(values: Sequence[float | None]) -> bytes:
    try:
        return _CONTAINER.pack(*([nan if value is None else value for value in values] if None in values else values))
    except (StructError, OverflowError, TypeError) as error:
        raise BadRow(f"a container's sample cannot be stored: {error}") from None


def _match(program: str | None, pid: int | None, start_ticks: int | None) -> Callable[[RosterRow], bool]:
    if program is not None:
        return lambda row: row.kind == "program" and row.program == program
    return lambda row: row.pid == pid and (start_ticks is None or row.start_ticks == start_ticks)
