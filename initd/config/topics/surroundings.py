"""Options of the topic `surroundings`: environment files, secrets, the list of inherited variables."""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {}
TYPES: dict[str, Callable[[str], object]] = {}


class Surroundings(Record):
    """Environment files, secrets, the list of inherited variables."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Surroundings:
    """The record of one program."""
    return Surroundings(**values)
