"""Every test gives its descriptors back; and one that does not fails, before the next one feels it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from tests.support.estate import give_back

FORGOTTEN = 3
"""Descriptors a test may leave open: what an import, a cache or the first use of something keeps for good."""


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def descriptors_come_back() -> Iterator[None]:
    """Requested before all fixtures of a test, so it ends after them."""
    before = descriptors()
    yield
    give_back()
    if descriptors() > before:
        gc.collect()  # sockets that only a cycle holds
    assert descriptors() <= before + FORGOTTEN, f"{descriptors() - before} descriptors were left open: {_names(before)}"


def _names(skipped: int) -> list[str]:
    """Where the highest lead to."""
    found = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[skipped:]
    return [os.readlink(f"/proc/self/fd/{fd}") for fd in found if os.path.lexists(f"/proc/self/fd/{fd}")]
