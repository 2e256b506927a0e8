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

from hub.monitor.sheets import sheet_of
from hub.store.base import SAMPLE_LOSS_SECONDS
from hub.store.errors import BadRow
from hub.store.recall import LAYOUTS, rolled
from hub.store.rings import WINDOW, Key, Last, Rings, Rosters, Stream
from hub.store.rolling import folded, head_of, reread, spread
from hub.store.rows import Retention
from hub.store.segments import SHEET, TABLE, Block, read_journal
from hub.store.shelf import RAW, TIERS, Journalling, Shelving, Tier, Writing, make_again
from hub.store.thin import unwritten
from hub.store.tiers import Part, block_of, of_points
from wire import limits
from wire.model import RosterRow

__all__ = ["Samples"]

GRACE = 10.0
"""Seconds a window waits for late samples after its end."""

RING_BYTES = 128 * 1024 * 1024
"""Memory of open windows above which they are sealed early; 10,000 agents of 10 processes reach it in two minutes."""

SLICE = 0.005
"""Seconds of upkeep at a time, so that an acknowledgement waits no longer."""

TOGETHER = 100
"""Streams whose samples are written out at one time: some milliseconds of Redis."""

HELD_SECONDS = WINDOW + 120.0
"""How long points wait for their window of the first tier; another hub that claimed it has made it by then."""

LATE_SECONDS = limits.BACKLOG_SECONDS + WINDOW
"""How old a window may be that takes samples which agents kept while they were cut off; less, where `keep_raw` is."""

LATE_HOLD = 300.0
"""A window that was opened again is sealed so much later: once for all agents that come back together."""

SAY_AGAIN = 3600.0
"""Seconds before a note is repeated."""


class Sealing:
    """A window that has left the rings and is not yet a segment."""

    def __init__(self, window: float, streams: dict[Key, Stream], journals: list[str], again: bool) -> None:
        self.window, self.streams, self.journals, self.again = window, streams, journals, again


class Samples:
    """Everything about the samples of one hub; used by one thread."""

    def __init__(self, shelf: Shelving, budget: int, retention: Retention, ring_bytes: int = RING_BYTES) -> None:
        self.shelf = shelf
        self.rings, self.rosters = Rings(), Rosters()
        self.budget = budget
        self.taken = self.late = 0
        self.newest: dict[str, Stream | Last] = {}
        """What holds the last sample of each agent."""
        self.boxes: dict[str, Stream] = {}
        """The open stream that holds the last sample of each container."""
        self.sealing: list[Sealing] = []
        self._folded: dict[float, dict[tuple[str, str], list[Part]]] = {}
        """Raw windows that were sealed as a whole: the points of the first tier, until it is due."""
        self._keep = (retention.raw, retention.minute, retention.ten_minutes, retention.hour)
        self._ring_bytes = min(ring_bytes, budget // 4)
        self._journals: dict[float, Journalling] = {}
        self._old: dict[float, list[str]] = {}
        self._again: dict[float, float] = {}
        """Windows that were opened again, and when."""
        self._work: Generator[None, None, None] | None = None
        self._flushing: Generator[None, None, None] | None = None
        self._now = self._flushed = 0.0
        self._said: dict[str, float] = {}
        self._notes: list[str] = []
        self._recover()

    # -- intake ------------------------------------------------------------------------------------------------------

    def put(self, key: Key, rows: tuple[RosterRow, ...], at: float, blob: bytes) -> None:
        """Take one packed sample; one that is too late, or that is there already, is counted and left out."""
        stream = self.rings.stream(key, at) or self._open(key, rows, at)
        if stream is None:
            self.late += 1
        elif self.add(stream, at, blob):
            held = self.newest if key.kind == "process" else self.boxes
            before = held.get(key.subject)
            if before is None or stream.at >= before.at:
                held[key.subject] = stream

    def add(self, stream: Stream, at: float, blob: bytes) -> bool:
        """Take a sample into an open stream whose window its time lies in; False if it is there already."""
        if not self.rings.put(stream, at, blob) and not self.rings.put_behind(stream, at, blob):
            self.late += 1
            return False
        self.taken += stream.height
        return True

    def _open(self, key: Key, rows: tuple[RosterRow, ...], at: float) -> Stream | None:
        if not (isfinite(at) and at > 0) or (self._now and at > self._now + 2 * WINDOW):
            raise BadRow(f"a sample at {at} is not of this time")
        window = at // WINDOW * WINDOW
        if window + WINDOW + GRACE <= self._now:
            if window < self._now - min(LATE_SECONDS, self._keep[0] - WINDOW):
                return None
            self._again.setdefault(window, self._now)
        return self.rings.open(key, at, LAYOUTS[key.kind], rows)

    # -- journals ----------------------------------------------------------------------------------------------------

    def flush(self, now: float) -> None:
        """Write all that is only in memory to the journals.  Raises OSError; what was not written is tried again."""
        self._flushing = None
        for _ in self._flush(now):
            pass

    def _flush(self, now: float) -> Generator[None, None, None]:
        """The same, with a pause after some streams."""
        self._flushed = now
        for window in list(self.rings.windows):
            streams = self.rings.unwritten(window)
            for first in range(0, len(streams), TOGETHER):
                some = [stream for stream in streams[first : first + TOGETHER] if stream.written < len(stream.times)]
                if some and window in self.rings.windows:
                    self._append(window, some)
                yield

    def close(self, now: float) -> None:
        """Flush, and release the journals' descriptors whatever comes of that."""
        try:
            self.flush(now)
            for window in self._again:  # whoever opens the store next makes the coarser ones
                make_again(self.shelf, window)
        finally:
            for journal in self._journals.values():
                journal.close()

    def _append(self, window: float, streams: list[Stream]) -> None:
        journal = self._journals.get(window)
        if journal is None:
            journal = self._journals[window] = self.shelf.journal(window)
        journal.append(unwritten(streams))
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
        if self._flushing is None and not 0 <= now - self._flushed < SAMPLE_LOSS_SECONDS:
            self._flushing = self._flush(now)
        more = self._attempt(self._write_on, now) or self._attempt(self._go_on, now) or False
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

    def _write_on(self, now: float) -> bool:
        """Write samples out for a slice; True if there are more."""
        work, end = self._flushing, time.monotonic() + SLICE
        self._flushing = None  # what raises is begun anew when it is due again
        for _ in work or ():
            if time.monotonic() >= end:
                self._flushing = work
                return True
        return False

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
        self._folded = {window: parts for window, parts in self._folded.items() if window + HELD_SECONDS > now}
        self._retire(now)
        self._fit(now)

    def _collect(self, now: float) -> None:
        """Take the windows that are over out of the rings - all of them where memory runs short."""
        full = self.rings.memory > self._ring_bytes
        for window in [w for w in sorted(self.rings.windows) if full or self._seals_at(w) <= now]:
            journal = self._journals.pop(window, None)
            if journal:
                journal.close()
            journals = self._old.pop(window, []) + ([journal.path] if journal else [])
            self._take(window, journals)
        for agent in [agent for agent, last in self.newest.items() if last.at + WINDOW < now]:
            del self.newest[agent]

    def _take(self, window: float, journals: list[str]) -> None:
        streams = self.rings.take(window)
        self.sealing.append(Sealing(window, streams, journals, self._again.pop(window, None) is not None))
        for key, stream in streams.items():
            if self.newest.get(key.subject) is stream:
                self.newest[key.subject] = Last(stream)
            elif self.boxes.get(key.subject) is stream:
                del self.boxes[key.subject]

    def _seals_at(self, window: float) -> float:
        over = window + WINDOW + GRACE
        return max(over, self._again[window] + LATE_HOLD) if window in self._again else over

    def _seal(self, sealing: Sealing) -> Iterator[None]:
        window = sealing.window
        if window in self.shelf.windows(RAW) or window not in self.shelf.windows(TIERS[1]):
            yield from self._finish(sealing)
            make_again(
                self.shelf, window
            )  # else its raw samples are gone, and the few that came late must not replace them
        for journal in sealing.journals:
            self.shelf.drop(journal)

    def _finish(self, sealing: Sealing) -> Iterator[None]:
        parts: dict[tuple[str, str], list[Part]] = {}
        over = sealing.window + WINDOW <= self._now
        whole = over and not sealing.again and sealing.window not in self._folded
        writer = self.shelf.writer(RAW, sealing.window, sealing.journals)
        try:
            for key, s in sealing.streams.items():
                block = Block(key.kind, key.subject, key.boot, s.times[0], s.times[-1], 0, 0)
                sheet = sheet_of(s.layout, s.height, s.times, s.data)
                writer.add(SHEET, block, head_of(s), sheet.packed())
                if whole:
                    parts.setdefault((key.kind, key.subject), []).extend(folded(s.boot, s.rows, sheet, TIERS[1].step))
                yield
            writer.seal()
        except BaseException:
            writer.abandon()
            raise
        self._folded[sealing.window] = parts

    def _due(self, source: Tier, tier: Tier, now: float) -> list[float]:
        """Windows of a tier that are over, have finer ones to be made from, and are missing."""
        wanted = {window // tier.span * tier.span for window in self.shelf.windows(source)}
        have = set(self.shelf.windows(tier))
        over = [w for w in sorted(wanted - have) if w + tier.span + GRACE + self.shelf.patience <= now]
        return [w for w in over if self.shelf.claim(tier, w)]

    def _roll(self, source: Tier, tier: Tier, window: float) -> Iterator[None]:
        inner = [w for w in self.shelf.windows(source) if window <= w < window + tier.span]
        ready = self._folded.pop(window, {}) if source is RAW else {}
        alone = self.shelf.alone(window) if ready else frozenset()
        writer = self.shelf.writer(tier, window, [])
        try:
            for who in sorted({who for w in inner for who in self.shelf.subjects(source, w)}):
                parts = ready.get(who, []) if who in alone else []
                if not parts or spread(parts):
                    parts = yield from self._parts(source, inner, who, tier.step)
                _write(writer, who, parts)
                yield
            writer.seal()
        except BaseException:
            writer.abandon()
            raise

    def _parts(
        self, source: Tier, windows: list[float], who: tuple[str, str], step: float
    ) -> Generator[None, None, list[Part]]:
        """One subject's points out of a finer tier; pauses after each instance."""
        if source is RAW:
            layout = LAYOUTS[who[0]]
            return [part for window in windows for part in reread(self.shelf, source, window, who, layout, step)]
        parts: list[Part] = []
        for (boot, _, _), row, points in rolled(self.shelf, source, windows, who, step):
            if points:
                parts.append(of_points(LAYOUTS[who[0]], boot, row, points))
            yield
        return parts

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


def _write(writer: Writing, who: tuple[str, str], parts: list[Part]) -> None:
    """One block for each boot of the subject."""
    boots: dict[str, list[Part]] = {}
    for part in parts:
        boots.setdefault(part.boot, []).append(part)
    for boot, mine in sorted(boots.items()):
        writer.add(TABLE, *block_of(LAYOUTS[who[0]], who, boot, mine))


def _number(item: tuple[str, float]) -> int:
    """A journal's number: the order in which they were begun."""
    return int(item[0].rpartition("-")[2].partition(".")[0])


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at))
