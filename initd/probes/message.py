"""Messages of sd_notify(3): variables, one a line; pure.

Only what initd acts on is taken: READY=1, STATUS=, WATCHDOG=1 (and =trigger), EXTEND_TIMEOUT_USEC=, STOPPING=1,
RELOADING=1.  Others are passed over, as the protocol wants it.  All of it is hostile: bounded, printable, no number out
of range.
"""

from __future__ import annotations

from wire._record import Record
from wire.limits import NOTIFY_BYTES, NOTIFY_EXTENSION_SECONDS, TEXT_CHARS

MICRO = 1e-6


class Message(Record):
    """What a program says of itself."""

    ready: bool = False
    alive: bool = False
    """WATCHDOG=1."""
    stuck: bool = False
    """WATCHDOG=trigger: it asks to be treated as if it had not spoken."""
    status: str | None = None
    """For people, printable and bounded."""
    extend: float | None = None
    """Seconds from now that it asks for."""


def parse(data: bytes) -> Message:
    """Read it; nothing raises."""
    found: dict[str, object] = {}
    for line in data[:NOTIFY_BYTES].split(b"\n"):
        name, equals, value = line.partition(b"=")
        if not equals:
            continue
        if name == b"READY" and value == b"1":
            found["ready"] = True
        elif name == b"WATCHDOG":
            found["alive" if value == b"1" else "stuck"] = value in (b"1", b"trigger")
        elif name == b"STATUS":
            found["status"] = _printable(value)
        elif name == b"EXTEND_TIMEOUT_USEC" and value.isdigit() and len(value) <= 18:
            found["extend"] = min(int(value) * MICRO, NOTIFY_EXTENSION_SECONDS)
    return Message(**found)  # type: ignore[arg-type]


def _printable(value: bytes) -> str:
    text = value.decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
    return text[:TEXT_CHARS]
