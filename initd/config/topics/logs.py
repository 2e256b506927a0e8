"""Options of the topic `logs`: how its output is shown, rotated and masked."""

from __future__ import annotations

from initd.config.values import FALSE, TRUE
from wire._record import Record
from wire.limits import LOG_MASK_CHARS, LOG_MASKS, LOG_PREFIX_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

PREFIX = "{name} |"
"""What log_prefix=true stands for."""

FIELDS: Fields = {
    "log_prefix": ("log_prefix", None, "process"),
    "log_timestamps": ("log_timestamps", "none", "process"),
    "log_format": ("log_format", "text", "process"),
    "log_files": ("boolean", False, "process"),
    "log_mask": ("log_mask", (), "process"),
    "logfile_rotate": ("logfile_rotate", "never", "process"),
    "logfile_compress": ("boolean", False, "process"),
}


NAMES = ("name", "stream")
"""What a prefix may name."""


def prefix(text: str) -> str | None:
    """What stands before each line; None for nothing."""
    word = text.lower()
    if word in TRUE or word in FALSE or not word:
        return PREFIX if word in TRUE else None
    if len(text) > LOG_PREFIX_CHARS or not text.isprintable():
        raise ValueError(f"write true, false or at most {LOG_PREFIX_CHARS} characters, as in [{{name}} {{stream}}]")
    named = [part.partition("}")[0] for part in text.split("{")[1:] if "}" in part]
    strange = [name for name in named if name.isidentifier() and name not in NAMES]
    if strange:
        raise ValueError(f"{text!r}: {{{strange[0]}}} means nothing: write {{name}} or {{stream}}")
    return text


def timestamps(text: str) -> str:
    """`none`, `utc` or `local`."""
    word = {"true": "utc", "false": "none"}.get(text.lower(), text.lower())
    if word not in ("none", "utc", "local"):
        raise ValueError(f"{text!r} is none of utc, local, none")
    return word


def line_format(text: str) -> str:
    """`text` or `json`."""
    if text.lower() not in ("text", "json"):
        raise ValueError(f"{text!r} is neither text nor json")
    return text.lower()


def masks(text: str) -> tuple[str, ...]:
    """Patterns, separated by commas or lines."""
    found = tuple([part.strip() for part in text.replace("\n", ",").split(",") if part.strip()])
    if len(found) > LOG_MASKS:
        raise ValueError(f"{len(found)} patterns are more than the {LOG_MASKS} allowed")
    for pattern in found:
        _check_mask(pattern)
    return found


def _check_mask(pattern: str) -> None:
    first, _, rest = pattern.partition("*")
    if not first.strip():
        raise ValueError(f"{pattern!r}: write what stands before the secret first, as in password=* or Bearer *")
    if "*" in rest:
        raise ValueError(f"{pattern!r} has more than one *: take what stands before the first secret, or two patterns")
    if len(pattern) > LOG_MASK_CHARS:
        raise ValueError(f"the pattern {pattern[:20]!r}... is longer than {LOG_MASK_CHARS} characters")
    if len(pattern.replace("*", "").strip()) < 2:
        raise ValueError(f"{pattern!r} would mask nearly everything: write at least two characters beside the *")


def rotation(text: str) -> str | int:
    """`never`, `hourly`, `daily`, or seconds."""
    word = text.lower()
    if word in ("never", "hourly", "daily"):
        return word
    if not word.isdecimal() or not 1 <= int(word) < 10**9:
        raise ValueError(f"{text!r} is none of daily, hourly, never and no number of seconds")
    return int(word)


TYPES: dict[str, Callable[[str], object]] = {
    "log_prefix": prefix,
    "log_timestamps": timestamps,
    "log_format": line_format,
    "log_mask": masks,
    "logfile_rotate": rotation,
}


class Logs(Record):
    """How its output is shown, rotated and masked."""

    log_prefix: str | None = None
    """Before each line, with {name} and {stream}; None for nothing."""
    log_timestamps: str = "none"
    """`none`, `utc` or `local`; where the file says nothing, JSON lines have UTC."""
    log_format: str = "text"
    log_files: bool = False
    """Log files get these lines too, not only the container's streams."""
    log_mask: tuple[str, ...] = ()
    logfile_rotate: str | int = "never"
    """`never`, `hourly`, `daily` (local time) or seconds."""
    logfile_compress: bool = False
    timestamps_given: bool = False
    relay: tuple[str, ...] = ()
    """Streams that are copied to the container's stdout, as supervisor_stdout did; see initd.config.relay."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Logs:
    """The record of one program."""
    return Logs(**values, timestamps_given="log_timestamps" in given)
