"""Options of the topic `liveness`: how a running program is checked, and what is done when it fails."""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {}
TYPES: dict[str, Callable[[str], object]] = {}


class Liveness(Record):
    """How a running program is checked, and what is done when it fails."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Liveness:
    """The record of one program."""
    return Liveness(**values)
