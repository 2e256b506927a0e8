"""Summaries of alerts: `{agent}/{program} uses {value}`, a closed set of names, every value made harmless.

Values come from containers: what does not print is shown as an escape, and each is cut to CHARS.  Braces in a value are
text: nothing is expanded twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

__all__ = ["NAMES", "check", "fill", "harmless", "shown"]

CHARS = 128
"""Longest value in a summary."""
SUMMARY_CHARS = 400
"""Longest summary: one line of a notice."""
NAMES = {
    "rule": "name of the rule",
    "severity": "its severity",
    "subject": "what it is about: agent/program, container, agent, host or hub",
    "agent": "name of the agent",
    "program": "full name of the program",
    "process": "command of the process",
    "container": "name of the container",
    "host": "name of the engine, or the agent's address",
    "hub": "name of the hub",
    "value": "the value of the condition's first field, with its unit",
    "cause": "of an event: why",
    "detail": "of an event: one sentence",
}
"""Names a template may use, besides label.NAME and the fields of the subject."""
_PLACE = re.compile(r"\{([^{}]*)\}")


def check(template: str, fields: tuple[str, ...]) -> None:
    """Raises ValueError where the template uses what nobody has."""
    if len(template) > SUMMARY_CHARS or not template.isprintable():
        raise ValueError(f"a summary is printable and has at most {SUMMARY_CHARS} characters")
    left = _PLACE.sub("", template)
    if "{" in left or "}" in left:
        raise ValueError("a brace stands alone; write {agent}, {value}, {label.service}")
    for name in _PLACE.findall(template):
        if name not in NAMES and name not in fields and not re.fullmatch(r"label\.[\w.-]+", name):
            raise ValueError(f"{{{name}}} is not known; known: {', '.join((*NAMES, *fields))}, label.NAME")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The summary; what is unknown is `-`."""

    def value(found: re.Match[str]) -> str:
        return harmless(values.get(found[1], "-"))[:CHARS] or "-"

    return _PLACE.sub(value, template)[:SUMMARY_CHARS]


def harmless(text: str) -> str:
    """Text in which what does not print is visible as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text[:4096])


def shown(value: object, unit: str) -> str:
    """A value of a field as people read it; `-` where unknown."""
    if value is None or value != value:
        return "-"
    if not isinstance(value, (int, float)):
        return str(value)
    return _SHOWN.get(unit, _plain)(float(value))


def _plain(value: float) -> str:
    return f"{value:g}"


def _size(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} TiB"


_SHOWN: dict[str, Callable[[float], str]] = {
    "share": lambda value: f"{value * 100:.3g} %",
    "cores": lambda value: f"{value:.3g} cores",
    "bytes": _size,
    "seconds": lambda value: f"{value:.3g} s",
}
