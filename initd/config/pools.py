"""[eventlistener:x] and [fcgi-program:x]: read and typed as supervisord does (initd.eventlistener, initd.fcgi)."""

from __future__ import annotations

from initd.config.fields import FCGI, LISTENER
from initd.config.programs import gather, group_priority, processes, section_name
from initd.config.servers import address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.config.ini import Section
    from initd.config.programs import Member
    from initd.config.reading import Reading

KINDS = {
    "": ("EVENT", "REMOTE_COMMUNICATION"),
    "PROCESS_STATE": ("STOPPED", "EXITED", "STARTING", "STOPPING", "BACKOFF", "FATAL", "RUNNING", "UNKNOWN"),
    "PROCESS_COMMUNICATION": ("STDOUT", "STDERR"),
    "PROCESS_LOG": ("STDOUT", "STDERR"),
    "SUPERVISOR_STATE_CHANGE": ("RUNNING", "STOPPING"),
    "TICK": ("5", "60", "3600"),
    "PROCESS_GROUP": ("ADDED", "REMOVED"),
}
EVENTS = {f"{kind}_{part}".strip("_") for kind, parts in KINDS.items() for part in ("", *parts)} - {""}
"""Event types of supervisord 4.3.0 (its events.py): each kind alone, and with each of its parts."""


def pools(reading: Reading, listed: set[str]) -> list[Member]:
    """The groups of event listeners and of the FastCGI programs that no [group:x] lists."""
    document = reading.document
    found = [_listener(reading, section) for section in document.starting_with("eventlistener:")]
    for section in document.starting_with("fcgi-program:"):
        if section.name not in listed:
            found.append(_fcgi(reading, section))
    return found


def _listener(reading: Reading, section: Section) -> Member:
    """The pool's name is not checked; its priority is -1 unless given, while its processes keep 999."""
    options = reading.document.options(section)
    title = section.name.split(":", 1)[1]
    priority = group_priority(reading, options, -1)
    values = reading.values(options, LISTENER, reading.names())
    if values["buffer_size"] < 1:
        reading.blame(section, "buffer_size", "buffer_size: must be 1 or more")
    events = _events(reading, section, values["events"])
    if reading.one(options, "redirect_stderr", "boolean", reading.names()):
        fault = "redirect_stderr: not for event listeners, whose stdout carries the protocol; take it out"
        reading.blame(section, "redirect_stderr", fault)
    settings = {"events": events, "buffer_size": values["buffer_size"], "result_handler": values["result_handler"]}
    members = processes(reading, section, title, priority, "eventlistener")
    group, found = gather(reading, title, priority, "eventlistener", members)
    return group._replace(settings=tuple(settings.items())), found


def _events(reading: Reading, section: Section, text: str | None) -> tuple[str, ...]:
    """The event types, in alphabetical order."""
    names = {name.strip().upper() for name in text.split(",")} if text else set()
    if not names:
        reading.lacks(section, "events", "add events=PROCESS_STATE, or other types")
    for name in sorted(names - EVENTS):
        from initd.config.diagnose import nearest

        close = nearest(name, EVENTS)
        hint = f"did you mean {close}?" if close else "known: " + ", ".join(sorted(EVENTS))
        reading.blame(section, "events", f"events: there is no event type {name!r}; {hint}")
    return tuple(sorted(names))


def _fcgi(reading: Reading, section: Section) -> Member:
    options = reading.document.options(section)
    title = section_name(reading, section)
    priority = group_priority(reading, options, 999)
    own = {name: option for name, option in options.items() if name != "socket"}
    values = reading.values(own, FCGI, reading.names())
    values["socket"] = _socket(reading, section, title, values)
    reading.one(options, "user", "user", reading.names())
    backlog = values["socket_backlog"]
    if backlog is not None and not 1 <= backlog <= 65535:
        reading.blame(section, "socket_backlog", "socket_backlog: must be 1 to 65535")
    reading.check_owner(section, "socket_owner", values["socket_owner"])
    members = processes(reading, section, title, priority, "fcgi-program")
    group, found = gather(reading, title, priority, "fcgi-program", members)
    return group._replace(settings=tuple(values.items())), found


def _socket(reading: Reading, section: Section, title: str, values: dict[str, Any]) -> str | None:
    """tcp://host:port or unix:///path; owner and mode belong to unix sockets only."""
    options = reading.document.options(section)
    names = reading.names(program_name=title)
    text: str = reading.one(options, "socket", "text", names, "")
    if not text:
        reading.lacks(section, "socket", f"add socket=unix:///run/{title}.sock or socket=tcp://127.0.0.1:9000")
        return None
    if text.startswith("unix://"):
        if not text.startswith("unix:///"):
            reading.blame(
                section, "socket", f"socket: the path in {text!r} must begin with /: write unix:///run/x.sock"
            )
        return text
    if values["socket_owner"] is not None or values["socket_mode"] is not None:
        reading.blame(section, "socket", "socket: socket_owner and socket_mode are for unix:// only; take them out")
    if not _tcp(text):
        reading.blame(section, "socket", f"socket: {text!r} is neither tcp://host:port nor unix:///path")
    return text


def _tcp(text: str) -> bool:
    """Whether it is tcp://host:port."""
    host, _, port = text.removeprefix("tcp://").partition(":")
    whole = text.startswith("tcp://") and bool(host) and port.isdecimal() and address(":" + port) is not None
    return whole and not any(char.isspace() for char in host)
