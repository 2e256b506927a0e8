"""INI files of the hub's daemons: a declared table of options; every problem is found before anything starts.

The file is INI: `[section]`, `key = value`, comments in lines that start with `#` or `;`.  All problems are told at
once, as file:line with what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hub.errors import HubError
from wire._record import Record

FILE_BYTES = 1 << 20
"""Largest configuration file: a thousand engines fit."""


class ConfigError(HubError):
    """All problems of a configuration, one a line."""


class Line(Record):
    """One `key = value` with where it stands."""

    number: int
    value: str


class Option(Record):
    """One declared option."""

    name: str
    parse: Callable[[str], Any]
    default: str
    doc: str


class Problems:
    """Collects problems as file:line."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[tuple[int, str]] = []

    def add(self, line: int, text: str) -> None:
        self.found.append((line, text))

    def told(self) -> str:
        """All of them, one a line, in the order of the file."""
        return "\n".join(f"{self.path}:{line}: {text}" for line, text in sorted(self.found))


def read_file(path: str) -> str:
    """The text of a file; raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(FILE_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError(f"{path}:1: cannot be read: {why}") from None
    if len(text) > FILE_BYTES:
        raise ConfigError(f"{path}:1: larger than {FILE_BYTES} bytes")
    return text


def read_sections(text: str, problems: Problems, known: str, wording: str) -> dict[str, dict[str, Line]]:
    """Section -> key -> line; `known` is a pattern of section names, `wording` tells them to people.

    The key "" holds the section's own line.
    """
    sections: dict[str, dict[str, Line]] = {}
    current: dict[str, Line] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            current = _open(line[1:-1].strip(), number, sections, problems, known, wording)
        elif "=" in line and current is not None:
            key, _, value = line.partition("=")
            _enter(current, key.strip(), Line(number, value.strip()), problems)
        else:
            problems.add(number, "expected [section] or key = value")
    return sections


def _open(
    name: str, number: int, sections: dict[str, dict[str, Line]], problems: Problems, known: str, wording: str
) -> dict[str, Line]:
    fits = re.fullmatch(known, name)
    if not fits:
        problems.add(number, f"unknown section [{name[:80]}]; known: {wording}")
    elif name in sections:
        problems.add(number, f"section [{name}] stands here a second time")
    section: dict[str, Line] = {"": Line(number, "")}
    return sections.setdefault(name, section) if fits else section


def _enter(section: dict[str, Line], key: str, line: Line, problems: Problems) -> None:
    if key in section:
        problems.add(line.number, f"{key} stands here a second time")
    section[key] = line


def read_values(
    section: str, table: tuple[Option, ...], lines: Mapping[str, Line], problems: Problems
) -> dict[str, Any]:
    """Option -> value, defaults included; problems are added."""
    options = {option.name: option for option in table}
    for key, line in lines.items():
        if key and key not in options:
            problems.add(line.number, f"unknown option {key[:80]} in [{section}]; known: {', '.join(options)}")
    values: dict[str, Any] = {}
    for name, option in options.items():
        line = lines.get(name, Line(lines.get("", Line(1, "")).number, option.default))
        try:
            values[name] = option.parse(line.value)
        except ValueError as error:
            problems.add(line.number, f"{name}: {error}")
    return values
