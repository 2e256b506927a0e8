"""The file of rules and sinks: declared options, one reader, errors as file:line with the cure, five built-in rules.

A section [alert:NAME] is a rule; one with the name of a built-in rule changes that, option by option.  A section
[sink:NAME] says who is told.  Every problem is found before anything is in force.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from hub.alerts import expressions, selector, template
from hub.alerts.expressions import Term
from hub.alerts.fields import EVENTS, FIELDS, SUBJECTS
from hub.alerts.selector import Selector
from hub.errors import HubError
from wire._record import Record
from wire.model import Cause

__all__ = ["BUILT_IN", "OPTIONS", "Book", "Rule", "RuleError", "Sink", "load", "parse"]

FILE_BYTES = 1 << 18
RULES = 200
"""Most rules: each is held against every subject of its kind every few seconds."""
SINKS = 16
"""Most sinks: each has a thread."""
SEVERITIES = ("info", "warning", "critical")
EVENT_QUIET = 600.0
"""An event's alert is over when it did not happen again for so long."""
COMMON = {"agent": frozenset({"presence", "age"}), "program": frozenset({"state"})}
"""What hubs tell each other; figures are known to the hub that an agent speaks to, or that polls its engine."""
SINK_KINDS = ("webhook", "alertmanager", "slack")

BUILT_IN = """\
[alert:agent-lost]
on = agent
if = presence == lost
for = 10s
severity = critical
summary = agent {agent} is lost: silent for {age}

[alert:program-fatal]
on = program
if = state == FATAL
clear_for = 30s
severity = critical
summary = {agent}/{program} is FATAL: it could not be kept running

[alert:oom-kill]
on = program
event = exit
cause = oom
severity = critical
summary = {agent}/{program} was killed for want of memory

[alert:memory-full]
on = container
if = memory_share > 90%
for = 5m
clear = memory_share < 80%
summary = {container} uses {value} of its memory limit

[alert:crash-storm]
on = program
event = storm
severity = critical
summary = {agent}/{program} crashes again and again: {detail}
"""
"""The rules that are on without any file."""


class RuleError(HubError):
    """All problems of a file, one a line."""


class Rule(Record):
    """One [alert:NAME], checked."""

    name: str
    on: str
    terms: tuple[Term, ...]
    """`if`; empty for a rule over an event."""
    event: str
    causes: frozenset[str]
    hold: float
    """`for`."""
    clear: tuple[Term, ...]
    """Empty: as soon as `if` is not true any more."""
    clear_for: float
    where: Selector
    severity: str
    summary: str

    @property
    def common(self) -> bool:
        """Whether every hub of a cluster finds the same: it looks at what all of them know."""
        fields = {term.field for term in (*self.terms, *self.clear)}
        return fields <= COMMON.get(self.on, frozenset()) if not self.event else self.event == "exit"


class Sink(Record):
    """One [sink:NAME], checked; secrets stay in their files until they are used."""

    name: str
    kind: str
    url: str
    url_file: str
    token_file: str
    ca: str
    severity: str
    """The least that is told."""
    resolved: bool
    timeout: float


class Book(Record):
    """Everything a file says, with the built-in rules."""

    rules: tuple[Rule, ...]
    sinks: tuple[Sink, ...]


class Option(Record):
    """One declared option."""

    name: str
    default: str
    doc: str


class Line(Record):
    """One `key = value` with where it stands."""

    path: str
    number: int
    value: str


OPTIONS: Mapping[str, tuple[Option, ...]] = {
    "alert": (
        Option("on", "program", f"what it looks at: {', '.join(SUBJECTS)}"),
        Option("if", "", "condition over the subject's fields, see below; either this or `event`"),
        Option("event", "", f"what must happen: {', '.join(EVENTS)}"),
        Option("cause", "", "only exits of these causes, comma separated: " + ", ".join(c.value for c in Cause)),
        Option("for", "0s", "how long the condition must be true before it fires"),
        Option("clear", "", "condition that ends it; without it: that `if` is not true any more"),
        Option("clear_for", "", "how long that must last before it is over; 0s, for events 10m"),
        Option("where", "*", "only these: AGENT, AGENT/PROGRAM or NAME=GLOB,... over names and labels"),
        Option("severity", "warning", ", ".join(SEVERITIES)),
        Option("summary", "{rule}: {subject}", "one line for people; {NAME} is filled in, see below"),
        Option("enabled", "yes", "no turns it off, a built-in rule too"),
    ),
    "sink": (
        Option("type", "webhook", ", ".join(SINK_KINDS) + " (slack: whatever takes Slack's incoming webhooks)"),
        Option("url", "", "https://... where to; for alertmanager its root, e.g. http://127.0.0.1:9093"),
        Option("url_file", "", "file that holds the url, where the url is itself the secret (Slack)"),
        Option("token_file", "", "file that holds a bearer token; read anew for each notice"),
        Option("ca", "", "file: the certificate authority to trust instead of the system's"),
        Option("severity", "info", "the least severity that is told"),
        Option("resolved", "yes", "whether it is told when something is over"),
        Option("timeout", "10s", "longest time one try may take, 1s to 60s"),
    ),
}
"""Kind of section -> its options; docs/alerts.md is made from this."""

Sections = dict[tuple[str, str], dict[str, Line]]


class _Problems:
    """Collects problems."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int, str]] = []

    def add(self, path: str, number: int, text: str) -> None:
        self.found.append((path, number, text))

    def told(self) -> str:
        return "\n".join(f"{path}:{number}: {text}" for path, number, text in sorted(self.found))


def load(path: str | None) -> Book:
    """The rules and sinks of this file above the built-in ones.  Raises RuleError with every problem."""
    if path is None:
        return parse("", "(none)")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(FILE_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise RuleError(f"{path}:1: cannot be read: {why}") from None
    if len(text) > FILE_BYTES:
        raise RuleError(f"{path}:1: larger than {FILE_BYTES} bytes")
    return parse(text, path)


def parse(text: str, path: str, exists: Callable[[str], bool] = os.path.isfile) -> Book:
    """As `load`, for text at hand."""
    problems = _Problems()
    sections = _sections(BUILT_IN, "(built-in)", problems)
    for key, lines in _sections(text, path, problems).items():
        sections[key] = {**sections.get(key, {}), **lines}
    rules = [_rule(name, lines, problems) for (kind, name), lines in sections.items() if kind == "alert"]
    sinks = [_sink(name, lines, problems, exists) for (kind, name), lines in sections.items() if kind == "sink"]
    for kind, count, most in (("rules", len(rules), RULES), ("sinks", len(sinks), SINKS)):
        if count > most:
            problems.add(path, 1, f"{count} {kind}; at most {most} are allowed")
    if problems.found:
        raise RuleError(problems.told())
    return Book(tuple(rule for rule in rules if rule), tuple(sink for sink in sinks if sink))


def _sections(text: str, path: str, problems: _Problems) -> Sections:
    sections: Sections = {}
    current: dict[str, Line] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        if line.startswith("[") and line.endswith("]"):
            current = _open(line[1:-1].strip(), Line(path, number, ""), sections, problems)
        elif not equals or current is None:
            problems.add(path, number, "expected [alert:NAME], [sink:NAME] or key = value")
        elif key.strip() in current:
            problems.add(path, number, f"{key.strip()[:80]} stands here a second time")
        else:
            current[key.strip()] = Line(path, number, value.strip())
    return sections


def _open(title: str, line: Line, sections: Sections, problems: _Problems) -> dict[str, Line]:
    found = re.fullmatch(r"(alert|sink):([A-Za-z0-9][A-Za-z0-9_.-]{0,63})", title)
    section = {"": line}
    if not found:
        problems.add(line.path, line.number, f"unknown section [{title[:80]}]; known: [alert:NAME], [sink:NAME]")
    elif (found[1], found[2]) in sections:
        problems.add(line.path, line.number, f"section [{title}] stands here a second time")
    else:
        sections[found[1], found[2]] = section
    return section


class _Reading:
    """The options of one section, parsed one by one; problems are noted where the option stands."""

    def __init__(self, kind: str, lines: Mapping[str, Line], problems: _Problems) -> None:
        self.lines, self.problems, self.before = lines, problems, len(problems.found)
        self.options = {option.name: option for option in OPTIONS[kind]}
        for key, line in lines.items():
            if key and key not in self.options:
                known = ", ".join(self.options)
                problems.add(line.path, line.number, f"unknown option {key[:80]}; known: {known}")

    def text(self, name: str) -> str:
        return self.lines[name].value if name in self.lines else self.options[name].default

    def read(self, name: str, parse: Callable[[str], object]) -> object:
        try:
            return parse(self.text(name))
        except ValueError as error:
            self.wrong(name, f"{name}: {error}")
            return None

    def wrong(self, name: str, text: str) -> None:
        line = self.lines.get(name) or self.lines[""]
        self.problems.add(line.path, line.number, text)

    @property
    def bad(self) -> bool:
        return len(self.problems.found) > self.before


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def _yes(text: str) -> bool:
    return _one_of(("yes", "no"))(text) == "yes"


def _rule(name: str, lines: Mapping[str, Line], problems: _Problems) -> Rule | None:
    reading = _Reading("alert", lines, problems)
    on = str(reading.read("on", _one_of(SUBJECTS)) or "program")

    def condition(text: str) -> tuple[Term, ...]:
        return expressions.parse(text, on) if text else ()

    def summary(text: str) -> str:
        template.check(text, tuple(field.name for field in FIELDS[on]))
        return text

    event = reading.text("event")
    if event not in ("", *EVENTS):
        reading.wrong("event", f"event: must be one of {', '.join(EVENTS)}")
    elif event and EVENTS[event][0] != on:
        reading.wrong("on", f"on: {event} happens to a {EVENTS[event][0]}")
    if bool(event) == bool(reading.text("if")):
        reading.wrong("if", f"[alert:{name}] needs either `if = CONDITION` or `event = EVENT`")
    quiet = reading.text("clear_for") or (expressions.told(EVENT_QUIET) if event else "0s")
    values = {
        "terms": reading.read("if", condition),
        "causes": reading.read("cause", _causes),
        "hold": reading.read("for", expressions.seconds),
        "clear": reading.read("clear", condition),
        "clear_for": reading.read("clear_for", lambda text: expressions.seconds(quiet)),
        "where": reading.read("where", selector.parse),
        "severity": reading.read("severity", _one_of(SEVERITIES)),
        "summary": reading.read("summary", summary),
    }
    enabled = reading.read("enabled", _yes)
    return None if reading.bad or not enabled else Rule(name, on, event=event, **values)  # type: ignore[arg-type]


def _causes(text: str) -> frozenset[str]:
    known = {cause.value.replace(",", ""): cause.value for cause in Cause}
    words = [word.strip() for word in text.replace(Cause.OOM_POSSIBLE.value, "killed oom possible").split(",")]
    for word in words:
        if word and word not in known:
            raise ValueError(f"no cause {word!r}; known: {', '.join(cause.value for cause in Cause)}")
    return frozenset(known[word] for word in words if word)


def _sink(name: str, lines: Mapping[str, Line], problems: _Problems, exists: Callable[[str], bool]) -> Sink | None:
    reading = _Reading("sink", lines, problems)
    url, url_file = reading.text("url"), reading.text("url_file")
    if bool(url) == bool(url_file):
        reading.wrong("url", f"[sink:{name}] needs either url or url_file")
    elif url:
        reading.read("url", address)
    for option in ("url_file", "token_file", "ca"):
        if reading.text(option) and not exists(reading.text(option)):
            reading.wrong(option, f"{option}: no file {reading.text(option)}")
    kind = reading.read("type", _one_of(SINK_KINDS))
    severity = reading.read("severity", _one_of(SEVERITIES))
    resolved = reading.read("resolved", _yes)
    timeout = reading.read("timeout", lambda text: expressions.seconds(text, 1.0, 60.0))
    files = (reading.text("token_file"), reading.text("ca"))
    if reading.bad:
        return None
    return Sink(name, str(kind), url, url_file, *files, str(severity), bool(resolved), float(str(timeout)))


def address(url: str) -> str:
    """The url itself; raises ValueError where it is none that a notice can be sent to."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url[:80]!r} is no address; write https://HOST[:PORT]/PATH")
    if urlsplit(url).username is not None:
        raise ValueError("no user and password in an address; put a token into token_file")
    return url
