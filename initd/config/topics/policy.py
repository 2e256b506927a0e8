"""Options of the topic `policy`: what a program's end means for the container."""

from __future__ import annotations

from initd.config.fields import PROCESS
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

OUTCOMES = ("ignore", "restart", "shutdown")


def outcome(text: str) -> str:
    """What an end leads to."""
    word = text.strip().lower()
    if word not in OUTCOMES:
        raise ValueError(f"{text!r} is none of {', '.join(OUTCOMES)}")
    return word


FIELDS: Fields = {
    "essential": ("boolean", False, PROCESS),
    "on_exit": ("outcome", None, PROCESS),
    "on_fatal": ("outcome", None, PROCESS),
}
TYPES: dict[str, Callable[[str], object]] = {"outcome": outcome}


class Policy(Record):
    """What a program's end means for the container."""

    essential: bool
    on_exit: str
    """When it has ended and autorestart does not start it again: ignore, restart or shutdown."""
    on_fatal: str
    """When it is given up: the same three."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Policy:
    """The record of one program; `essential` means shutdown wherever nothing else is said."""
    usual = "shutdown" if values["essential"] else "ignore"
    if values["on_exit"] == "restart":
        if "autorestart" in given and program["autorestart"] != "true":
            blame("on_exit", "on_exit=restart contradicts autorestart: take one of them out")
        program["autorestart"] = "true"
    return Policy(values["essential"], values["on_exit"] or usual, values["on_fatal"] or usual)
