"""How soon and how often a program is started again: back-off, crash loops, one-shots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.backoff import Backoff, wait_after
from initd.events import Await, Died, Ended, Restart, SpawnFailed, Start, Stop
from initd.program import is_pending
from tests.support.story import ALICE, BOB, Story
from wire.model import State, Want

S = State
SHAPE = Backoff(1.0, factor=2.0, cap=10.0, jitter=0.0, reset=60.0)


def waits(story: Story, lives: int, seconds: float) -> list[float]:
    """How long it waits after each of so many lives."""
    found = []
    for _ in range(lives):
        story.tell(Died(1), seconds)
        assert story.program.deadline is not None
        found.append(story.program.deadline - story.now)
        story.due()
    return found


def test_waits_grow_up_to_the_cap_after_exits_from_running() -> None:
    story = Story(startsecs=0, autorestart="true", backoff=SHAPE).tell(Start())
    assert waits(story, 6, 2.0) == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_waits_grow_after_failed_starts_too_and_go_on_growing_after_it_ran() -> None:
    story = Story(startsecs=1, autorestart="true", backoff=SHAPE).tell(Start())
    assert waits(story, 2, 0.5) == [1.0, 2.0]
    assert waits(story.due(), 1, 5.0) == [4.0]


def test_a_failed_spawn_waits_too() -> None:
    story = Story(backoff=SHAPE)
    story.fails = 2
    story.tell(Start())
    assert (story.program.state, story.program.deadline) == (S.BACKOFF, story.now + 1.0)
    assert (story.due().program.deadline or 0) - story.now == 2.0


def test_a_steady_life_makes_the_waits_begin_anew() -> None:
    story = Story(startsecs=0, autorestart="true", backoff=SHAPE).tell(Start())
    assert waits(story, 3, 2.0) == [1.0, 2.0, 4.0]
    assert waits(story, 2, 60.0) == [1.0, 1.0]


def test_a_person_starts_at_once_and_the_waits_begin_anew() -> None:
    story = Story(startsecs=0, autorestart="true", backoff=SHAPE).tell(Start())
    waits(story, 3, 2.0)
    assert story.tell(Died(1), 2.0).tell(Start(BOB)).program.state is S.STARTING
    assert waits(story, 1, 2.0) == [1.0]


def test_the_wait_is_in_exited_and_pending() -> None:
    story = Story(startsecs=0, autorestart="true", backoff=SHAPE).tell(Start()).tell(Died(1), 2.0)
    assert story.program.state is S.EXITED
    assert is_pending(story.program)
    assert not is_pending(story.tell(Stop(ALICE)).program)


def test_no_wait_at_all_is_no_hot_loop() -> None:
    story = Story(startsecs=0, autorestart="true", backoff=Backoff(0.0)).tell(Start())
    for _ in range(6):
        story.tell(Died(1))
    assert (story.program.state, story.program.deadline) == (S.EXITED, story.now + 1.0)


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True), st.floats(1, 1000), st.floats(0, 1))
def test_a_wait_stays_within_the_cap_and_its_jitter(falls: int, chance: float, factor: float, jitter: float) -> None:
    wait = wait_after(falls, Backoff(1.0, factor, 30.0, jitter), chance)
    assert 0 <= wait <= 30.0 * (1 + jitter)


def test_chance_spreads_the_wait_evenly() -> None:
    shape = SHAPE._replace(jitter=0.5)
    assert [wait_after(2, shape, chance) for chance in (0.0, 0.5, 0.75)] == [1.0, 2.0, 2.5]


# Crash loops


def looping(**rules: object) -> Story:
    return Story(startsecs=0, autorestart="true", crash_loop=(3, 60.0), **rules).tell(Start())


def test_a_crash_loop_of_started_programs_is_given_up() -> None:
    story = looping().tell(Died(1), 5.0).tell(Died(0), 5.0)
    assert story.program.state is S.STARTING
    story.tell(Died(1), 5.0)
    assert story.path()[-2:] == [S.EXITED, S.FATAL]
    assert story.program.why == "3 exits in 60 s"


def test_slower_deaths_are_no_crash_loop() -> None:
    story = looping()
    for _ in range(50):
        story.tell(Died(1), 30.1)
    assert story.program.state is S.STARTING


def test_failed_starts_count_as_exits() -> None:
    story = Story(startretries=100, crash_loop=(3, 60.0)).tell(Start())
    for _ in range(2):
        story.tell(Died(1), 0.5).due()
    story.tell(Died(1), 0.5)
    assert (story.path()[-2:], story.program.why) == ([S.BACKOFF, S.FATAL], "3 exits in 60 s")


def test_stops_are_no_crashes() -> None:
    story = looping()
    for _ in range(5):
        story.tell(Restart(ALICE)).tell(Died(0), 1.0)
    assert story.program.state is S.STARTING


def test_a_person_gets_a_fresh_window() -> None:
    story = looping().tell(Died(1), 1).tell(Died(1), 1).tell(Died(1), 1).tell(Start(BOB)).tell(Died(1), 1)
    assert story.program.state is S.STARTING


def test_an_exit_that_is_not_followed_by_a_start_gives_nothing_up() -> None:
    story = Story(startsecs=0, autorestart="false", crash_loop=(2, 60.0)).tell(Start())
    for _ in range(3):
        story.tell(Died(1), 1.0).tell(Await(BOB, "x"))
        story.program = story.program._replace(ends=(story.now, story.now))
        assert story.program.state is S.EXITED
        story.tell(Start(BOB))


# One-shots


def oneshot(**rules: object) -> Story:
    return Story(**{"startsecs": 0, "startretries": 0, "oneshot": True, **rules}).tell(Start())  # type: ignore[arg-type]


@pytest.mark.parametrize("autorestart", ["true", "false", "unexpected"])
def test_a_oneshot_that_ends_as_expected_is_done(autorestart: str) -> None:
    story = oneshot(autorestart=autorestart, exitcodes=(0, 3)).tell(Died(3), 1.0)
    assert story.path() == [S.STARTING, S.RUNNING, S.EXITED]
    assert (story.program.deadline, story.ends()) == (None, [Ended(True, None, 3, None)])


def test_a_oneshot_may_be_quicker_than_startsecs() -> None:
    assert oneshot(startsecs=10).tell(Died(0), 0.1).program.state is S.EXITED


def test_a_oneshot_that_fails_is_fatal() -> None:
    story = oneshot().tell(Died(1), 1.0)
    assert story.path() == [S.STARTING, S.RUNNING, S.EXITED, S.FATAL]
    assert story.program.why == "exit status 1"


def test_a_failed_run_is_tried_again_startretries_times() -> None:
    story = oneshot(startretries=2)
    assert waits(story, 2, 20.0) == [1.0, 2.0]
    assert story.tell(Died(1), 20.0).program.state is S.FATAL
    assert story.program.spawns == 3


def test_a_run_that_works_in_the_end_is_done() -> None:
    story = oneshot(startretries=2)
    waits(story, 2, 20.0)
    story.tell(Died(0), 1.0)
    assert (story.program.state, story.program.tries) == (S.EXITED, 0)


def test_a_oneshot_that_cannot_be_spawned_is_fatal() -> None:
    story = Story(oneshot=True, startretries=0)
    story.fails = 1
    assert story.tell(Start()).program.state is S.FATAL


def test_what_is_asked_to_stop_meanwhile_is_not_tried_again() -> None:
    story = oneshot(startretries=5).tell(Died(1), 1.0).tell(Stop(ALICE))
    assert (story.program.want, story.program.deadline) == (Want.DOWN, None)


def test_chance_of_a_failed_spawn_counts() -> None:
    story = Story(backoff=SHAPE._replace(jitter=1.0)).tell(Start()).tell(Died(1, None, 0.75), 0.1)
    assert (story.program.deadline or 0) - story.now == 1.5
    assert SpawnFailed("x").chance == 0.5
