"""Moves between hubs: the old connections stay until the new hub lets the agent in, and each move is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from initd.link.loop import Loop
from initd.link.moves import LINE_SECONDS, LINES, Diary
from tests.support.crew import Member
from tests.support.doors import Door
from tests.support.zap import Doorkeeper
from wire.keys import JoinString, KeyPair
from wire.messages import Enrolled, Heartbeat, Hello, Register

Turning = Callable[..., None]


@pytest.fixture
def doors(context: Any, doorkeeper: Doorkeeper) -> Iterator[list[Door]]:
    made = [Door(context, doorkeeper) for _ in range(2)]
    yield made
    for door in made:
        door.close()


class Moving:
    """A member of a fleet of two hubs, served by the first."""

    def __init__(self, loop: Loop, context: Any, keeper: Doorkeeper, doors: list[Door], turning: Turning) -> None:
        self.said: list[str] = []
        self.first, self.second = doors
        self.turn, pair = turning, KeyPair.generate()
        keeper.admit("agents", pair.public, "a1")
        join = JoinString((doors[0].address.enrol,), KeyPair.generate().public, "token1", b"s" * 32)
        self.member = Member(loop, context, join.format(), "member", self.said.append)
        self.first.hubs = tuple(door.address for door in doors)
        self.member.agent.enrolled(join, pair, Enrolled("a1", (self.first.address,), {}))
        self.until(lambda: self.first.count(Heartbeat) > 1 and self.first.count(Hello))

    def until(self, true: Callable[[], object]) -> None:
        self.turn(lambda: [door.serve() for door in (self.first, self.second)] and true())


@pytest.fixture
def moving(loop: Loop, context: Any, doorkeeper: Doorkeeper, doors: list[Door], turning: Turning) -> Moving:
    return Moving(loop, context, doorkeeper, doors, turning)


def test_who_goes_home_beats_where_it_was_until_home_lets_it_in(moving: Moving) -> None:
    moving.second.shut = True
    moving.first.hubs = moving.first.hubs[::-1]
    moving.until(lambda: moving.second.count(Register))
    before = moving.first.count(Heartbeat)
    moving.until(lambda: moving.first.count(Heartbeat) > before + 2)
    assert moving.member.agent.moves.door is not None
    moving.second.shut = False
    moving.until(lambda: moving.second.count(Heartbeat) and moving.second.count(Hello))
    assert moving.member.agent.moves.door is None and moving.member.agent.talk.place == moving.second.address
    here = moving.second.address.command
    assert [line.split(" after")[0] for line in moving.said if here in line][-1:] == [f"hub {here} let us in"]


def test_a_hub_that_was_only_slow_is_not_left(moving: Moving) -> None:
    moving.first.shut = moving.second.shut = True
    moving.until(lambda: moving.second.count(Register))
    moving.first.shut = False
    moving.until(lambda: moving.member.agent.moves.door is None)
    assert moving.member.agent.talk.place == moving.first.address and not moving.second.count(Heartbeat)


def test_a_hub_that_turns_newcomers_away_leaves_them_where_they_are(moving: Moving) -> None:
    moving.second.blind = True
    moving.first.hubs = moving.first.hubs[::-1]
    moving.until(lambda: moving.second.count(Register) and moving.member.agent.moves.door is None)
    before = moving.first.count(Heartbeat)
    moving.until(lambda: moving.first.count(Heartbeat) > before)


def test_a_beat_that_stays_without_an_answer_is_followed_by_a_word_on_the_other_connection(moving: Moving) -> None:
    before = moving.first.count(Hello)
    moving.first.shut = True
    moving.until(lambda: moving.first.count(Hello) > before)


def test_a_container_that_stops_does_not_move_on(moving: Moving) -> None:
    moving.first.shut = moving.second.shut = True
    moving.until(lambda: moving.second.count(Register))
    moving.member.agent.leave()
    assert moving.member.agent.moves.door is None


def test_what_is_said_of_moves_is_bounded_and_what_was_left_out_is_counted() -> None:
    said: list[str] = []
    diary = Diary(said.append, 0.0)
    for number in range(3 * LINES):
        diary.tell(f"line {number}", 1.0)
    assert len(said) == LINES
    diary.tell("the next", 1.0 + 2 * LINE_SECONDS)
    assert said[LINES:] == [f"the next ({2 * LINES} lines about moves before this one were left out)"]
