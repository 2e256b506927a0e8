"""The conditions of rules: a closed little language, parsed once, evaluated without eval.

    CONDITION := TERM {and TERM}
    TERM      := FIELD OP VALUE | rate(FIELD, SPAN) OP VALUE | increase(FIELD, SPAN) OP VALUE
    OP        := == != > >= < <=

Theory.  A value may be unknown, so a condition is true, false or unknown (Kleene): one false term makes it false, else
one unknown term makes it unknown.  What follows from unknown is for the machine to decide, never "no problem".  rate()
is per second and increase() in all, over the readings of the last SPAN seconds; a counter that fell began anew at 0.
"""

from __future__ import annotations

import operator
import re
from collections import deque
from collections.abc import Callable, Mapping
from itertools import pairwise

from hub.alerts.fields import FIELDS, Field, field_of
from wire._record import Record

__all__ = ["Past", "Term", "holds", "parse", "seconds", "told"]

TERMS = 4
"""Most terms of one condition: more is a program."""
CHARS = 256
"""Longest condition."""
READINGS = 60
"""Readings kept of one counter over one span: more tell nothing new."""
SPAN_LEAST, SPAN_MOST = 1.0, 24 * 3600.0

_TERM = re.compile(r"(?:(rate|increase)\(\s*(\w+)\s*,\s*([\w.]+)\s*\)|(\w+))\s*(==|!=|>=|<=|>|<)\s*([^\s<>=!]+)")
_NUMBER = re.compile(r"(-?\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z%]*)")
_OPS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TIMES = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {f"{letter}{tail}": 1024.0**n for n, letter in enumerate("kmgt", 1) for tail in ("", "b", "ib")}
_SUFFIXES: dict[str, Mapping[str, float]] = {
    "bytes": {"": 1.0, "b": 1.0, **_SIZES},
    "seconds": {"": 1.0, **_TIMES},
    "cores": {"": 1.0, "core": 1.0, "cores": 1.0, "%": 0.01},
    "share": {"": 1.0, "%": 0.01},
    "count": {"": 1.0},
}
"""Unit of a field -> what may follow a number, and what that multiplies it by."""
_EXAMPLES = {"bytes": "512MB", "seconds": "30s", "cores": "1.5 or 150%", "share": "90% or 0.9", "count": "3"}


class Term(Record):
    """One comparison."""

    function: str
    """"", `rate` or `increase`."""
    field: str
    span: float
    op: str
    value: float | str


def parse(text: str, subject: str) -> tuple[Term, ...]:
    """The condition; raises ValueError with what is wrong and what would be right."""
    if len(text) > CHARS:
        raise ValueError(f"a condition has at most {CHARS} characters")
    parts = re.split(r"\s+and\s+", text.strip())
    if len(parts) > TERMS:
        raise ValueError(f"a condition has at most {TERMS} terms; write two rules")
    return tuple(_term(part.strip(), subject) for part in parts)


def _term(text: str, subject: str) -> Term:
    found = _TERM.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no FIELD OP VALUE, e.g. cpu > 80%, rate(restarts, 10m) > 0.1, state == FATAL")
    function, inner, span, plain, op, value = found.groups()
    field = field_of(subject, inner or plain)
    if field is None:
        known = ", ".join(one.name for one in FIELDS[subject])
        raise ValueError(f"a {subject} has no field {inner or plain!r}; it has {known}")
    if function and not field.counter:
        rising = ", ".join(one.name for one in FIELDS[subject] if one.counter) or "none"
        raise ValueError(f"{function}() needs a field that only rises: {rising}")
    over = seconds(span, SPAN_LEAST, SPAN_MOST) if function else 0.0
    return Term(function or "", field.name, over, op, _value(field, op, value))


def _value(field: Field, op: str, text: str) -> float | str:
    if field.unit == "word":
        if op not in ("==", "!="):
            raise ValueError(f"{field.name} is a word: compare it with == or !=")
        return text
    found = _NUMBER.fullmatch(text)
    factors = _SUFFIXES[field.unit]
    if not found or found[2].lower() not in factors:
        raise ValueError(f"{text!r} is no value of {field.name}; write {_EXAMPLES[field.unit]}")
    return float(found[1]) * factors[found[2].lower()]


def seconds(text: str, least: float = 0.0, most: float = 30 * 86400.0) -> float:
    """`90`, `90s`, `10m`, `2h`, `3d`; raises ValueError."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", text)
    value = float(found[1]) * _TIMES[found[2] or "s"] if found else -1.0
    if not least <= value <= most:
        raise ValueError(f"{text!r} is no time from {told(least)} to {told(most)}; write 30s, 5m, 2h or 3d")
    return value


def told(value: float) -> str:
    """Seconds as they are written: `90s`, `5m`, `2h`, `3d`."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "m")):
        if value >= size and value % size == 0:
            return f"{value / size:g}{unit}"
    return f"{value:g}s"


def holds(
    terms: tuple[Term, ...], values: Mapping[str, object], past: Callable[[Term, float], float | None]
) -> bool | None:
    """Whether the condition is true of these values; None where that is unknown.

    `past` takes a counter's reading and returns what the term's function makes of it.
    """
    unknown = False
    for term in terms:
        verdict = _true(term, values.get(term.field), past)
        if verdict is False:
            return False
        unknown = unknown or verdict is None
    return None if unknown else True


def _true(term: Term, value: object, past: Callable[[Term, float], float | None]) -> bool | None:
    if isinstance(term.value, str):
        return None if value is None else (str(value) == term.value) is (term.op == "==")
    if not isinstance(value, (int, float)) or value != value:
        return None
    number: float | None = past(term, float(value)) if term.function else float(value)
    return None if number is None else _OPS[term.op](number, term.value)


class Past:
    """The readings of counters that rate() and increase() look back on, of one rule."""

    def __init__(self) -> None:
        self._readings: dict[tuple[str, Term], deque[tuple[float, float]]] = {}

    def look(self, key: str, at: float) -> Callable[[Term, float], float | None]:
        """What `holds` needs for one subject at one moment."""
        return lambda term, value: self._measure((key, term), value, at)

    def forget(self, key: str) -> None:
        """The subject is gone."""
        for one in [one for one in self._readings if one[0] == key]:
            del self._readings[one]

    def _measure(self, key: tuple[str, Term], value: float, at: float) -> float | None:
        term, kept = key[1], self._readings.setdefault(key, deque(maxlen=READINGS + 2))
        if not kept or at - kept[-1][0] >= term.span / READINGS:
            kept.append((at, value))
        while len(kept) > 1 and kept[1][0] <= at - term.span:
            kept.popleft()
        points = [*kept, (at, value)]
        rise = sum(b - a if b >= a else b for (_, a), (_, b) in pairwise(points))
        passed = at - kept[0][0]
        if term.function == "increase":
            return rise
        return rise / passed if passed > 0 else None
