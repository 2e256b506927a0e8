"""Collects what threads post, and lets a test wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


class Ear:
    """Its `post` may be called from any thread; tests wait until what they expect was heard."""

    def __init__(self) -> None:
        self._heard: list[tuple[float, Any]] = []
        self._changed = threading.Condition()

    def post(self, report: Any) -> None:
        """Hear a report."""
        with self._changed:
            self._heard.append((time.monotonic(), report))
            self._changed.notify_all()

    def heard(self, kind: type, since: float = 0.0) -> list[Any]:
        """All reports of a kind since a monotonic time, oldest first."""
        with self._changed:
            return [report for at, report in self._heard if isinstance(report, kind) and at >= since]

    def times(self, kind: type, where: Callable[[Any], bool] = lambda report: True) -> list[float]:
        """When such reports were heard, monotonic seconds."""
        with self._changed:
            return [at for at, report in self._heard if isinstance(report, kind) and where(report)]

    def wait(
        self, kind: type, where: Callable[[Any], bool] = lambda report: True, since: float = 0.0, seconds: float = 30.0
    ) -> Any:
        """The first such report since a monotonic time; fails the test where none comes in time."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for at, report in self._heard:
                    if at >= since and isinstance(report, kind) and where(report):
                        return report
                left = deadline - time.monotonic()
                if left <= 0:
                    last = [report for _, report in self._heard if isinstance(report, kind)][-2:]
                    raise AssertionError(f"no such {kind.__name__} in {seconds:.0f} s; the last: {str(last)[-3000:]}")
                self._changed.wait(left)
