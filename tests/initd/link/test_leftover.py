"""Untold facts on the shelf."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from initd.link.leftover import Leftover, Shelf
from tests.support.facts import change, exit_record, fat_exit
from wire import limits

REST = Leftover("boot1", 5.0, (change(3), exit_record(4)))


def test_it_comes_back(tmp_path: Path) -> None:
    assert Shelf(str(tmp_path / "state"), "c1").put(REST)
    assert Shelf(str(tmp_path / "state"), "c1").load() == [REST]


def test_another_container_does_not_get_it(tmp_path: Path) -> None:
    Shelf(str(tmp_path), "c1").put(REST)
    assert Shelf(str(tmp_path), "c2").load() == []


def test_boots_are_told_in_their_order_and_the_oldest_give_way(tmp_path: Path) -> None:
    shelf = Shelf(str(tmp_path), "c1")
    for number in reversed(range(limits.LEFTOVERS + 2)):
        shelf.put(REST._replace(boot=f"boot{number}", started_at=float(number)))
    assert [one.boot for one in shelf.load()] == [f"boot{n}" for n in range(2, limits.LEFTOVERS + 2)]


def test_what_was_stored_is_dropped(tmp_path: Path) -> None:
    shelf = Shelf(str(tmp_path), "c1")
    shelf.put(REST)
    shelf.drop("boot1")
    shelf.drop("boot1")
    assert shelf.load() == [] and os.listdir(tmp_path) == []


def test_without_state_dir_or_container_nothing_is_kept(tmp_path: Path) -> None:
    assert not Shelf("", "c1").put(REST) and not Shelf(str(tmp_path), "").put(REST)
    assert not Shelf("/proc/no", "c1").put(REST) and Shelf("/proc/no", "c1").load() == []


def test_nothing_untold_makes_no_file(tmp_path: Path) -> None:
    assert not Shelf(str(tmp_path), "c1").put(REST._replace(facts=())) and os.listdir(tmp_path) == []


@given(st.text())
def test_nonsense_in_a_file_is_ignored(text: str) -> None:
    assert Leftover.of_text(text, "c1") is None


def test_a_full_ring_fits_the_bound() -> None:
    facts = tuple(fat_exit(seq) for seq in range(1, 101))
    assert len(REST._replace(facts=facts).text("c" * 64)) * limits.FACTS / 100 < limits.LEFTOVER_BYTES
