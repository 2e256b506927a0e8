"""Options of the topic `stopping`: how far a stop reaches, and by which signals."""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {}
TYPES: dict[str, Callable[[str], object]] = {}


class Stopping(Record):
    """How far a stop reaches, and by which signals."""

    stop_signals: tuple[tuple[int, float], ...] = ()
    """In turn, with the seconds that each may take; (): stopsignal and stopwaitsecs."""
    stop_scope: str = ""
    """`leader`, `group` or `tree`; "": supervisord's."""


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Stopping:
    """The record of one program."""
    return Stopping(**values)
