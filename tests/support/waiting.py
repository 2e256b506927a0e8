"""Wait for a condition with a generous deadline: machines are slow and shared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(condition: Callable[[], Found], seconds: float = 30.0, what: str = "") -> Found:
    """The first true value of `condition`; fails the test at the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"did not come true in {seconds:g} s: {what or condition}"
        time.sleep(0.01)
    return found
