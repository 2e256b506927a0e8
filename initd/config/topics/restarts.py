"""Options of the topic `restarts`: the shape of restarts: back-off and crash loops."""

from __future__ import annotations

from initd.backoff import Backoff
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {}
TYPES: dict[str, Callable[[str], object]] = {}


class Restarts(Record):
    """The shape of restarts: back-off and crash loops."""

    backoff: Backoff | None = None
    """None: supervisord's waits."""
    crash_loop: tuple[int, float] | None = None
    """So many ends in so many seconds, and it is given up."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Restarts:
    """The record of one program."""
    return Restarts(**values)
