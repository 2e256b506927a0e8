"""Exit records searched and grouped: what a question means, who or what ended a process, and counts.  Pure.

Theory.  A record tells its cause; *who or what did it* follows from it by one table, so that every view says the same:
a person or script by its name and command, the kernel's OOM killer, PID 1 by a probe or rule, the engine, or the
process itself.  A signal that nobody here sent is said to be just that: the wait status names no sender.
Groups are made of the values of a few fields; each keeps a count, the first and the last time, and the last record as
an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from signal import Signals
from typing import Any

from hub.errors import Refusal
from wire._record import Record
from wire.model import Cause, Exit, full_name

TEXT_CHARS = 256
"""Longest text that a record is searched for."""
GROUPS = 1000
"""Most groups of one answer; the smaller ones are left out, and their number is told."""

SOURCES: Mapping[Cause, str] = {
    Cause.EXIT: "itself",
    Cause.SIGNAL: "a signal, sender unknown",
    Cause.STOPPED: "unknown",
    Cause.START_FAILURE: "its start failed",
    Cause.OOM: "kernel: out of memory",
    Cause.OOM_POSSIBLE: "SIGKILL, perhaps the kernel: out of memory",
    Cause.PROBE: "initd: probe",
    Cause.RENEWAL: "initd: renewal",
    Cause.DEPENDENCY: "initd: dependency",
}
"""Cause -> who or what did it, where the record names nobody."""


def doer(body: Exit) -> str:
    """Who or what ended the process: `hub:alice (restart 6f1c)`, `kernel: out of memory`, `itself`..."""
    if body.cause is Cause.STOPPED and body.by:
        return f"{body.by} ({body.command})" if body.command else body.by
    return SOURCES.get(body.cause, str(body.cause))


def ending(body: Exit) -> str:
    """`exit 1`, `SIGKILL`, or `no start` where no process came to be."""
    if body.signal is not None:
        return signal_name(body.signal)
    return "no start" if body.code is None else f"exit {body.code}"


def signal_name(number: int) -> str:
    """`SIGKILL` for 9."""
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


FIELDS: Mapping[str, Callable[[Any], str]] = {
    "program": lambda row: full_name(row["group"], row["program"] or row["name"]),
    "process": lambda row: full_name(row["group"], row["name"]),
    "agent": lambda row: str(row["agent_name"]),
    "cause": lambda row: str(row["cause"]),
    "end": lambda row: str(row["end"]),
    "who": lambda row: str(row["who"]),
    "expected": lambda row: "yes" if row["expected"] else "no",
}
"""Field to group by -> its value in a row."""


class Wanted(Record):
    """Which exit records a question means; what is None or empty does not count."""

    program: str = ""
    cause: str = ""
    code: int | None = None
    signal: int | None = None
    text: str = ""
    who: str = ""
    until: float | None = None
    expected: bool | None = None

    def means(self, body: Exit, at: float) -> bool:
        """Whether this record is meant; names may be globs, texts are found anywhere and in any case."""
        return (
            (self.until is None or at < self.until)
            and (self.code is None or body.code == self.code)
            and (self.signal is None or body.signal == self.signal)
            and (self.expected is None or body.expected is self.expected)
            and (not self.cause or fnmatchcase(body.cause, self.cause))
            and (not self.program or _is_program(body, self.program))
            and (not self.who or self.who.casefold() in doer(body).casefold())
            and (not self.text or _holds(body, self.text.casefold()))
        )


def _is_program(body: Exit, wanted: str) -> bool:
    return any(fnmatchcase(name, wanted) for name in (full_name(body.group, body.name), body.name, body.program))


def _holds(body: Exit, text: str) -> bool:
    return any(text in line.casefold() for line in (*body.last_lines, body.why))


def wanted_of(args: Mapping[str, Any]) -> Wanted:
    """The question in a query's arguments.  Raises Refusal."""
    texts = {name: _text(args, name) for name in ("program", "cause", "text", "who")}
    expected = args.get("expected")
    if expected is not None and not isinstance(expected, bool):
        raise Refusal("bad-argument", "expected must be true or false")
    until = args.get("until")
    if until is not None and (isinstance(until, bool) or not isinstance(until, (int, float))):
        raise Refusal("bad-argument", "until must be a time in seconds")
    return Wanted(**texts, code=_whole(args, "code"), signal=_signal(args), until=until, expected=expected)


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEXT_CHARS:
        raise Refusal("bad-argument", f"{name} must be a text of at most {TEXT_CHARS} characters")
    return value


def _whole(args: Mapping[str, Any], name: str) -> int | None:
    value = args.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255):
        raise Refusal("bad-argument", f"{name} must be a whole number from 0 to 255")
    return value


def _signal(args: Mapping[str, Any]) -> int | None:
    value = args.get("signal")
    if not isinstance(value, str):
        return _whole(args, "signal")
    name = value.upper()
    known = {one.name: one.value for one in Signals}
    found = known.get(name, known.get(f"SIG{name}"))
    if found is None:
        raise Refusal("bad-argument", f"there is no signal {value[:20]!r}", "write a number, or a name like SEGV")
    return found


def fields_of(value: object) -> tuple[str, ...]:
    """The fields of `group_by`, `cause,program` or a list.  Raises Refusal."""
    names = tuple(value.split(",")) if isinstance(value, str) else value
    if not isinstance(names, (tuple, list)) or not names or any(name not in FIELDS for name in names):
        raise Refusal("bad-argument", f"group_by must name some of {', '.join(FIELDS)}")
    return tuple(dict.fromkeys(names))


def grouped(rows: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each combination of the fields' values, the largest first: count, first, last, agents, example."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    agents: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        key = tuple(FIELDS[name](row) for name in fields)
        known = found.setdefault(key, {**dict(zip(fields, key, strict=True)), "count": 0, "first": row["at"]})
        newest = known["count"] == 0 or row["at"] >= known["last"]
        known["count"] += 1
        known["first"] = min(known["first"], row["at"])
        known |= {"last": row["at"], "example": row} if newest else {}
        agents.setdefault(key, set()).add(row["agent"])
    counted = [{**group, "agents": len(agents[key])} for key, group in found.items()]
    return sorted(counted, key=lambda group: (-group["count"], -group["last"]))
