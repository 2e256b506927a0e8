"""docs/running-a-hub.md: the size of a process in the store is what its tiers' sizes and the code's times make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.store.rows import Retention
from hub.store.shelf import TIERS

PAGE = (Path(__file__).parents[2] / "docs" / "running-a-hub.md").read_text()
UNITS = {"bytes": 1.0, "KB": 1e3, "MB": 1e6}


def told(beginning: str) -> float:
    """Bytes in the row of the table that begins so."""
    found = re.search(rf"^\| {re.escape(beginning)}[^|]*\| \**([\d.]+) (bytes|KB|MB)", PAGE, re.MULTILINE)
    assert found is not None, beginning
    return float(found[1]) * UNITS[found[2]]


def test_a_process_takes_what_its_tiers_take() -> None:
    hourly = [
        told(row) for row in ("disk, a process for an hour", "the same by the minute", "by ten minutes", "by the hour")
    ]
    keep = Retention()
    kept = [keep.raw + 3600, keep.minute, keep.ten_minutes, keep.hour]
    assert len(hourly) == len(TIERS)
    whole = sum(size * seconds / 3600 for size, seconds in zip(hourly, kept, strict=True))
    assert told("**disk, a process with the default tiers full") == pytest.approx(whole, rel=0.05)


def test_the_budget_holds_as_many_processes_as_it_says() -> None:
    found = re.search(r"`sample_budget` \(1 GiB\) holds some (\d+) processes", PAGE)
    assert found is not None
    assert (1 << 30) / told("**disk, a process with the default tiers full") == pytest.approx(int(found[1]), rel=0.1)
