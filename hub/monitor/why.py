"""Why something ended: its memory, exits, commands, states, storms and engine's words as one timeline.  Pure.

Theory.  Every source already has times of the hub's clock, so a timeline is a sort; at equal times the cause comes
before its effect (a command before the exit).  The verdict is one sentence about the newest end of a process or of the
whole container, by a table over its cause; memory is told only where samples show it, and the limit follows from a
sample's own share of it.  What is not known is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hub.monitor.history import History
from hub.monitor.inquest import doer, ending
from hub.store.rows import CommandRow, FactRow
from wire._record import Record
from wire.model import Cause, Exit, State, StateChange, full_name

ORDER = ("memory", "command", "engine", "state", "exit", "presence", "storm", "note")
"""Kinds of entries as they follow each other at one moment."""
TREND_SECONDS = 900.0
"""Length of the stretch of samples before an end that is looked at."""
RISE = 1.2
"""Memory that grew by this factor is said to have risen."""
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
DEATHS = frozenset({"container died", "oom of the whole container"})
"""Notes that tell the end of a whole container."""
FORGET = frozenset({"at", "agent", "name", "note", "container"})


class Entry(Record):
    """One line of a timeline."""

    at: float
    kind: str
    """One of ORDER."""
    about: str
    """The process it is about, "" for the agent or container as a whole."""
    text: str


class Trend(Record):
    """Resident memory in the samples before a moment."""

    first_at: float
    first: float
    last_at: float
    last: float
    most: float
    limit: float | None
    """The container's limit (the host's memory where it has none); None where unknown."""

    def words(self) -> str:
        """`memory rose from 120 MiB to 512 MiB (limit 512 MiB)`."""
        limit = "" if self.limit is None else f" (limit {size(self.limit)})"
        if self.last >= RISE * self.first:
            return f"memory rose from {size(self.first)} to {size(self.last)}{limit}"
        most = f", at most {size(self.most)}" if self.most >= RISE * self.last else ""
        return f"memory was {size(self.last)}{most}{limit}"


def size(count: float) -> str:
    """Bytes for a sentence: `120 MiB`."""
    unit = 0
    while count >= 1024 and unit < len(UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {UNITS[unit]}" if count >= 10 or unit == 0 else f"{count:.1f} {UNITS[unit]}"


def trend_of(found: History | None, before: float) -> Trend | None:
    """What the samples before a moment say; None without any.  Takes a process's history and a container's."""
    if found is None:
        return None
    column = "rss" if "rss" in found.columns else "memory"
    sizes = found.columns[column]
    seen = [
        (at, size, index)
        for index, (at, size) in enumerate(zip(found.times, sizes, strict=True))
        if at <= before and size == size
    ]
    if not seen:
        return None
    (first_at, first, _), (last_at, last, index) = seen[0], seen[-1]
    return Trend(first_at, first, last_at, last, max(size for _, size, _ in seen), _limit(found, index, last))


def _limit(found: History, index: int, last: float) -> float | None:
    """From a container's own column, or from a process's share of it."""
    for column in ("memory_limit", "memory_share"):
        value = found.columns[column][index] if column in found.columns else 0.0
        if value > 0:  # False for NaN
            return value if column == "memory_limit" else last / value
    return None


# -- the timeline ----------------------------------------------------------------------------------------------------


def timeline(
    facts: Iterable[FactRow], commands: Iterable[CommandRow], trend: Trend | None, program: str = ""
) -> list[Entry]:
    """All entries, oldest first; those about another process than `program` are left out."""
    entries = [entry for row in facts for entry in _fact(row)]
    entries += [entry for row in commands for entry in _command(row, program)]
    if trend is not None:
        ago = f"; last sample, {trend.last_at - trend.first_at:.0f} s after the first"
        entries.append(Entry(trend.last_at, "memory", program, trend.words() + ago))
    chosen = [entry for entry in entries if not program or entry.about in ("", program)]
    return sorted(chosen, key=lambda entry: (entry.at, ORDER.index(entry.kind)))


def _fact(row: FactRow) -> list[Entry]:
    body = row.body
    if isinstance(body, Exit):
        return [Entry(row.at, "exit", full_name(body.group, body.name), exit_words(body))]
    if isinstance(body, StateChange):
        by = f", by {body.by}" if body.by else ""
        why = f" ({body.why})" if body.why else ""
        return [Entry(row.at, "state", full_name(body.group, body.name), f"{body.previous} -> {body.state}{why}{by}")]
    return [Entry(row.at, *_note(body))]


def exit_words(body: Exit) -> str:
    """One exit in a line."""
    last = f"; last line: {body.last_lines[-1]}" if body.last_lines else ""
    why = f" ({body.why})" if body.why else ""
    forced = ", needed SIGKILL" if body.escalated else ""
    return f"{ending(body)} after {body.run_time:.1f} s: {doer(body)}{why}{forced}{last}"


def _note(body: Mapping[str, Any]) -> tuple[str, str, str]:
    """Kind, process and words of a note."""
    note = str(body.get("note", ""))
    if note == "presence":
        return "presence", "", f"{body.get('previous') or 'new'} -> {body.get('presence')}: {body.get('reason')}"
    if note == "storm":
        about = str(body.get("process") or "")
        return "storm", about, f"crash storm {body.get('phase')}: {body.get('exits')} exits, {body.get('words', '')}"
    if note == "engine" or note in DEATHS:
        return "engine", "", str(body.get("words") or note)
    details = " ".join(f"{key}={value}" for key, value in body.items() if key not in FORGET and value is not None)
    return "note", "", f"{note} {details}".strip()


def _command(row: CommandRow, program: str) -> list[Entry]:
    names = row.args.get("names")
    one = row.args.get("name")
    about = [str(name) for name in names] if isinstance(names, (list, tuple)) else [str(one)] if one else [""]
    if program and program not in about and about != [""]:
        return []
    error = f" ({row.error})" if row.error else ""
    text = f"{row.verb} by {row.actor}, command {row.id}: {row.state}{error}"
    return [Entry(row.accepted_at, "command", program if program in about else ", ".join(about), text)]


# -- the verdict -----------------------------------------------------------------------------------------------------


def last_end(facts: Sequence[FactRow], program: str = "") -> FactRow | None:
    """The newest end: an exit (of that program), or the death of the whole container."""
    newest_first = sorted(facts, key=lambda row: row.at, reverse=True)
    return next((row for row in newest_first if _is_end(row, program)), None)


def _is_end(row: FactRow, program: str) -> bool:
    if isinstance(row.body, Exit):
        return not program or full_name(row.body.group, row.body.name) == program
    return not isinstance(row.body, StateChange) and row.body.get("note") in DEATHS


VERDICTS: Mapping[Cause, Callable[[Exit, str], str]] = {
    Cause.EXIT: lambda body, memory: f"ended by itself with {ending(body)}{_quoted(body)}",
    Cause.SIGNAL: lambda body, memory: f"killed by {ending(body)}, which nobody asked for here{memory}{_quoted(body)}",
    Cause.STOPPED: lambda body, memory: f"stopped by {body.by or 'somebody unknown'}{_through(body)}",
    Cause.START_FAILURE: lambda body, memory: f"could not be started: {body.why or body.step or 'unknown'}",
    Cause.OOM: lambda body, memory: f"killed by the OOM killer{memory}",
    Cause.OOM_POSSIBLE: lambda body, memory: f"killed by SIGKILL, perhaps of the OOM killer{memory}",
    Cause.PROBE: lambda body, memory: f"ended by initd because its probe failed: {body.why or 'no reason given'}",
    Cause.RENEWAL: lambda body, memory: f"renewed by initd: {body.why or 'by a rule'}",
    Cause.DEPENDENCY: lambda body, memory: f"ended by initd because what it depends on went away: {body.why}",
}
"""Cause -> the sentence; `memory` is the trend, or empty."""


def _quoted(body: Exit) -> str:
    return f"; its last line: {body.last_lines[-1]}" if body.last_lines else ""


def _through(body: Exit) -> str:
    forced = " (it needed SIGKILL)" if body.escalated else ""
    return (f" through {body.command}" if body.command else "") + forced


def verdict(facts: Sequence[FactRow], trend: Trend | None, program: str = "") -> str:
    """One sentence: what ended it last and who or what did it, and how it stands since."""
    end = last_end(facts, program)
    if end is None:
        return "nothing of it ended in this time"
    memory = f": {trend.words()}" if trend is not None else ""
    if isinstance(end.body, Exit):
        name = full_name(end.body.group, end.body.name)
        said = f"{name} {VERDICTS[end.body.cause](end.body, memory)}"
    else:
        assert isinstance(end.body, dict)
        name, said = "", _note(end.body)[2] + memory
    return said + _since(facts, end, program or name)


def _since(facts: Sequence[FactRow], end: FactRow, name: str) -> str:
    """How it went on: the newest state after the end, and a storm that goes on."""
    states = [
        row.body.state
        for row in facts
        if row.at >= end.at and isinstance(row.body, StateChange) and full_name(row.body.group, row.body.name) == name
    ]
    storms = [row.body for row in facts if isinstance(row.body, dict) and row.body.get("note") == "storm"]
    mine = [body for body in storms if not name or body.get("process") in (None, name)]
    raging = bool(mine) and mine[-1].get("phase") == "begun"
    again = f"; it is {states[-1]} since" if states and states[-1] is not State.STOPPING else ""
    return again + (f"; a crash storm goes on ({mine[-1].get('exits')} exits at its start)" if raging else "")
