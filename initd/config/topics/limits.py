"""Options of the topic `limits`: groups, resource limits, priorities, capabilities."""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {}
TYPES: dict[str, Callable[[str], object]] = {}


class Limits(Record):
    """Groups, resource limits, priorities, capabilities."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Limits:
    """The record of one program."""
    return Limits(**values)
