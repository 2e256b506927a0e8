"""Samples: taken into rings, written to journals every 10 s, sealed by the window, rolled up, kept within the budget.

Theory.  One window's life: its streams grow in memory, and a journal repeats them on disk, so that a crash costs at
most SAMPLE_LOSS_SECONDS.  When the window is over (GRACE seconds later, or when memory runs short) its streams become
one sealed segment and its journals go.  A window of a coarser tier is made from the finer tier's when it is over; that
it is missing is the only sign that it is due, so a crash at any point just repeats the work.  Then retention takes what
is too old, tier by tier, and the budget what is too much: the oldest window of the finest tier goes first.

All that is one generator that pauses after each process; `tend` runs it for a slice and keeps it for the next.
"""

from __future__ import annotations

import inspect
import os
import time
from array import array
from collections.abc import Callable, Generator, Iterator
from itertools import pairwise
from math import isfinite

from hub.monitor.history import Point
from hub.store.base import SAMPLE_LOSS_SECONDS
from hub.store.errors import BadRow
from hub.store.recall import LAYOUTS, rolled
from hub.store.rings import WINDOW, Key, Rings, Rosters, Stream, tail
from hub.store.rows import Retention
from hub.store.segments import Block, read_journal
from hub.store.shelf import RAW, TIERS, Journalling, Shelving, Tier, Writing
from wire.model import RosterRow

__all__ = ["Samples"]

GRACE = 10.0
"""Seconds a window waits for late samples after its end."""

RING_BYTES = 128 * 1024 * 1024
"""Memory of open windows above which they are sealed early; 10,000 agents of 10 processes reach it in two minutes."""

SLICE = 0.05
"""Seconds of upkeep at a time, so that an acknowledgement waits no longer."""

SAY_AGAIN = 3600.0
"""Seconds before a note is repeated."""


class Sealing:
    """A window that has left the rings and is not yet a segment."""

    def __init__(self, window: float, streams: dict[Key, Stream], journals: list[str]) -> None:
        self.window, self.streams, self.journals = window, streams, journals


class Samples:
    """Everything about the samples of one hub; used by one thread."""

    def __init__(self, shelf: Shelving, budget: int, retention: Retention, ring_bytes: int = RING_BYTES) -> None:
        self.shelf = shelf
        self.rings, self.rosters = Rings(), Rosters()
        self.budget = budget
        self.taken = self.late = 0
        self.newest: dict[str, tuple[Stream, float, bytes]] = {}
        """The last sample of each agent."""
        self.sealing: list[Sealing] = []
        self._keep = (retention.raw, retention.minute, retention.ten_minutes, retention.hour)
        self._ring_bytes = min(ring_bytes, budget // 4)
        self._journals: dict[float, Journalling] = {}
        self._old: dict[float, list[str]] = {}
        self._work: Generator[None, None, None] | None = None
        self._now = self._flushed = 0.0
        self._said: dict[str, float] = {}
        self._notes: list[str] = []
        self._recover()

    # -- intake ------------------------------------------------------------------------------------------------------

    def put(self, key: Key, rows: tuple[RosterRow, ...], at: float, blob: bytes) -> None:
        """Take one packed sample; one that is too late, or not younger than the last, is counted and left out."""
        stream = self.rings.stream(key, at) or self._open(key, rows, at)
        if stream is None or not self.rings.put(stream, at, blob):
            self.late += 1
            return
        self.taken += stream.height
        if key.kind == "process":
            self.newest[key.subject] = (stream, at, blob)

    def _open(self, key: Key, rows: tuple[RosterRow, ...], at: float) -> Stream | None:
        if not (isfinite(at) and at > 0) or (self._now and at > self._now + 2 * WINDOW):
            raise BadRow(f"a sample at {at} is not of this time")
        if at // WINDOW * WINDOW + WINDOW + GRACE <= self._now:
            return None
        return self.rings.open(key, at, LAYOUTS[key.kind], rows)

    # -- journals ----------------------------------------------------------------------------------------------------

    def flush(self, now: float) -> None:
        """Write all that is only in memory to the journals.  Raises OSError; what was not written is tried again."""
        self._flushed = now
        for window in list(self.rings.windows):
            streams = self.rings.unwritten(window)
            if streams:
                self._append(window, streams)

    def close(self, now: float) -> None:
        """Flush, and release the journals' descriptors whatever comes of that."""
        try:
            self.flush(now)
        finally:
            for journal in self._journals.values():
                journal.close()

    def _append(self, window: float, streams: list[Stream]) -> None:
        journal = self._journals.get(window)
        if journal is None:
            journal = self._journals[window] = self.shelf.journal(window)
        parts = [(stream, *tail(stream)) for stream in streams]
        journal.append([(s.key, s.rows, times.tobytes(), blobs) for s, times, blobs in parts])
        for stream in streams:
            stream.written = len(stream.times)

    def _recover(self) -> None:
        """Read the journals a crash or a stop left; those that a segment replaces go, damaged ones stay."""
        for path, window in sorted(self.shelf.journals.items(), key=_number):
            if os.path.basename(path) in self.shelf.covered(window):
                os.unlink(path)
                continue
            found, problem = read_journal(path)
            for (kind, subject, boot, roster, rows, count), body in found:
                self._replay(Key(kind, subject, boot, roster), tuple(RosterRow(*row) for row in rows), count, body)
            if problem:
                self.shelf.problems[path] = f"{path}: {problem}; all before that was read; kept as {path}.damaged"
                os.rename(path, path + ".damaged")
            else:
                self._old.setdefault(window, []).append(path)
        self.taken = self.late = 0

    def _replay(self, key: Key, rows: tuple[RosterRow, ...], count: int, body: bytes) -> None:
        """Samples of a journal; they count as unwritten, so that a journal of ours will have them all."""
        width = (len(body) - 8 * count) // max(1, count)
        for number, at in enumerate(array("d", body[: 8 * count])):
            self.put(key, rows, at, body[8 * count + number * width : 8 * count + (number + 1) * width])

    # -- upkeep ------------------------------------------------------------------------------------------------------

    def tend(self, now: float) -> tuple[tuple[str, ...], bool]:
        """A slice of what is due; returns what a person should see, and whether there is more."""
        self._now = now
        if not 0 <= now - self._flushed < SAMPLE_LOSS_SECONDS:
            self._attempt(self.flush, now)
        more = self._attempt(self._go_on, now) or False
        for problem in self.shelf.problems.values():
            self.say(now, problem)
        notes, self._notes = tuple(self._notes), []
        return notes, more

    def _attempt(self, effect: Callable[[float], bool | None], now: float) -> bool | None:
        try:
            return effect(now)
        except OSError as error:
            self.say(now, f"samples cannot be written ({error}); they stay in memory while there is room", "write")
            self._make_room(now)
            return None

    def _go_on(self, now: float) -> bool:
        """Upkeep for a slice; True if it is not through.  What raised is begun anew the next time."""
        if self._work is None or inspect.getgeneratorstate(self._work) == inspect.GEN_CLOSED:
            self._work = self._upkeep(now)
        end = time.monotonic() + SLICE
        for _ in self._work:
            if time.monotonic() >= end:
                return True
        self._work = None
        return False

    def _upkeep(self, now: float) -> Generator[None, None, None]:
        self._collect(now)
        while self.sealing:
            yield from self._seal(self.sealing[0])
            self.sealing.pop(0)
        for source, tier in pairwise(TIERS):
            for window in self._due(source, tier, now):
                yield from self._roll(source, tier, window)
        self._retire(now)
        self._fit(now)

    def _collect(self, now: float) -> None:
        """Take the windows that are over out of the rings - all of them where memory runs short."""
        full = self.rings.memory > self._ring_bytes
        for window in [w for w in sorted(self.rings.windows) if full or w + WINDOW + GRACE <= now]:
            journal = self._journals.pop(window, None)
            if journal:
                journal.close()
            journals = self._old.pop(window, []) + ([journal.path] if journal else [])
            self.sealing.append(Sealing(window, self.rings.take(window), journals))
        for agent in [agent for agent, (_, at, _) in self.newest.items() if at + WINDOW < now]:
            del self.newest[agent]

    def _seal(self, sealing: Sealing) -> Iterator[None]:
        writer = self.shelf.writer(RAW, sealing.window, sealing.journals)
        try:
            for key, s in sealing.streams.items():
                block = Block(key.kind, key.subject, key.boot, s.times[0], s.times[-1], 0, 0)
                head = [key.roster, [list(row) for row in s.rows], len(s.times)]
                writer.add(b"RAWB", block, head, s.times.tobytes() + s.data)
                yield
            writer.seal()
        except BaseException:
            writer.abandon()
            raise
        for journal in sealing.journals:
            self.shelf.drop(journal)

    def _due(self, source: Tier, tier: Tier, now: float) -> list[float]:
        """Windows of a tier that are over, have finer ones to be made from, and are missing."""
        wanted = {window // tier.span * tier.span for window in self.shelf.windows(source)}
        have = set(self.shelf.windows(tier))
        over = [w for w in sorted(wanted - have) if w + tier.span + GRACE + self.shelf.patience <= now]
        return [w for w in over if self.shelf.claim(tier, w)]

    def _roll(self, source: Tier, tier: Tier, window: float) -> Iterator[None]:
        inner = [w for w in self.shelf.windows(source) if window <= w < window + tier.span]
        writer = self.shelf.writer(tier, window, [])
        try:
            for who in sorted({who for w in inner for who in self.shelf.subjects(source, w)}):
                yield from self._roll_subject(writer, source, inner, who, tier.step)
            writer.seal()
        except BaseException:
            writer.abandon()
            raise

    def _roll_subject(
        self, writer: Writing, source: Tier, windows: list[float], who: tuple[str, str], step: float
    ) -> Iterator[None]:
        """One block for each boot of the subject; pauses after each instance."""
        boots: dict[str, list[tuple[RosterRow, list[Point]]]] = {}
        for (boot, _, _), row, points in rolled(self.shelf, source, windows, who, step):
            if points:
                boots.setdefault(boot, []).append((row, points))
            yield
        for boot, mine in sorted(boots.items()):
            start = min(points[0].at for _, points in mine)
            end = max(points[-1].at for _, points in mine)
            head = [[list(row), len(points)] for row, points in mine]
            body = b"".join(LAYOUTS[who[0]].pack(points) for _, points in mine)
            writer.add(b"TIER", Block(who[0], who[1], boot, start, end, 0, 0), head, body)

    # -- limits ------------------------------------------------------------------------------------------------------

    @property
    def used(self) -> int:
        """Bytes on disk: segments and journals."""
        journals = [journal.path for journal in self._journals.values()]
        journals += [path for paths in self._old.values() for path in paths]
        journals += [path for one in self.sealing for path in one.journals]
        return sum(use.size for use in self.shelf.use()) + sum(self.shelf.weigh(path) for path in journals)

    @property
    def memory(self) -> int:
        """Bytes in memory."""
        return self.rings.memory + sum(s.memory for one in self.sealing for s in one.streams.values())

    def _retire(self, now: float) -> None:
        for tier, keep in zip(TIERS, self._keep, strict=True):
            for window in self.shelf.windows(tier):
                if window + tier.span < now - keep:
                    self.shelf.remove(tier, window)

    def _fit(self, now: float) -> None:
        """Drop the oldest windows of the finest tier that has any, until the budget holds."""
        excess, dropped = self.used - self.budget, ""
        for tier in TIERS:
            for window in self.shelf.windows(tier):
                if excess > 0:
                    excess -= self.shelf.remove(tier, window)
                    dropped = f"{tier.name} samples before {_utc(window + tier.span)}"
        if dropped:
            self.say(now, f"sample_budget of {self.budget} bytes is used up: dropped {dropped}", "budget")

    def _make_room(self, now: float) -> None:
        """The disk takes nothing and memory is full: give up the oldest window."""
        while self.memory > 2 * self._ring_bytes and self.sealing:
            lost = self.sealing.pop(0)
            self.say(now, f"samples of {_utc(lost.window)} were dropped: neither disk nor memory has room", "room")

    def say(self, now: float, line: str, topic: str = "") -> None:
        """Note a line unless its topic was said within the hour."""
        if now >= self._said.get(topic or line, -SAY_AGAIN) + SAY_AGAIN:
            self._said[topic or line] = now
            self._notes.append(line)


def _number(item: tuple[str, float]) -> int:
    """A journal's number: the order in which they were begun."""
    return int(item[0].rpartition("-")[2].partition(".")[0])


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at))
