"""Pure: what is known of the containers of one engine, and whose details must be asked for again.

Theory.  The list comes often and is cheap; details cost a request each.  They are fetched for containers that are new,
whose brief changed, that an event touched, or that were not asked for SWEEP seconds.  A container whose details do not
come (a known illness: one stuck container hangs its own requests) is left alone for SHY seconds and shown by its brief.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.engines.listing import Brief, Detail, Size, brief_key, row
from hub.engines.reports import ContainerRow

SWEEP = 60.0
"""Oldest details, seconds: bounds what a lost event can hide."""
SHY = 60.0
"""Pause after details did not come, seconds."""


class Inventory:
    """The containers of one engine; times are monotonic seconds."""

    def __init__(self) -> None:
        self._briefs: dict[str, Brief] = {}
        self._details: dict[str, Detail] = {}
        self._asked: dict[str, tuple[float, tuple[str, ...]]] = {}
        """Container -> when its details may stay until, and for which brief they were fetched."""

    def replace(self, briefs: Sequence[Brief]) -> None:
        """A new list; whatever is not in it is forgotten."""
        self._briefs = {brief.id: brief for brief in briefs}
        for gone in self._asked.keys() - self._briefs.keys():
            del self._asked[gone]
            self._details.pop(gone, None)

    def touch(self, container: str) -> None:
        """An event spoke of it."""
        self._asked.pop(container, None)

    def wanted(self, now: float) -> list[Brief]:
        """Those whose details must be asked for."""
        return [brief for brief in self._briefs.values() if self._stale(brief, now)]

    def _stale(self, brief: Brief, now: float) -> bool:
        until, key = self._asked.get(brief.id, (0.0, ()))
        return now >= until or (key != brief_key(brief) and brief.id in self._details)

    def learn(self, brief: Brief, detail: Detail, now: float) -> None:
        """Its details came: they are newer than the list, so the row shows their state and addresses."""
        self._details[brief.id] = detail
        self._briefs[brief.id] = brief._replace(state=detail.state, addresses=detail.addresses)
        self._asked[brief.id] = (now + SWEEP, brief_key(brief))

    def shy(self, brief: Brief, now: float) -> None:
        """Its details did not come; what was known of them is not repeated as fresh."""
        self._details.pop(brief.id, None)
        self._asked[brief.id] = (now + SHY, brief_key(brief))

    def drop(self, brief: Brief) -> None:
        """It went away between the list and the question."""
        for known in (self._briefs, self._details, self._asked):
            known.pop(brief.id, None)

    def rows(self, sizes: Mapping[str, Size]) -> tuple[ContainerRow, ...]:
        """All rows."""
        return tuple(row(brief, self._details.get(brief.id), sizes.get(brief.id)) for brief in self._briefs.values())
