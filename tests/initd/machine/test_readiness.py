"""What a start waits for, what makes it count, and who may want a process replaced."""

from __future__ import annotations

import pytest

from initd.events import (
    Await,
    Died,
    Ended,
    Event,
    Failing,
    Force,
    Hold,
    NotReady,
    Ready,
    Restart,
    Start,
    Stop,
    Tell,
)
from initd.program import Phase, is_pending
from tests.support.story import ALICE, BOB, Story, up
from wire.model import Cause, State, Want

S = State


def waiting() -> Story:
    return Story().tell(Await(ALICE, "db is not ready"))


# Something has to come first


def test_what_waits_stays_where_it_is_and_says_why() -> None:
    story = waiting()
    assert (story.program.state, story.program.want, story.program.pid) == (S.STOPPED, Want.UP, None)
    assert story.effects == [Tell("db is not ready")]
    assert is_pending(story.program)


@pytest.mark.parametrize("event", [Start(BOB), Restart(BOB)])
def test_a_start_ends_the_waiting(event: Event) -> None:
    story = waiting().tell(event)
    assert (story.program.state, story.program.asked, story.path()) == (S.STARTING, BOB, [S.STARTING])


@pytest.mark.parametrize("event", [Stop(BOB), Force(BOB), Hold(BOB)])
def test_a_wish_that_is_taken_back_waits_no_more(event: Event) -> None:
    story = waiting().tell(event)
    assert (story.program.phase, story.program.want, story.program.wisher) == (Phase.MAIN, Want.DOWN, BOB)
    assert story.effects[-1] == Tell("")


def test_waiting_takes_the_place_of_a_start_that_is_due() -> None:
    story = up(autorestart="true", startsecs=0)
    for _ in range(7):
        story.tell(Died(1), 0.1)
        if story.program.deadline is not None and story.program.state is S.EXITED:
            break
    assert story.tell(Await(ALICE, "x")).program.deadline is None


def test_tries_that_need_what_is_gone_are_no_use() -> None:
    story = Story().tell(Start()).tell(Died(1), 0.1).tell(Await(ALICE, "db"))
    assert (story.program.state, story.program.phase, story.program.deadline) == (S.STOPPED, Phase.WAITING, None)


def test_who_runs_already_waits_for_nothing() -> None:
    story = up().tell(Await(ALICE, "db"))
    assert (story.program.state, story.program.phase, story.program.wisher) == (S.RUNNING, Phase.MAIN, ALICE)


def test_a_restart_asks_again_before_its_start() -> None:
    story = up()
    story.gate = "db"
    story.tell(Restart(ALICE)).tell(Died(0))
    assert (story.program.state, story.program.phase, story.program.want) == (S.STOPPED, Phase.WAITING, Want.UP)
    assert story.tell(Start(ALICE)).program.state is S.STARTING


def test_a_restart_after_a_crash_asks_nobody() -> None:
    story = up()
    story.gate = "db"
    assert story.tell(Died(1), 5.0).program.state is S.STARTING


# Readiness


def test_running_takes_startsecs_and_ready() -> None:
    story = Story(startsecs=5, awaits_ready=True).tell(Start()).due()
    assert (story.program.state, story.program.deadline) == (S.STARTING, None)
    story.tell(Ready(), 3.0)
    assert (story.program.state, story.program.ready_at) == (S.RUNNING, story.now)


def test_ready_before_startsecs_waits_for_them() -> None:
    story = Story(startsecs=5, awaits_ready=True).tell(Start()).tell(Ready(), 1.0)
    assert story.program.state is S.STARTING
    assert story.due().program.state is S.RUNNING


def test_without_readiness_startsecs_suffice() -> None:
    story = up()
    assert story.program.ready_at is None
    assert story.tell(Ready(), 1.0).program.ready_at == story.now


def test_the_next_process_has_to_become_ready_anew() -> None:
    story = Story(awaits_ready=True, autorestart="true").tell(Start()).tell(Ready(), 2.0).tell(Died(0), 5.0)
    assert (story.program.state, story.program.ready_at) == (S.STARTING, None)
    assert story.due().program.state is S.STARTING


def test_a_process_that_is_not_ready_in_time_is_stopped_and_tried_again() -> None:
    story = Story(awaits_ready=True, stopwaitsecs=3).tell(Start()).due().tell(NotReady("no answer on port 80"), 30.0)
    assert (story.program.state, story.program.phase, story.program.deadline) == (
        S.STARTING, Phase.ABANDONING, story.now + 3,
    )  # fmt: skip
    story.tell(Died(None, 15))
    assert story.path() == [S.STARTING, S.BACKOFF]
    [ended] = story.ends()
    assert (ended.cause, ended.why, ended.expected) == (Cause.PROBE, "no answer on port 80", False)
    assert (ended.asked.actor if ended.asked else "", story.program.tries) == ("initd", 1)


def test_it_is_killed_where_it_does_not_go() -> None:
    story = Story(awaits_ready=True, stopwaitsecs=3).tell(Start()).tell(NotReady("x")).due()
    assert story.kills()[-1].signum == 9
    assert story.tell(Died(None, 9)).ends()[0].escalated


def test_a_stop_meanwhile_is_a_stop() -> None:
    story = Story(awaits_ready=True).tell(Start()).tell(NotReady("x")).tell(Stop(ALICE)).tell(Died(0))
    assert story.path() == [S.STARTING, S.STOPPING, S.STOPPED]
    assert story.ends()[0].asked == ALICE


def test_an_exit_before_ready_is_a_failed_start() -> None:
    story = Story(awaits_ready=True, startsecs=1).tell(Start()).due().tell(Died(0), 5.0)
    assert (story.program.state, story.program.why) == (S.BACKOFF, "exited before it was ready: exit status 0")


# Replacements


@pytest.mark.parametrize("cause", [Cause.PROBE, Cause.RENEWAL, Cause.DEPENDENCY])
def test_a_rule_replaces_a_process(cause: Cause) -> None:
    story = up().tell(Failing("too old", "restart", cause)).tell(Died(None, 15), 1.0)
    assert story.path()[2:] == [S.STOPPING, S.STOPPED, S.STARTING]
    [ended] = story.ends()
    assert (ended.cause, ended.why, ended.expected) == (cause, "too old", cause is not Cause.PROBE)


def test_a_rule_may_only_stop() -> None:
    story = up().tell(Failing("ill", "stop")).tell(Died(0))
    assert (story.program.state, story.program.want) == (S.STOPPED, Want.DOWN)


def test_a_dependency_that_went_away_is_asked_for_again() -> None:
    story = up()
    story.gate = "db"
    story.tell(Failing("db is gone", "restart", Cause.DEPENDENCY)).tell(Died(0))
    assert story.program.phase is Phase.WAITING


def test_what_nobody_wants_up_any_more_is_not_replaced() -> None:
    story = up().tell(Hold(ALICE)).tell(Failing("ill")).tell(Died(0))
    assert story.program.state is S.STOPPED


def test_a_stop_after_a_probe_wins_and_the_record_names_the_probe() -> None:
    story = up().tell(Failing("ill")).tell(Stop(ALICE)).tell(Died(0))
    assert (story.program.state, story.ends()[0].cause) == (S.STOPPED, Cause.PROBE)


def test_probes_can_make_a_crash_loop() -> None:
    story = up(crash_loop=(2, 60.0), startsecs=0)
    story.tell(Failing("ill"), 10.0).tell(Died(0)).due().tell(Failing("ill"), 10.0).tell(Died(0))
    assert (story.path()[-2:], story.program.why) == ([S.STOPPED, S.FATAL], "2 exits in 60 s")


def test_an_escalated_stop_says_so() -> None:
    story = up().tell(Stop(ALICE)).due().tell(Died(None, 9))
    assert story.ends() == [Ended(True, ALICE, None, 9, Cause.STOPPED, escalated=True)]


def test_news_for_a_process_that_is_going_is_no_news() -> None:
    story = up().tell(Stop(ALICE))
    before = story.program
    for event in (Ready(), NotReady("x"), Failing("y")):
        assert story.tell(event).program == before
