"""What is kept, and who may take it up again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.link.membership import SLOT, Keeper, Membership
from tests.support.sayspid1 import SaysPid1
from wire import limits
from wire.keys import JoinString, KeyPair
from wire.messages import HubAddress

PAIR = KeyPair.generate()
JOIN = JoinString(("hub:7403",), PAIR.public, "t1", b"s" * 32)
HUB = HubAddress("hub:7401", "hub:7402", "hub:7403", PAIR.public)
MEMBER = Membership(PAIR, "a1", (HUB,), 3)


def test_it_comes_back_for_the_same_container_and_token() -> None:
    assert Membership.of_text(MEMBER.text(JOIN, "c1"), JOIN, "c1") == MEMBER


@pytest.mark.parametrize(
    ("join", "container"),
    [(JOIN, "c2"), (JOIN._replace(token="t2"), "c1"), (JOIN._replace(secret=b"x" * 32), "c1")],
)
def test_another_container_or_token_does_not_get_it(join: JoinString, container: str) -> None:
    assert Membership.of_text(MEMBER.text(JOIN, "c1"), join, container) is None


def test_hubs_that_moved_do_not_make_it_void() -> None:
    moved = JOIN._replace(hubs=("elsewhere:7403",))
    assert Membership.of_text(MEMBER.text(JOIN, "c1"), moved, "c1") == MEMBER


@given(st.text())
def test_nonsense_is_no_membership(text: str) -> None:
    assert Membership.of_text(text, JOIN, "c1") is None


def test_a_changed_key_is_no_membership() -> None:
    text = MEMBER.text(JOIN, "c1").replace(PAIR.public, KeyPair.generate().public, 1)
    assert Membership.of_text(text, JOIN, "c1") is None


def test_pid_1_keeps_it(pid1: SaysPid1) -> None:
    keeper = Keeper(pid1.link, {}, "", "c1")
    keeper.save(MEMBER, JOIN)
    pid1.answer()
    [(verb, args)] = pid1.asked
    assert verb == "link.keep" and args["key"] == SLOT
    assert Keeper(pid1.link, {SLOT: args["value"]}, "", "c1").load(JOIN) == MEMBER


def test_the_largest_is_small_enough_to_keep() -> None:
    hubs = (HUB._replace(command=f"{'h' * 255}:7401", samples=f"{'h' * 255}:7402"),) * limits.HUBS
    assert len(MEMBER._replace(hubs=hubs).text(JOIN, "c" * 64)) < limits.KEEP_BYTES


def test_state_dir_keeps_it_over_a_restart_of_the_container(pid1: SaysPid1, tmp_path: Path) -> None:
    state = tmp_path / "state"
    Keeper(pid1.link, {}, str(state), "c1").save(MEMBER, JOIN)
    assert stat.S_IMODE((state / "agent.json").stat().st_mode) == 0o600
    assert Keeper(pid1.link, {}, str(state), "c1").load(JOIN) == MEMBER
    assert Keeper(pid1.link, {}, str(state), "c2").load(JOIN) is None


def test_without_a_container_id_nothing_is_written_and_that_is_said(pid1: SaysPid1, tmp_path: Path) -> None:
    said: list[str] = []
    Keeper(pid1.link, {}, str(tmp_path), "", said.append).save(MEMBER, JOIN)
    assert os.listdir(tmp_path) == []
    assert len(said) == 1 and str(tmp_path) in said[0] and "PIDONE_CONTAINER_ID" in said[0]


def test_without_a_state_dir_nothing_needs_to_be_said(pid1: SaysPid1) -> None:
    said: list[str] = []
    Keeper(pid1.link, {}, "", "", said.append).save(MEMBER, JOIN)
    assert said == []


def test_a_state_dir_that_cannot_be_written_is_said_and_no_error(pid1: SaysPid1) -> None:
    said: list[str] = []
    Keeper(pid1.link, {}, "/proc/no", "c1", said.append).save(MEMBER, JOIN)
    pid1.answer()
    assert pid1.asked and said[0].startswith("/proc/no/agent.json: No such file or directory; ")
