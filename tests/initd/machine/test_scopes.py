"""Stops with several signals, and stops that wait for more than the leader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.events import (
    GROUP,
    KILL,
    TREE,
    Died,
    Due,
    Emptied,
    Force,
    Kill,
    Leave,
    Look,
    NotReady,
    Reach,
    Restart,
    Start,
    Stop,
)
from initd.program import Phase, is_alive
from tests.support.story import ALICE, BOB, Story, up
from wire.model import State

S = State
TURNS = ((15, 5.0), (2, 3.0), (3, 10.0))


def sent(story: Story) -> list[int]:
    return [effect.signum for effect in story.effects if isinstance(effect, Kill | Reach)]


def at(story: Story) -> list[float]:
    """How long after the first each further signal comes, up to the second KILL."""
    began, found = story.now, []
    for _ in range(4):
        story.due()
        found.append(story.now - began)
    return found


def test_signals_come_in_turn_then_kill_again_and_again() -> None:
    story = up(stop_signals=TURNS).tell(Stop(ALICE))
    assert at(story) == [5.0, 8.0, 18.0, 28.0]
    assert sent(story) == [15, 2, 3, KILL, KILL]


def test_a_squeezed_stop_keeps_their_proportions() -> None:
    story = up(stop_signals=TURNS).tell(Stop(ALICE, wait=9.0))
    assert at(story)[:3] == pytest.approx([2.5, 4.0, 9.0])


def test_squeezing_later_counts_from_then() -> None:
    story = up(stop_signals=TURNS).tell(Stop(ALICE)).due().tell(Stop(BOB, wait=1.3))
    began = story.now
    story.due().due()
    assert (sent(story), story.now - began) == ([15, 2, 3, KILL], pytest.approx(1.3))


@given(st.lists(st.floats(0, 10), max_size=5), st.floats(0, 60))
def test_however_often_it_is_squeezed_kill_comes_in_time(waits: list[float], first: float) -> None:
    story = up(stop_signals=TURNS).tell(Stop(ALICE, wait=first))
    ends = story.now + first
    for wait in waits:
        story.tell(Stop(BOB, wait=wait), 0.0)
        ends = min(ends, story.now + wait)
    while story.program.kills == 0:
        story.due()
    assert story.now <= ends + 1e-6


def test_force_skips_the_rest() -> None:
    assert sent(up(stop_signals=TURNS).tell(Stop(ALICE)).tell(Force(BOB))) == [15, KILL]


def scoped(left: int = 2, **rules: object) -> Story:
    story = up(**{"stop_scope": GROUP, "stopwaitsecs": 10, **rules})
    story.left = left
    return story


def test_a_stop_with_a_scope_reaches_all_of_it() -> None:
    assert scoped().tell(Stop(ALICE)).effects[-1] == Reach(15, wake=True)


def test_it_is_over_at_once_where_the_leader_was_the_last() -> None:
    story = scoped(left=0).tell(Stop(ALICE)).tell(Died(0))
    assert (story.program.state, is_alive(story.program)) == (S.STOPPED, False)


@pytest.mark.parametrize("scope", [GROUP, TREE])
def test_it_is_over_when_the_last_member_is_gone(scope: str) -> None:
    story = scoped(stop_scope=scope).tell(Stop(ALICE)).tell(Died(0))
    assert (story.program.state, story.program.phase, story.program.pid) == (S.STOPPING, Phase.EMPTYING, None)
    assert (len(story.ends()), type(story.effects[-1]), is_alive(story.program)) == (1, Look, True)
    assert story.tell(Emptied(), 2.0).program.state is S.STOPPED
    assert (Leave in map(type, story.effects)) is (scope == TREE)


def test_members_that_outlive_the_leader_get_the_signals_still_to_come() -> None:
    story = scoped(stop_signals=TURNS).tell(Stop(ALICE)).tell(Died(0), 1.0).due().due().due()
    assert sent(story) == [15, 2, 3, KILL]


def test_a_stop_always_ends_and_says_who_is_left() -> None:
    story = scoped().tell(Stop(ALICE)).tell(Died(0), 1.0)
    began = story.now
    while story.program.state is S.STOPPING:
        story.due()
    assert sent(story) == [15, KILL, KILL]
    assert story.now - began <= 9.0 + 2.0
    assert Leave in map(type, story.effects)


def test_a_restart_starts_when_the_scope_is_empty() -> None:
    story = scoped().tell(Restart(ALICE)).tell(Died(0))
    assert story.path()[2:] == [S.STOPPING]
    assert story.tell(Emptied()).program.state is S.STARTING


def test_a_start_meanwhile_is_remembered_and_a_stop_wins() -> None:
    story = scoped().tell(Stop(ALICE)).tell(Died(0)).tell(Start(BOB)).tell(Stop(ALICE, wait=0.0)).tell(Emptied())
    assert story.program.state is S.STOPPED


def test_force_kills_what_is_left() -> None:
    story = scoped().tell(Stop(ALICE)).tell(Died(0)).tell(Force(BOB))
    assert (sent(story), story.program.phase) == ([15, KILL], Phase.EMPTYING)
    assert story.program.deadline == story.now + 1.0


def test_a_failed_start_is_tried_again_when_its_scope_is_empty() -> None:
    story = Story(stop_scope=TREE, awaits_ready=True).tell(Start())
    story.left = 1
    story.tell(NotReady("x")).tell(Died(0))
    assert (story.program.state, story.program.phase) == (S.STARTING, Phase.EMPTYING)
    assert story.tell(Emptied()).program.state is S.BACKOFF


def test_a_stop_of_a_failed_start_that_is_being_emptied() -> None:
    story = Story(stop_scope=TREE, awaits_ready=True).tell(Start())
    story.left = 1
    story.tell(NotReady("x")).tell(Died(0)).tell(Stop(ALICE))
    assert story.program.state is S.STOPPING
    assert story.tell(Emptied()).program.state is S.STOPPED


def test_post_stop_comes_when_the_scope_is_empty() -> None:
    story = scoped(post_stop=5.0).tell(Stop(ALICE)).tell(Died(0))
    assert story.program.phase is Phase.EMPTYING
    assert story.tell(Emptied()).program.phase is Phase.TIDYING
    assert story.tell(Died(0)).tell(Due()).program.state is S.STOPPED
