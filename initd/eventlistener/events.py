"""The events of supervisord 4.3, named and worded byte for byte as it does (its events.py); pure.

Theory.  A subscription to a kind (PROCESS_STATE, TICK, EVENT...) means all its events.  The payload of a log event is
the text where it is UTF-8, else its Python notation, and the header's `len` counts characters, not bytes: that is what
supervisord sends, and what listeners in Python, which read text, rely on.
"""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

TICKS = (5, 60, 3600)
"""Periods of the TICK events, seconds."""

STATES = ("STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "STOPPED", "FATAL", "UNKNOWN")
KINDS = {
    **{f"PROCESS_STATE_{state}": "PROCESS_STATE" for state in STATES},
    "PROCESS_LOG_STDOUT": "PROCESS_LOG",
    "PROCESS_LOG_STDERR": "PROCESS_LOG",
    "PROCESS_COMMUNICATION_STDOUT": "PROCESS_COMMUNICATION",
    "PROCESS_COMMUNICATION_STDERR": "PROCESS_COMMUNICATION",
    "REMOTE_COMMUNICATION": "EVENT",
    "SUPERVISOR_STATE_CHANGE_RUNNING": "SUPERVISOR_STATE_CHANGE",
    "SUPERVISOR_STATE_CHANGE_STOPPING": "SUPERVISOR_STATE_CHANGE",
    **{f"TICK_{period}": "TICK" for period in TICKS},
    "PROCESS_GROUP_ADDED": "PROCESS_GROUP",
    "PROCESS_GROUP_REMOVED": "PROCESS_GROUP",
}
"""Every event there is, and its kind."""


class Event(Record):
    """Something to tell."""

    name: str
    payload: str


class Letter(Record):
    """An event as one pool has it: numbered among all that anybody was told, and among the pool's own."""

    serial: int
    pool_serial: int
    event: Event


def meant(name: str, wanted: Collection[str]) -> int:
    """How many of the subscriptions mean an event: it is told as often, as supervisord does."""
    return sum(title in wanted for title in {name, KINDS[name], "EVENT"})


def anybody_wants(name: str, wanted: Sequence[Collection[str]]) -> bool:
    """Whether an event is worth wording."""
    return any(meant(name, titles) for titles in wanted)


def state(name: str, process: str, group: str, before: str, more: str = "") -> Event:
    """A passage to `name`; `more` is what this state tells besides."""
    payload = f"processname:{process} groupname:{group} from_state:{before}"
    return Event(f"PROCESS_STATE_{name}", f"{payload} {more}" if more else payload)


def log(stream: str, process: str, group: str, pid: int, text: bytes) -> Event:
    """What a process wrote."""
    payload = f"processname:{process} groupname:{group} pid:{pid} channel:{stream}\n{readable(text)}"
    return Event(f"PROCESS_LOG_{stream.upper()}", payload)


def communication(stream: str, process: str, group: str, pid: int, text: bytes) -> Event:
    """What a process wrote between the tokens of capture mode."""
    payload = f"processname:{process} groupname:{group} pid:{pid}\n{readable(text)}"
    return Event(f"PROCESS_COMMUNICATION_{stream.upper()}", payload)


def remote(kind: str, data: str) -> Event:
    """What somebody sent by the API."""
    return Event("REMOTE_COMMUNICATION", f"type:{kind}\n{data}")


def supervisor(change: str) -> Event:
    """RUNNING or STOPPING."""
    return Event(f"SUPERVISOR_STATE_CHANGE_{change}", "")


def group(change: str, name: str) -> Event:
    """ADDED or REMOVED."""
    return Event(f"PROCESS_GROUP_{change}", f"groupname:{name}\n")


def tick(period: int, when: int) -> Event:
    """The wall clock entered another period."""
    return Event(f"TICK_{period}", f"when:{when}")


def readable(text: bytes) -> str:
    """As supervisord shows bytes."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return f"Undecodable: {text!r}"


def envelope(letter: Letter, server: str, pool: str) -> bytes:
    """The letter as a listener reads it."""
    name, payload = letter.event
    header = (
        f"ver:3.0 server:{server} serial:{letter.serial} pool:{pool} poolserial:{letter.pool_serial} "
        f"eventname:{name} len:{len(payload)}\n"
    )
    return (header + payload).encode("utf-8", "backslashreplace")
