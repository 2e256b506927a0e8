"""Options of the topic `renewal`: when a healthy process is replaced all the same."""

from __future__ import annotations

from initd.config.durations import duration
from initd.config.fields import PROCESS
from initd.config.values import size
from wire._record import Record
from wire.limits import RENEWAL_GLOBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

SCOPES = ("leader", "family")


def scope(text: str) -> str:
    """Whose memory counts."""
    if text not in SCOPES:
        raise ValueError(f"{text!r} is neither leader nor family")
    return text


def memory(text: str) -> int:
    """Bytes above 0."""
    value = size(text)
    if value <= 0:
        raise ValueError(f"{text!r} would restart for ever: write a size above 0, as 512MB")
    return value


def share(text: str) -> float:
    """A fraction, or percent."""
    digits = text.removesuffix("%")
    try:
        value = float(digits) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 0.5:
        raise ValueError(f"{text!r} is no share: write 0 to 0.5, or 0% to 50%")
    return value


def globs(text: str) -> tuple[str, ...]:
    """Absolute patterns, with blanks between."""
    found = tuple(dict.fromkeys(text.split()))
    wrong = next((one for one in found if not one.startswith("/")), None)
    if wrong is not None or not found or len(found) > RENEWAL_GLOBS:
        raise ValueError(f"{wrong or text!r}: write 1 to {RENEWAL_GLOBS} absolute paths with blanks between; "
                         "*, ? and ** (any depth) stand for names")  # fmt: skip
    return found


FIELDS: Fields = {
    "restart_memory": ("memory", None, PROCESS),
    "restart_memory_of": ("scope", "family", PROCESS),
    "restart_age": ("duration", None, PROCESS),
    "restart_age_jitter": ("share", 0.1, PROCESS),
    "restart_on_change": ("globs", (), PROCESS),
    "restart_look": ("duration", 10.0, PROCESS),
}
TYPES: dict[str, Callable[[str], object]] = {
    "memory": memory,
    "scope": scope,
    "duration": duration,
    "share": share,
    "globs": globs,
}


class Renewal(Record):
    """When a healthy process is replaced all the same."""

    memory: int | None
    """Bytes of resident memory."""
    memory_of: str
    """leader or family."""
    age: float | None
    """Seconds since its start."""
    age_jitter: float
    """Share of the age by which it may come sooner."""
    on_change: tuple[str, ...]
    look: float
    """Seconds between two looks at memory and files."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Renewal | None:
    """The record of one program, None where it has no rule."""
    found = Renewal(**{name.removeprefix("restart_"): value for name, value in values.items()})
    return found if found.memory or found.age or found.on_change else None
