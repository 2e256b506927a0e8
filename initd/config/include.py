"""[include]: read the files it names, by the shell patterns of supervisord (Python's glob), without importing `re`.

Theory.  A pattern is split into directories and a last part; a part with *, ? or [...] is compared with every name of
its directory, where names that begin with a dot take part only if the pattern begins with one.  Matches of one pattern
are read in the order of their paths.  A file that cannot be opened is skipped; one level only, as in supervisord.
"""

from __future__ import annotations

import os

from initd.config.expand import expand
from initd.config.ini import read, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.ini import Section
    from initd.config.reading import Reading


def include(reading: Reading, section: Section, main: str) -> None:
    """Read every file that the section's `files` names."""
    document = reading.document
    document.place_here(reading.here)
    if "files" not in document.options(section):
        reading.lacks(section, "files", "add files=/path/*.conf, or take the section out")
        return
    text, file, line = document.options(section)["files"]
    try:
        patterns = expand(text, reading.names(host_node_name=reading.host)).split()
    except ValueError as fault:
        reading.wrong(file, line, f"files: {fault}")
        return
    base = os.path.dirname(os.path.abspath(main))
    for pattern in patterns:
        paths = sorted(matches(os.path.join(base, pattern)))
        if not paths:
            document.notes.append(("no match", file, line, (pattern,)))
        for path in paths:
            _include(reading, path, file, line)


def _include(reading: Reading, path: str, file: str, line: int) -> None:
    document = reading.document
    try:
        read(document, text_of(path), path)
    except OSError as fault:
        document.notes.append(("unreadable", file, line, (path, str(fault.strerror))))
    except ValueError as fault:
        reading.wrong(path, 0, str(fault))
    document.place_here(os.path.abspath(os.path.dirname(path)))


def matches(pattern: str) -> list[str]:
    """The paths that a pattern names, as Python's glob.glob without recursion."""
    head, tail = os.path.split(pattern)
    if not has_magic(pattern):
        return [pattern] if (os.path.lexists(pattern) if tail else os.path.isdir(head)) else []
    heads = matches(head) if head != pattern and has_magic(head) else [head]
    if not tail or not has_magic(tail):
        paths = [os.path.join(head, tail) for head in heads]
        return [path for path in paths if (os.path.lexists(path) if tail else os.path.isdir(path))]
    return [os.path.join(head, name) for head in heads for name in _names(head or os.curdir) if _taken(name, tail)]


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _taken(name: str, pattern: str) -> bool:
    return (pattern.startswith(".") or not name.startswith(".")) and like(name, pattern)


def has_magic(pattern: str) -> bool:
    """Whether a pattern has any of * ? [ ."""
    return any(mark in pattern for mark in "*?[")


def like(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern of *, ?, [abc], [a-z], [!abc]; an unclosed [ is itself (Python's fnmatchcase).

    A * is first taken as empty; at each mismatch the latest * takes one character more, so the cost stays quadratic.
    """
    parts = parse(pattern)
    at = place = 0
    star, resume = -1, 0
    while at < len(name):
        if place < len(parts) and parts[place] is None:
            star, resume = place, at
            place += 1
        elif place < len(parts) and _fits(name[at], parts[place] or ""):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(part is None for part in parts[place:])


def parse(pattern: str) -> list[str | None]:
    """The pattern as a list: None for *, else `?`, one plain character, or the inside of a bracket with its [ ."""
    parts: list[str | None] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        close = _close(pattern, at) if char == "[" else -1
        if close > 0:
            parts.append(pattern[at:close])
            at = close
        elif char == "*":
            parts.append(None)
        else:
            parts.append("=[" if char == "[" else char)
        at += 1
    return parts


def _close(pattern: str, at: int) -> int:
    """Where a bracket ends; a ] right behind [ or [! belongs to it."""
    start = at + 2 if pattern[at + 1 : at + 2] == "!" else at + 1
    return pattern.find("]", start + 1)


def _fits(char: str, part: str) -> bool:
    if len(part) == 1:
        return part == "?" or part == char
    if part[0] == "=":
        return part[1] == char
    inside = part[1:]
    negated = inside.startswith("!")
    return _in_bracket(char, inside[1:] if negated else inside) is not negated


def _in_bracket(char: str, inside: str) -> bool:
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            if inside[at] <= char <= inside[at + 2]:
                return True
            at += 3
        elif inside[at] == char:
            return True
        else:
            at += 1
    return False
