"""Options of the topic `hooks`: commands before its start and after its end."""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {}
TYPES: dict[str, Callable[[str], object]] = {}


class Hooks(Record):
    """Commands before its start and after its end, split into words; () where there is none."""

    pre_start: tuple[str, ...] = ()
    pre_start_timeout: float = 60.0
    """Seconds."""
    post_stop: tuple[str, ...] = ()
    post_stop_timeout: float = 10.0


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Hooks:
    """The record of one program."""
    return Hooks(**values)
