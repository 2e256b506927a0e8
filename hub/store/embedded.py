"""The embedded store: a directory with SQLite for what may not be lost and segment files for samples.

DIR/lock              held while the store is open
DIR/facts.sqlite      agents, facts, commands, audit, tokens, keys, epoch
DIR/samples/TIER/     journals and segments
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack

from hub.store.errors import StoreError, Unwritable
from hub.store.members import Members
from hub.store.rows import Retention, StoreStats, Tended
from hub.store.sampled import Sampled
from hub.store.samples import RING_BYTES, Samples
from hub.store.shelf import Shelf
from hub.store.sqlite import Database, lock

__all__ = ["SAMPLE_BUDGET", "Embedded"]

SAMPLE_BUDGET = 1 << 30
"""Bytes of samples on disk: 1,000 processes for an hour raw, a day by the minute and a month by ten minutes."""

LEAST_BUDGET = 1 << 16
"""Below this no window of one small agent fits."""

PRUNE_SECONDS = 60.0
"""Between two looks for facts that are too old; where a slice was not enough, the next follows at once."""


class Embedded(Sampled, Members):
    """The store in one directory; see hub.store.base for what its methods promise."""

    def __init__(
        self,
        directory: str,
        sample_budget: int = SAMPLE_BUDGET,
        retention: Retention | None = None,
        ring_bytes: int = RING_BYTES,
    ) -> None:
        """Open, or make, the store.  Raises StoreError: Damaged, in use by another hub, or not writable."""
        if sample_budget < LEAST_BUDGET:
            raise StoreError(f"sample_budget {sample_budget} is below {LEAST_BUDGET} bytes")
        self.retention = retention or Retention()
        self._prune_at = 0.0
        with ExitStack() as undo:
            try:
                os.makedirs(directory, mode=0o700, exist_ok=True)
                self._lock = lock(directory)
                undo.callback(os.close, self._lock)
                self._database = Database(os.path.join(directory, "facts.sqlite"))
                undo.callback(self._database.close)
                self._samples = Samples(
                    Shelf(os.path.join(directory, "samples")), sample_budget, self.retention, ring_bytes
                )
            except OSError as error:
                raise Unwritable(f"{directory} cannot be used as the store's directory ({error})") from None
            undo.pop_all()

    # -- life --------------------------------------------------------------------------------------------------------

    def tend(self, now: float) -> Tended:
        older = False
        if now >= self._prune_at:
            try:
                older = self._prune(now, self.retention)
            except StoreError as error:
                self._samples.say(now, str(error), "prune")
            self._prune_at = now if older else now + PRUNE_SECONDS
        notes, more = self._samples.tend(now)
        return Tended(notes, more or older)

    def flush(self, now: float) -> None:
        self._write_out(self._samples.flush, now)

    def _write_out(self, effect: Callable[[float], None], now: float) -> None:
        try:
            effect(now)
        except OSError as error:
            raise Unwritable(f"samples cannot be written ({error})") from None

    def close(self, now: float) -> None:
        try:
            self._write_out(self._samples.close, now)
        finally:
            self._database.close()
            os.close(self._lock)

    def stats(self) -> StoreStats:
        samples, path = self._samples, self._database.path
        return StoreStats(
            backend="embedded",
            budget=samples.budget,
            used=samples.used,
            memory=samples.memory,
            tiers=samples.shelf.use(),
            facts=int(self._database.read("SELECT count(*) FROM facts")[0][0]),
            facts_size=os.path.getsize(path),
            samples=samples.taken,
            late=samples.late,
            problems=tuple(samples.shelf.problems.values()),
        )
