"""Hooks: what runs before a start and after an end, and every way to interrupt them."""

from __future__ import annotations

import pytest

from initd.events import (
    KILL,
    POST_STOP,
    PRE_START,
    TERM,
    Await,
    Died,
    Event,
    Failing,
    Force,
    Hold,
    Kill,
    Restart,
    Spawn,
    Start,
    Stop,
)
from initd.program import Phase, is_pending
from tests.support.story import ALICE, BOB, Story
from wire.model import Cause, State, Want

S = State


def spawned(story: Story) -> list[str]:
    return [effect.hook for effect in story.effects if isinstance(effect, Spawn)]


def preparing(**rules: object) -> Story:
    return Story(pre_start=60.0, **rules).tell(Start(ALICE))


def running(**rules: object) -> Story:
    """A program with a post_stop that runs."""
    return Story(post_stop=10.0, **rules).tell(Start(ALICE)).due()


# pre_start


def test_the_program_starts_when_its_hook_has_ended_well() -> None:
    story = preparing()
    assert (story.program.state, story.program.phase, story.program.spawns) == (S.STARTING, Phase.PREPARING, 0)
    story.tell(Died(0), 30.0)
    assert (spawned(story), story.program.phase, story.program.spawns) == ([PRE_START, ""], Phase.MAIN, 1)
    assert story.program.deadline == story.now + 1.0
    assert story.due().program.state is S.RUNNING


def test_it_runs_before_each_start() -> None:
    story = preparing(autorestart="true").tell(Died(0)).due().tell(Died(1), 5.0)
    assert (spawned(story), story.program.phase) == ([PRE_START, "", PRE_START], Phase.PREPARING)


@pytest.mark.parametrize("death", [Died(3), Died(None, 11)])
def test_any_other_end_is_a_failed_start(death: Died) -> None:
    story = preparing().tell(death, 5.0)
    assert (story.program.state, story.program.tries) == (S.BACKOFF, 1)
    assert story.program.why.startswith("pre_start: ")
    [ended] = story.ends()
    assert (ended.hook, ended.cause, ended.expected, ended.code) == (PRE_START, Cause.START_FAILURE, False, death.code)


def test_a_hook_that_cannot_be_spawned_is_a_failed_start() -> None:
    story = Story(pre_start=60.0)
    story.fails = 1
    assert story.tell(Start()).program.state is S.BACKOFF


def test_a_hook_that_takes_too_long_is_ended_and_then_killed() -> None:
    story = preparing().due()
    assert (story.program.state, story.program.phase) == (S.STARTING, Phase.CANCELLING)
    assert story.kills() == [Kill(TERM, True, wake=True)]
    assert story.due().kills()[1:] == [Kill(KILL, True)]
    story.tell(Died(None, KILL))
    assert (story.program.state, story.program.why) == (S.BACKOFF, "pre_start took longer than 60 s")
    assert story.ends()[0].why == story.program.why


def test_a_stop_ends_the_hook_and_starts_nothing() -> None:
    story = preparing(stopwaitsecs=4).tell(Stop(ALICE))
    assert (story.program.deadline, story.kills()) == (story.now + 4, [Kill(TERM, True, wake=True)])
    story.tell(Died(0))
    assert (story.path(), spawned(story)) == ([S.STARTING, S.STOPPING, S.STOPPED], [PRE_START])
    assert (story.ends()[0].asked, story.ends()[0].cause) == (ALICE, Cause.STOPPED)


def test_force_kills_it() -> None:
    assert preparing().tell(Force(ALICE)).kills() == [Kill(KILL, True)]


def test_a_shutdown_lets_it_end_and_starts_nothing() -> None:
    story = preparing().tell(Hold(ALICE)).tell(Died(0))
    assert (story.program.state, spawned(story)) == (S.FATAL, [PRE_START])


def test_a_dependency_that_goes_away_cancels_it() -> None:
    story = preparing()
    story.gate = "db"
    story.tell(Failing("db is gone", "restart", Cause.DEPENDENCY)).tell(Died(None, TERM))
    assert (story.program.state, story.program.phase) == (S.STOPPED, Phase.WAITING)
    assert story.ends()[0].cause is Cause.DEPENDENCY


def test_a_start_while_it_is_being_cancelled_is_remembered() -> None:
    story = preparing().tell(Stop(ALICE)).tell(Start(BOB)).tell(Died(0))
    assert (story.program.phase, story.program.asked) == (Phase.PREPARING, BOB)


def test_a_stop_while_it_is_ended_for_its_time_is_a_stop() -> None:
    story = preparing().due().tell(Stop(BOB, wait=0.5)).tell(Died(0))
    assert story.path() == [S.STARTING, S.STOPPING, S.STOPPED]


# post_stop


def test_it_runs_after_a_stop_which_is_over_when_it_is() -> None:
    story = running().tell(Stop(ALICE)).tell(Died(0))
    assert (story.program.state, story.program.phase) == (S.STOPPING, Phase.TIDYING)
    story.tell(Died(7), 5.0)
    assert (story.program.state, story.program.pid, len(story.ends())) == (S.STOPPED, None, 1)


def test_it_runs_after_a_crash_and_the_restart_waits_for_it() -> None:
    story = running().tell(Died(1), 5.0)
    assert (story.program.state, story.program.phase, spawned(story)) == (S.EXITED, Phase.TIDYING, ["", POST_STOP])
    assert is_pending(story.program)
    assert story.tell(Died(0), 3.0).program.state is S.STARTING


def test_it_runs_after_an_exit_that_nothing_follows() -> None:
    story = running(autorestart="false").tell(Died(0), 5.0)
    assert not is_pending(story.program)
    assert (story.tell(Died(0)).program.state, story.program.deadline) == (S.EXITED, None)


def test_it_runs_after_a_failed_start_and_the_wait_goes_on_meanwhile() -> None:
    story = Story(post_stop=10.0).tell(Start()).tell(Died(1), 0.1)
    assert (story.program.state, story.program.phase) == (S.BACKOFF, Phase.TIDYING)
    due = story.program.again_at
    assert story.tell(Died(0), 0.5).program.deadline == due


def test_it_runs_after_the_last_try() -> None:
    story = Story(post_stop=10.0, startretries=0).tell(Start()).tell(Died(1), 0.1)
    assert (story.program.state, story.program.phase) == (S.FATAL, Phase.TIDYING)
    assert story.tell(Died(0)).program.state is S.FATAL


def test_without_a_process_there_was_no_end() -> None:
    story = Story(post_stop=10.0)
    story.fails = 1
    assert spawned(story.tell(Start())) == [""]


def test_a_hook_that_cannot_be_spawned_holds_nothing_up() -> None:
    story = running()
    story.fails = 1
    assert story.tell(Died(1), 5.0).program.state is S.STARTING


def test_it_is_killed_when_its_time_is_over_and_again() -> None:
    story = running().tell(Stop(ALICE)).tell(Died(0)).due().due()
    assert story.kills()[1:] == [Kill(KILL, True), Kill(KILL, True)]
    assert story.tell(Died(None, KILL)).program.state is S.STOPPED


@pytest.mark.parametrize("wish", [Start(BOB), Restart(BOB)])
@pytest.mark.parametrize("autorestart", ["true", "false"])
def test_a_start_meanwhile_comes_after_it(wish: Event, autorestart: str) -> None:
    story = running(autorestart=autorestart).tell(Died(1), 5.0).tell(wish)
    assert (story.program.state, story.program.phase) == (S.EXITED, Phase.TURNING)
    story.tell(Died(0))
    assert (story.program.state, story.program.asked) == (S.STARTING, BOB)


def test_what_waits_for_a_dependency_meanwhile_waits_after_it() -> None:
    story = running().tell(Died(1), 5.0).tell(Await(BOB, "db"))
    story.gate = "db"
    assert story.tell(Died(0)).program.phase is Phase.WAITING


@pytest.mark.parametrize("event", [Stop(BOB), Force(BOB), Hold(BOB)])
def test_a_stop_meanwhile_keeps_it_down(event: Event) -> None:
    story = running(autorestart="true").tell(Died(1), 5.0).tell(Start(ALICE)).tell(event).tell(Died(0))
    assert (story.program.state, story.program.want, story.program.deadline) == (S.EXITED, Want.DOWN, None)


def test_a_stop_after_a_failed_start_does_not_wait_for_it() -> None:
    story = Story(post_stop=10.0).tell(Start()).tell(Died(1), 0.1).tell(Stop(ALICE))
    assert (story.program.state, story.program.phase) == (S.STOPPED, Phase.TIDYING)


def test_a_shutdown_squeezes_it() -> None:
    story = running().tell(Stop(ALICE)).tell(Died(0)).tell(Stop(BOB, wait=2.0))
    assert story.program.deadline == story.now + 2.0


def test_a_restart_has_both_hooks_between_its_lives() -> None:
    story = Story(pre_start=5.0, post_stop=5.0).tell(Start()).tell(Died(0)).due().tell(Restart(BOB)).tell(Died(0))
    story.tell(Died(0)).tell(Died(0))
    assert spawned(story) == [PRE_START, "", POST_STOP, PRE_START, ""]
    assert story.path()[2:] == [S.STOPPING, S.STOPPED, S.STARTING]
