"""What one event listener says on its stdout, as a pure state machine (supervisor's docs, "Event Listener States").

Theory.
    ACKNOWLEDGED   busy with itself, at its start too    READY\\n                 -> READY
    READY          waits for an event                    an event is sent        -> BUSY
    BUSY           has an event                          RESULT <n>\\n<n bytes>   -> ACKNOWLEDGED; the result is told
    UNKNOWN        broke the protocol                    nothing counts any more until it is started again

Anything else that is said breaks the protocol, what is said while READY included.  As in supervisord the word RESULT
itself is not looked at, only the number behind the seventh character.  Differences: a number below 0 and bounds that
are exceeded break the protocol instead of memory, and an empty result is told at once, not with the next byte.
"""

from __future__ import annotations

from wire._record import Record
from wire.limits import EVENT_LINE_BYTES, EVENT_RESULT_BYTES

ACKNOWLEDGED, READY, BUSY, UNKNOWN = "acknowledged", "ready", "busy", "unknown"

TOKEN = b"READY\n"
PREFIX = len(b"RESULT ")


class Dialogue(Record):
    """Where a listener stands."""

    state: str = ACKNOWLEDGED
    held: bytes = b""
    """What was said and is not complete yet."""
    length: int | None = None
    """While BUSY: how many bytes its result has, None until it said so."""


class Result(Record):
    """It answered the event it had."""

    body: bytes


class Broken(Record):
    """It broke the protocol; an event it had is not answered."""

    why: str


Outcome = Result | Broken


def sent(dialogue: Dialogue) -> Dialogue:
    """An event was sent to a READY listener."""
    return dialogue._replace(state=BUSY, length=None)


def hear(dialogue: Dialogue, chunk: bytes) -> tuple[Dialogue, tuple[Outcome, ...]]:
    """It said something: where it stands now, and what that brought."""
    outcomes: list[Outcome] = []
    dialogue = dialogue._replace(held=dialogue.held + chunk)
    going = True
    while going and dialogue.held:
        dialogue, outcome, going = HEAR[dialogue.state](dialogue)
        if outcome is not None:
            outcomes.append(outcome)
    return dialogue, tuple(outcomes)


_Heard = tuple[Dialogue, Outcome | None, bool]
"""Where it stands, what that brought, and whether there may be more in what is held."""


def _acknowledged(dialogue: Dialogue) -> _Heard:
    held = dialogue.held
    if len(held) < len(TOKEN):
        return dialogue, None, False
    if not held.startswith(TOKEN):
        return _broken(f"said {_shown(held)} where READY was due")
    return Dialogue(READY, held[len(TOKEN) :]), None, True


def _ready(dialogue: Dialogue) -> _Heard:
    return _broken(f"said {_shown(dialogue.held)} while it had no event")


def _busy(dialogue: Dialogue) -> _Heard:
    if dialogue.length is not None:
        return _body(dialogue, dialogue.length)
    line, end, rest = dialogue.held.partition(b"\n")
    if len(line) > EVENT_LINE_BYTES:
        return _broken(f"its RESULT line is longer than {EVENT_LINE_BYTES} bytes")
    if not end:
        return dialogue, None, False
    try:
        length = int(line[PREFIX:])
    except ValueError:
        return _broken(f"bad result line {_shown(line)}")
    if not 0 <= length <= EVENT_RESULT_BYTES:
        return _broken(f"a result of {length} bytes; 0 to {EVENT_RESULT_BYTES} are allowed")
    return _body(Dialogue(BUSY, rest, length), length)


def _body(dialogue: Dialogue, length: int) -> _Heard:
    if len(dialogue.held) < length:
        return dialogue, None, False
    return Dialogue(ACKNOWLEDGED, dialogue.held[length:]), Result(dialogue.held[:length]), True


def _unknown(dialogue: Dialogue) -> _Heard:
    return dialogue._replace(held=b""), None, False


def _broken(why: str) -> _Heard:
    return Dialogue(UNKNOWN), Broken(why), False


def _shown(text: bytes) -> str:
    return repr(text[:40])[1:] + ("..." if len(text) > 40 else "")


HEAR = {ACKNOWLEDGED: _acknowledged, READY: _ready, BUSY: _busy, UNKNOWN: _unknown}
"""What each state makes of what is held."""
