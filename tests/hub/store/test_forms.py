"""Samples that earlier releases wrote are read as if they had been written today."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.monitor.history import PROCESS
from hub.store.tiers import POINTS, Points, block_of, of_points
from tests.support import sampleforms
from wire.model import RosterRow

FORMS = sorted(sampleforms.HERE.glob("samples-*"))


@pytest.mark.parametrize("kept", FORMS, ids=lambda path: path.name)
def test_every_form_that_was_answers_as_that_of_today(kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept, tmp_path / "old")
    sampleforms.fill(tmp_path / "new")
    assert sampleforms.told(tmp_path / "old") == sampleforms.told(tmp_path / "new")


def test_forms_of_old_are_kept() -> None:
    assert [path.name for path in FORMS] == ["samples-columns"]


def test_rows_with_fewer_points_than_others_keep_their_own() -> None:
    row, point = RosterRow(1, 2, 0, "program", "p", "p", 0), PROCESS.point.size
    one = PROCESS.unpack(bytes(range(point)), 60.0)
    parts = [of_points(PROCESS, "b", row._replace(pid=number), one * number) for number in (1, 3, 2)]
    block, head, body = block_of(PROCESS, ("process", "a"), "b", parts)
    points = Points(PROCESS, head, body)
    assert (head[0], [points.of(number) for number in range(3)]) == (POINTS, [part.body for part in parts])
    assert points.plain()[1] == b"".join(part.body for part in parts)
    assert (block.boot, [row.pid for row in points.rows]) == ("b", [1, 3, 2])


def test_a_cut_block_of_points_is_an_error() -> None:
    row = RosterRow(1, 2, 0, "program", "p", "p", 0)
    point = PROCESS.unpack(bytes(PROCESS.point.size), 60.0)
    _, head, body = block_of(PROCESS, ("process", "a"), "b", [of_points(PROCESS, "b", row, point)])
    for length in range(len(body)):
        with pytest.raises(ValueError):
            Points(PROCESS, head, body[:length])
    with pytest.raises(ValueError):
        Points(PROCESS, head, body + b"x")
