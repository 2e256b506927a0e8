"""Whom this hub heard, until the shared store surely has it.  Pure.

Theory.  A hearing waits, is under way in a numbered call, and is forgotten when that call was answered; one that failed
waits again.  A renewal of the lease brings all along that is under way, in its own step: so a row that was renewed says
that nothing heard before is missing (hub.cluster.vouching), in whatever order calls end.
"""

from __future__ import annotations

from collections.abc import Mapping


class Hearings:
    """Agent -> wall time, in several stages."""

    def __init__(self) -> None:
        self.waiting: dict[str, float] = {}
        self._under_way: dict[int, dict[str, float]] = {}
        self._number = 0

    def write(self) -> tuple[int, dict[str, float]]:
        """All that waits is under way from now on; the number of that call."""
        self._number, heard, self.waiting = self._number + 1, self.waiting, {}
        self._under_way[self._number] = heard
        return self._number, heard

    def written(self, number: int, failed: bool) -> None:
        """That call was answered."""
        heard = self._under_way.pop(number)
        if failed:
            self.waiting = {**heard, **self.waiting}

    def unwritten(self, fresh: Mapping[str, float]) -> dict[str, float]:
        """What a renewal brings along; `fresh` are those a hub hears that was cut off from the store."""
        found = dict(fresh)
        for heard in self._under_way.values():
            found |= heard
        return found

    def begin_anew(self, fresh: Mapping[str, float]) -> None:
        """After blindness only these wait: older hearings must not revive the dead."""
        self.waiting = dict(fresh)
