"""Options of the topic `jobs`: one-shots and schedules."""

from __future__ import annotations

from initd.events import ONESHOT
from wire._record import Record

SERVICE = "service"
TYPES_OF_PROGRAM = (SERVICE, ONESHOT)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {}
TYPES: dict[str, Callable[[str], object]] = {}


class Jobs(Record):
    """One-shots and schedules."""

    type: str = SERVICE
    """`service` or `oneshot`."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Jobs:
    """The record of one program."""
    return Jobs(**values)
