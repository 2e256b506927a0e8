"""kill -9 of a writer at random moments: nothing acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prove.store import Hasty
from tests.support import crash


@pytest.mark.proc
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    done = crash.rounds(str(tmp_path), 6, seed=1)
    assert [one.broken for one in done] == [[]] * 6
    assert any(one.said["f"] for one in done)


@pytest.mark.proc
def test_the_crash_test_sees_an_early_acknowledgement(tmp_path: Path) -> None:
    assert any(one.broken for one in crash.rounds(str(tmp_path), 10, seed=2, kind=Hasty))
