"""How far a change of the hub's key got, on disk: a crash between any two steps leaves something to go on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.trust import rotation
from hub.trust.rotation import Standing, Turn, placed, shift
from tests.support.corehub import SETTINGS
from wire.keys import KeyFault, KeyPair


@pytest.fixture
def first(tmp_path: Path) -> Turn:
    pair = KeyPair.generate()
    pair.save(tmp_path / "hub.json")
    return rotation.load(tmp_path, pair)


def again(folder: Path) -> Turn:
    """What a start finds."""
    return rotation.load(folder, KeyPair.load(folder / "hub.json"))


def test_without_a_change_there_is_one_key_on_the_configured_ports(first: Turn, tmp_path: Path) -> None:
    assert first.standing.goal == 0 and first.next is None and first.made_at > 0
    assert not (tmp_path / rotation.FILE).exists()


def test_a_change_survives_a_start(first: Turn, tmp_path: Path) -> None:
    begun = rotation.begin(tmp_path, first, 200.0, 100.0)
    assert again(tmp_path) == begun and begun.standing.goal == 1 and begun.own == first.own
    moved = rotation.begin(tmp_path, begun, 150.0, 120.0)
    assert moved.next == begun.next and again(tmp_path).until == 150.0 and moved.begun_at == 100.0


def test_an_end_that_was_interrupted_is_ended_by_the_next_start(first: Turn, tmp_path: Path) -> None:
    begun = rotation.begin(tmp_path, first, 200.0, 100.0)
    assert begun.next is not None
    begun.next.save(tmp_path / "hub.json")  # and here the power fails
    assert again(tmp_path) == Turn(begun.next, 1, 100.0) == again(tmp_path)


def test_the_second_change_goes_back(first: Turn, tmp_path: Path) -> None:
    there = rotation.finish(tmp_path, rotation.begin(tmp_path, first, 2.0, 1.0))
    assert there.side == 1 and again(tmp_path) == there
    back = rotation.finish(tmp_path, rotation.begin(tmp_path, there, 4.0, 3.0))
    assert back.side == 0 and back.own not in (first.own, there.own)


def test_a_change_that_could_not_begin_leaves_nothing(first: Turn, tmp_path: Path) -> None:
    rotation.abandon(tmp_path, rotation.begin(tmp_path, first, 2.0, 1.0))
    assert again(tmp_path).next is None and again(tmp_path).side == 0


@pytest.mark.parametrize(
    "text", ["", "{}", '{"v": 2, "side": 0, "made_at": 0, "next": null, "begun_at": 0, "until": 0}']
)
def test_a_damaged_file_is_named(first: Turn, tmp_path: Path, text: str) -> None:
    (tmp_path / rotation.FILE).write_text(text)
    with pytest.raises(KeyFault, match=rotation.FILE):
        again(tmp_path)


def test_addresses_follow_the_side() -> None:
    there = placed(SETTINGS, Standing(0, "k", 0.0, "n" * 40, 9.0))
    assert there.client == "h:7414" and there.addresses[0] == ("h:7411", "h:7412", "h:7403", "n" * 40)
    assert there.enrol_addresses == SETTINGS.enrol_addresses and there.fleet_key == SETTINGS.fleet_key
    assert placed(there, Standing(1, "n" * 40)).client == "h:7414"
    assert placed(there, Standing(0, "k" * 40)).client == SETTINGS.client
    assert shift("[::1]:7401", 1) == "[::1]:7411"
