"""Options of topics as a person writes them in a file: the way back from a record to its lines.

Records hold what a running initd needs: probes taken apart, seconds, numbers of signals.  Whoever shows them to people
(`initd explain`, the differences of a reload) shows the file's own words instead.  Pure.
"""

from __future__ import annotations

from initd.config.topics import load
from initd.signals import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NO_LIMIT = -1
"""How records say unlimited, or max."""

EMPTY = "(empty)"
"""A list that was set and has nothing in it, which is not the same as one that was not set."""

HIDDEN = "***"

PREFIXES = {"readiness": "readiness_", "liveness": "liveness_", "renewal": "restart_"}
"""Topics whose records leave out what begins all their options."""

UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def written(topic: str, record: object) -> dict[str, str]:
    """The options of a record that are not at their default, with their values as text."""
    if record is None:
        return {}
    values = _options(topic, record)
    usual = {**{name: default for name, (_, default, _) in load(topic).FIELDS.items()}, **_implied(values)}
    kinds = {name: kind for name, (kind, _, _) in load(topic).FIELDS.items()}
    return {name: _text(kinds[name], values[name]) for name in kinds if values.get(name, usual[name]) != usual[name]}


def _options(topic: str, record: Any) -> dict[str, Any]:
    """The record's fields by the names of the options they come from."""
    fields: dict[str, Any] = record._asdict()
    if topic == "restarts" and fields["backoff"] is not None:
        shape = fields["backoff"]._asdict()
        return {**fields, "backoff": shape.pop("first"), **{f"backoff_{name}": part for name, part in shape.items()}}
    if topic == "limits":
        return {**fields, **{f"rlimit_{name}": pair for name, *pair in fields["rlimits"]}}
    if topic in PREFIXES:
        names = {name: topic if name == "probe" else PREFIXES[topic] + name for name in fields}
        return {names[name]: value for name, value in fields.items()}
    return fields


def _implied(values: dict[str, Any]) -> dict[str, Any]:
    """Defaults that follow from other options."""
    if "essential" not in values:
        return {"type": "oneshot"} if values.get("schedule") is not None else {}
    return dict.fromkeys(("on_exit", "on_fatal"), "shutdown" if values["essential"] else "ignore")


def _text(kind: str, value: Any) -> str:
    if kind in SHOWN:
        return SHOWN[kind](value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """A number without needless decimals."""
    return str(int(value)) if value == int(value) else str(value)


def size(value: int) -> str:
    """Bytes, in the largest unit that needs no fraction."""
    unit, letters = next((one for one in UNITS if value and value % one[0] == 0), (1, ""))
    return f"{value // unit}{letters}"


def limit(value: float, unlimited: str, shown: Callable[[Any], str]) -> str:
    """A limit, or the word for none."""
    return unlimited if value == NO_LIMIT else shown(value)


def pair(values: list[int], shown: Callable[[Any], str]) -> str:
    """SOFT or SOFT:HARD."""
    soft, hard = (limit(value, "unlimited", shown) for value in values)
    return soft if soft == hard else f"{soft}:{hard}"


def words(values: tuple[str, ...]) -> str:
    """A command, with quotes where a word needs them."""
    return " ".join(map(_word, values))


def _word(word: str) -> str:
    if word and not any(char.isspace() or char in "\"'\\" for char in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def action(value: str) -> str:
    """What a liveness probe leads to; a signal by its name."""
    verb, colon, signum = value.partition(":")
    return f"{verb}:{name_of(int(signum)).removeprefix('SIG')}" if colon else value


def steps(values: tuple[tuple[int, float], ...]) -> str:
    """Stop signals with their seconds."""
    return ", ".join(f"{name_of(signum).removeprefix('SIG')}:{number(seconds)}" for signum, seconds in values)


def masks(values: tuple[str, ...]) -> str:
    """Patterns of secrets; one without * is a secret itself."""
    return ",".join(value if "*" in value else HIDDEN for value in values)


SHOWN: dict[str, Callable[[Any], str]] = {
    "conditions": lambda value: ", ".join(":".join(one) for one in value),
    "readiness": lambda value: str(value.text),
    "liveness": lambda value: str(value.text),
    "schedule": lambda value: str(value.text),
    "action": action,
    "words": words,
    "exits": lambda value: f"{value[0]} in {number(value[1])}s",
    "signals": steps,
    "groupnames": lambda value: ",".join(value).replace("+,", "+", 1) or EMPTY,
    "capabilities": lambda value: ",".join(value) or "none",
    "rlimit": lambda value: pair(value, str),
    "rlimit_size": lambda value: pair(value, size),
    "quantity": lambda value: limit(value, "max", size),
    "cpus": lambda value: limit(value, "max", number),
    "tasks": lambda value: limit(value, "max", str),
    "log_mask": masks,
    "memory": size,
    "patterns": lambda value: ",".join(value) or EMPTY,
    "secrets": lambda value: ",".join("=".join(one) for one in value),
    "globs": " ".join,
}
"""Kinds whose values are not simply their text."""
