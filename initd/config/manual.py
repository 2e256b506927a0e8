"""Words for every option: what docs/configuration.md and the example file conf/initd.ini are generated from.

    python -m initd.config.manual markdown > docs/configuration.md
    python -m initd.config.manual example > conf/initd.ini

Types and defaults come from initd.config.fields; nothing here is imported by a running initd.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from initd.config import fields
from initd.config.fields import PLAIN, PROCESS
from initd.config.texts import AFTER, BEFORE, TEXTS, TOPICAL
from initd.config.topics import TOPICS, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    "text": "text",
    "boolean": "true or false (yes, no, on, off, 1, 0)",
    "integer": "whole number",
    "size": "bytes, or a whole number with KB, MB or GB",
    "octal": "permission bits in octal",
    "signal": "one signal, by name or number",
    "exitcodes": "numbers 0 to 255 with commas between",
    "autorestart": "true, false or unexpected",
    "logfile": "path, AUTO or NONE",
    "path": "path; a missing directory is made",
    "file": "path",
    "directory": "directory",
    "name": "name without blank, : and /",
    "level": "critical, error, warn, info, debug, trace or blather",
    "seconds": "seconds, with decimals if wanted",
    "remote": "observe or operate",
    "listening": "`host:port` or `:port`",
    "automatic": "auto, true or false",
    "name_of_process": "PROGRAM or GROUP:NAME",
    "serverurl": "URL or AUTO",
    "environment": 'A="x",B="y"',
    "user": "user name or uid",
}
"""What to write, by type."""

SECTIONS: dict[str, fields.Fields] = {
    "program:NAME": fields.PROGRAM,
    "group:NAME": fields.GROUP,
    "include": fields.INCLUDE,
    "supervisord": fields.DAEMON,
    "initd": fields.INITD,
    "eventlistener:NAME": fields.LISTENER,
    "fcgi-program:NAME": fields.FCGI,
    "unix_http_server": fields.UNIX_SERVER,
    "inet_http_server": fields.INET_SERVER,
    "supervisorctl": fields.CTL,
    "rpcinterface:NAME": fields.RPC,
    "ctlplugin:NAME": fields.CTL_PLUGIN,
}


def default(kind: str, value: object) -> str:
    """A default as it would be written in a file; empty for none."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if not isinstance(value, int):
        return str(value)
    if kind == "signal":
        return signal.Signals(value).name.removeprefix("SIG")
    if kind == "octal":
        return f"{value:03o}"
    if kind == "size" and value and value % fields.MB == 0:
        return f"{value // fields.MB}MB"
    return str(value)


def markdown() -> str:
    """The reference of all options."""
    lines = [BEFORE.strip(), ""]
    for section, table in SECTIONS.items():
        lines += [f"## [{section}]", "", TEXTS[section, ""], "", *_rows(section, table), ""]
        if section == "program:NAME":
            lines += _topics()
    return "\n".join([*lines, AFTER.strip(), ""])


def _topics() -> Iterator[str]:
    """What supervisord does not have, a table for each topic."""
    yield from ("## [program:NAME]: options that supervisord does not know", "", TOPICAL, "")
    for topic in TOPICS:
        words = import_module(f"initd.config.topics.manual.{topic}")
        if load(topic).FIELDS:
            yield from (f"### {topic}", "", words.INTRO, "")
            yield from ("| option | default | what to write | meaning |", "|---|---|---|---|")
            for name, (kind, value, _) in load(topic).FIELDS.items():
                usual = f"`{default(kind, value)}`" if default(kind, value) else ""
                yield f"| `{name}` | {usual} | {KINDS.get(kind) or words.KINDS[kind]} | {words.TEXTS[name]} |"
            yield ""


def _rows(section: str, table: fields.Fields) -> Iterator[str]:
    yield "| option | default | what to write | meaning |"
    yield "|---|---|---|---|"
    for name, (kind, value, stage) in table.items():
        shown = f"`{default(kind, value)}`" if default(kind, value) else ""
        each = " (for each process)" if stage is PROCESS or (stage is PLAIN and "program" in section) else ""
        yield f"| `{name}` | {shown} | {KINDS[kind]} | {TEXTS[section, name]}{each} |"


def example() -> str:
    """A commented file in which every option of a program and of the daemon stands at its default."""
    lines = [
        "; Every option that initd reads for itself and for programs, at its default. Generated: change nothing here,",
        "; copy what you need. All of it is explained in docs/configuration.md.",
    ]
    for section in ("initd", "supervisord", "program:NAME", "group:NAME", "include"):
        title = section.replace("NAME", "web")
        comment = "" if section in ("initd", "program:NAME") else ";"
        lines += ["", f"{comment}[{title}]"]
        lines += ["command=sleep infinity"] if section == "program:NAME" else []
        for name, (kind, value, _) in SECTIONS[section].items():
            if name != "command":
                written = f";{name}={default(kind, value)}"
                lines.append(f"{written:<44} ; {_brief(TEXTS[section, name])}")
    return "\n".join([*lines, ""])


def _brief(text: str) -> str:
    """The first part of an explanation."""
    return text.partition(";")[0].partition(", with")[0].replace("`", "")


if __name__ == "__main__":
    print({"markdown": markdown, "example": example}[sys.argv[1]](), end="")
