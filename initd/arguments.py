"""The kinds of arguments of control verbs: each turns an untrusted JSON value into one to work with; pure."""

from __future__ import annotations

from initd.replies import ControlError
from wire._record import Record
from wire.limits import COMMAND_ID_CHARS, COMMAND_SECONDS, FACTS, KEEP_BYTES, NAME_CHARS, PROGRAMS, RING_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

REQUIRED = object()
"""Default of an argument that must be given."""

SIGNALS = (  # noqa: SIM905
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG "
    "XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split()
"""Names of signals 1 to 31, Linux on every architecture we run on (signal(7))."""

LAST_SIGNAL = 64


class Argument(Record):
    """One argument of a verb: `read(value)` gives the value to work with or raises ControlError."""

    name: str
    read: Callable[[object], object]
    default: object
    doc: str


def refuse(message: str, hint: str = "") -> ControlError:
    """The error of an argument that makes no sense."""
    return ControlError("bad-argument", message, hint)


def text(value: object, limit: int = COMMAND_ID_CHARS) -> str:
    """A printable, non-empty string."""
    if not isinstance(value, str) or not value or len(value) > limit or not value.isprintable():
        raise refuse(f"must be printable text of 1 to {limit} characters")
    return value


def opaque(value: object) -> str:
    """Any string that is small enough to keep."""
    if not isinstance(value, str) or len(value.encode("utf-8", "surrogatepass")) > KEEP_BYTES:
        raise refuse(f"must be text of at most {KEEP_BYTES} bytes")
    return value


def names(value: object) -> tuple[str, ...]:
    """One name or a list of names."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > PROGRAMS:
        raise refuse(f"must be a list of at most {PROGRAMS} names")
    return tuple(text(name, 2 * NAME_CHARS + 1) for name in listed)


def flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise refuse("must be true or false")
    return value


def seconds(value: object) -> float:
    """A time span, 0 to COMMAND_SECONDS."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= COMMAND_SECONDS:
        raise refuse(f"must be a number of seconds from 0 to {COMMAND_SECONDS:g}")
    return float(value)


def _whole(value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise refuse(f"must be a whole number from 0 to {most}")
    return value


def number(value: object) -> int:
    """A number of a fact, or an epoch."""
    return _whole(value, 2**63 - 1)


def count(value: object) -> int:
    """How many facts."""
    return _whole(value, FACTS)


def size(value: object) -> int:
    """How many bytes of a ring."""
    return _whole(value, RING_BYTES)


def stream(value: object) -> str:
    """stdout or stderr."""
    if value not in ("stdout", "stderr"):
        raise refuse("must be stdout or stderr")
    return str(value)


def verb_args(value: object) -> dict[str, object]:
    """Arguments of the verb inside a command; they are checked when it is carried out."""
    if not isinstance(value, dict):
        raise refuse("must be an object")
    return value


def signal(value: object) -> int:
    """A signal by number, or by name with or without SIG, in any case."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 2:
        value = int(value)
    if isinstance(value, str):
        name = value.upper().removeprefix("SIG")
        value = SIGNALS.index(name) + 1 if name in SIGNALS else 0
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LAST_SIGNAL:
        raise refuse("is no signal", f"a name such as TERM or SIGHUP, or a number from 1 to {LAST_SIGNAL}")
    return value


def read_all(arguments: tuple[Argument, ...], given: dict[str, object]) -> dict[str, object]:
    """Every argument of a verb, with defaults for those not given (null counts as not given)."""
    known = [argument.name for argument in arguments]
    for name in given:
        if name not in known:
            raise refuse(f"unknown argument {name[:COMMAND_ID_CHARS]!r}", f"known: {', '.join(known) or 'none'}")
    return {argument.name: _read(argument, given.get(argument.name)) for argument in arguments}


def _read(argument: Argument, value: object) -> object:
    if value is None:
        if argument.default is REQUIRED:
            raise refuse(f"argument {argument.name!r} is missing", argument.doc)
        return argument.default
    try:
        return argument.read(value)
    except ControlError as error:
        raise refuse(f"argument {argument.name!r} {error.message}", error.hint or argument.doc) from None
