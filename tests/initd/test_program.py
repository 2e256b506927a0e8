"""The life of a program: stories first, then every order of events that a machine can meet."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from initd import program as machine
from initd.backoff import HASTY_BURST, HASTY_SECONDS
from initd.events import (
    CONT,
    EVENTS,
    KILL,
    TERM,
    Changed,
    Died,
    Due,
    Ended,
    Event,
    Force,
    Hold,
    Kill,
    Restart,
    Rules,
    Start,
    Stop,
    Undeliverable,
)
from initd.program import IGNORED, IMPOSSIBLE, PLACES, TABLE, Program, step
from tests.support.story import ALICE, BOB, Story, up
from wire.model import Cause, State, Want

S = State


def test_every_pair_of_state_and_event_is_decided_exactly_once() -> None:
    every = {(place, kind) for place in PLACES for kind in EVENTS}
    assert set(TABLE) | IGNORED | IMPOSSIBLE == every
    assert len(TABLE) + len(IGNORED) + len(IMPOSSIBLE) == len(every)


def test_an_impossible_pair_is_an_error_and_changes_nothing() -> None:
    before = Program(Rules())
    with pytest.raises(LookupError, match="STOPPED has no place for Died"):
        step(before, Died(0), 1.0)


def test_start_to_running() -> None:
    assert up().path() == [S.STARTING, S.RUNNING]
    assert up().program.deadline is None


def test_startsecs_zero_runs_at_once_and_an_immediate_exit_counts_as_run() -> None:
    story = Story(startsecs=0).tell(Start()).tell(Died(0))
    assert story.path() == [S.STARTING, S.RUNNING, S.EXITED]


def test_four_attempts_with_startretries_three_and_waits_of_one_two_three_seconds() -> None:
    story, waits = Story(startretries=3).tell(Start()).tell(Died(1), 0.5), []
    while story.program.state is S.BACKOFF:
        waits.append((story.program.deadline or 0) - story.now)
        story.due().tell(Died(1), 0.5)
    assert waits == [1.0, 2.0, 3.0]
    assert story.program.state is S.FATAL
    assert story.program.spawns == 4


def test_startretries_zero_is_one_attempt() -> None:
    assert Story(startretries=0).tell(Start()).tell(Died(0), 0.1).path() == [S.STARTING, S.BACKOFF, S.FATAL]


def test_an_early_exit_is_a_failed_start_whatever_its_code() -> None:
    assert Story(exitcodes=(0,)).tell(Start()).tell(Died(0), 0.99).program.state is S.BACKOFF


def test_failing_to_spawn_is_a_failed_start() -> None:
    story = Story()
    story.fails = 1
    story.tell(Start())
    assert (story.program.state, story.program.pid, story.program.tries) == (S.BACKOFF, None, 1)
    assert story.due().due().program.state is S.RUNNING
    assert story.program.tries == 0


@pytest.mark.parametrize(
    ("autorestart", "code", "path"),
    [
        ("true", 0, [S.EXITED, S.STARTING]),
        ("true", 1, [S.EXITED, S.STARTING]),
        ("unexpected", 0, [S.EXITED]),
        ("unexpected", 1, [S.EXITED, S.STARTING]),
        ("false", 1, [S.EXITED]),
    ],
)
def test_what_follows_an_exit(autorestart: str, code: int, path: list[State]) -> None:
    assert up(autorestart=autorestart).tell(Died(code), 5).path()[2:] == path


def test_death_by_a_signal_is_never_expected() -> None:
    assert up(exitcodes=tuple(range(256))).tell(Died(None, 9), 5).ends() == [Ended(False, None, None, 9)]


def test_stop_sends_the_signal_and_wakes_the_sleeping() -> None:
    story = up(stopsignal=3, stopasgroup=True).tell(Stop(ALICE))
    assert story.kills() == [Kill(3, True, wake=True)]
    assert story.tell(Died(None, 3)).ends() == [Ended(True, ALICE, None, 3, Cause.STOPPED)]
    assert story.path()[2:] == [S.STOPPING, S.STOPPED]


def test_kill_after_the_wait_and_again() -> None:
    story = up(stopwaitsecs=7, killasgroup=True).tell(Stop(ALICE))
    start = story.now
    story.due()
    assert story.now - start == 7
    story.due()
    assert story.now - start == 14
    assert story.kills()[1:] == [Kill(KILL, True), Kill(KILL, True)]


def test_a_shutdown_may_shorten_the_wait_but_not_lengthen_it() -> None:
    story = up(stopwaitsecs=20).tell(Stop(ALICE)).tell(Stop(BOB, wait=3))
    assert story.program.deadline == story.now + 3
    assert story.tell(Stop(BOB, wait=30)).program.deadline == story.now + 3


def test_a_restart_is_a_stop_with_a_start_behind() -> None:
    story = up().tell(Restart(ALICE)).tell(Died(0), 1)
    assert story.path()[2:] == [S.STOPPING, S.STOPPED, S.STARTING]
    assert story.ends() == [Ended(True, ALICE, 0, None, Cause.STOPPED)]


def test_a_start_while_stopping_is_remembered_and_the_stop_keeps_its_author() -> None:
    story = up().tell(Stop(ALICE)).tell(Start(BOB)).tell(Died(0))
    assert story.path()[2:] == [S.STOPPING, S.STOPPED, S.STARTING]
    assert story.ends()[0].asked == ALICE
    assert story.program.asked == BOB


def test_a_stop_after_a_restart_wins() -> None:
    assert up().tell(Restart(ALICE)).tell(Stop(BOB)).tell(Died(0)).program.state is S.STOPPED


@pytest.mark.parametrize("kind", [Stop, Force])
def test_stop_in_backoff_needs_no_process(kind: type[Stop] | type[Force]) -> None:
    story = Story().tell(Start()).tell(Died(1)).tell(kind(ALICE))
    assert (story.program.state, story.kills(), story.program.deadline) == (S.STOPPED, [], None)


def test_start_in_backoff_tries_at_once_with_fresh_tries() -> None:
    story = Story().tell(Start()).tell(Died(1)).tell(Start(BOB))
    assert (story.program.state, story.program.tries) == (S.STARTING, 0)


def test_hold_gives_up_what_backs_off_and_restarts_nothing() -> None:
    assert Story().tell(Start()).tell(Died(1)).tell(Hold()).program.state is S.FATAL
    assert up(autorestart="true").tell(Hold()).tell(Died(1)).program.state is S.EXITED
    assert Story().tell(Start()).tell(Hold()).tell(Died(1)).program.state is S.FATAL
    assert up().tell(Restart()).tell(Hold()).tell(Died(1)).program.state is S.STOPPED


def test_force_kills_without_asking() -> None:
    story = up(killasgroup=True).tell(Force(ALICE))
    assert (story.kills(), story.program.state) == ([Kill(KILL, True)], S.STOPPING)
    assert story.tell(Died(None, KILL)).ends()[0].asked == ALICE


def test_a_stop_that_cannot_be_delivered_leads_to_unknown_until_death() -> None:
    story = up().tell(Stop(ALICE)).tell(Undeliverable("EPERM"))
    assert story.program.state is S.UNKNOWN
    assert story.tell(Died(0)).program.state is S.STOPPED


RULES = st.builds(
    Rules,
    startsecs=st.sampled_from([0.0, 1.0, 10.0, -1.0]),
    startretries=st.integers(-1, 4),
    autorestart=st.sampled_from(["true", "false", "unexpected"]),
    exitcodes=st.sampled_from([(), (0,), (0, 2)]),
    stopsignal=st.sampled_from([TERM, KILL, 3, CONT]),
    stopwaitsecs=st.sampled_from([0.0, 10.0]),
    stopasgroup=st.booleans(),
    killasgroup=st.booleans(),
)
TIMES = st.sampled_from([0.0, 0.3, 1.0, 5.0, 100.0])
HAS_PROCESS = (S.STARTING, S.RUNNING, S.STOPPING, S.UNKNOWN)


class Life(RuleBasedStateMachine):
    """Every order of wishes, deaths, deadlines and failures."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.seen = 0
        self.held = False

    @rule(rules=RULES)
    def configure(self, rules: Rules) -> None:
        self.story.program = self.story.program._replace(rules=rules)

    @rule(kind=st.sampled_from([Start, Restart]), after=TIMES, fails=st.integers(0, 2))
    def want_up(self, kind: type[Start], after: float, fails: int) -> None:
        self.story.fails = fails
        self.held = False
        self.story.tell(kind(BOB), after)
        assert self.story.program.want is Want.UP

    @rule(event=st.sampled_from([Stop(ALICE), Stop(ALICE, 0.0), Stop(ALICE, 3.0), Force(ALICE)]), after=TIMES)
    def want_down(self, event: Event, after: float) -> None:
        self.story.tell(event, after)
        assert self.story.program.want is Want.DOWN
        assert self.story.program.state not in (S.RUNNING, S.STARTING, S.BACKOFF)

    @rule()
    def hold(self) -> None:
        self.held = True
        self.story.tell(Hold(ALICE))

    @precondition(lambda self: self.story.program.pid is not None)
    @rule(death=st.sampled_from([Died(0), Died(1), Died(2), Died(None, 9), Died(None, 11)]), after=TIMES)
    def die(self, death: Died, after: float) -> None:
        ends = len(self.story.ends())
        self.story.tell(death, after)
        assert len(self.story.ends()) == ends + 1, "each death is recorded exactly once"

    @precondition(lambda self: self.story.program.deadline is not None)
    @rule()
    def deadline(self) -> None:
        self.story.due()

    @rule(after=TIMES)
    def stale_deadline(self, after: float) -> None:
        if self.story.program.deadline is None:
            before = self.story.program
            self.story.tell(Due(), after)
            assert self.story.program == before

    @precondition(lambda self: self.story.program.state in (S.STOPPING, S.UNKNOWN))
    @rule()
    def refuse_signal(self) -> None:
        self.story.tell(Undeliverable("EPERM"))

    @invariant()
    def a_process_exists_exactly_in_the_states_that_have_one(self) -> None:
        assert (self.story.program.pid is not None) == (self.story.program.state in HAS_PROCESS)

    @invariant()
    def what_must_go_on_has_a_deadline(self) -> None:
        waiting = self.story.program.state in (S.STARTING, S.BACKOFF, S.STOPPING)
        assert (self.story.program.deadline is not None) == waiting

    @invariant()
    def deadlines_are_in_the_future_or_now(self) -> None:
        deadline = self.story.program.deadline
        assert deadline is None or deadline >= self.story.program.since

    @invariant()
    def changes_form_one_chain(self) -> None:
        chain = [effect for effect in self.story.effects if isinstance(effect, Changed)]
        assert all(later.previous is earlier.state for earlier, later in pairwise(chain))
        assert (chain[-1].state if chain else S.STOPPED) is self.story.program.state

    @invariant()
    def a_signal_is_sent_only_to_a_process(self) -> None:
        new, self.seen = self.story.effects[self.seen :], len(self.story.effects)
        if self.story.program.pid is None:
            assert not [effect for effect in new if isinstance(effect, Kill)]

    @invariant()
    def nothing_starts_while_held(self) -> None:
        if self.held:
            assert self.story.program.want is Want.DOWN


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_the_module_is_pure() -> None:
    assert not {"os", "time", "signal", "socket"} & set(vars(machine))


def hasty(lives: int, **rules: object) -> Story:
    """After that many lives of half a second."""
    story = Story(startsecs=0, autorestart="true", **rules).tell(Start())
    for _ in range(lives):
        story.tell(Died(1), 0.5)
    return story


def test_some_short_lives_are_followed_at_once() -> None:
    assert hasty(HASTY_BURST).program.state is S.STARTING


def test_more_in_a_row_come_no_quicker_than_supervisord_looks() -> None:
    story = hasty(HASTY_BURST + 1)
    assert (story.program.state, story.program.deadline) == (S.EXITED, story.now + HASTY_SECONDS - 0.5)
    assert story.due().program.state is S.STARTING
    assert story.tell(Died(1), 0.5).program.state is S.EXITED


def test_a_long_life_forgives_the_short_ones() -> None:
    story = hasty(HASTY_BURST).tell(Died(1), HASTY_SECONDS)
    assert (story.program.state, story.program.hasty) == (S.STARTING, 0)


@pytest.mark.parametrize("event", [Stop(), Force(), Hold()])
def test_who_waits_for_the_next_start_can_be_stopped(event: Event) -> None:
    story = hasty(HASTY_BURST + 1).tell(event)
    assert (story.program.state, story.program.deadline, story.program.want) == (S.EXITED, None, Want.DOWN)
    assert story.tell(Due(), 5.0).program.state is S.EXITED


@pytest.mark.parametrize("event", [Start(), Restart()])
def test_who_waits_for_the_next_start_can_be_started(event: Event) -> None:
    story = hasty(HASTY_BURST + 1).tell(event)
    assert (story.program.state, story.program.hasty) == (S.STARTING, 0)


def test_a_deadline_of_the_life_before_starts_nobody() -> None:
    assert hasty(HASTY_BURST + 1).tell(Due()).program.state is S.EXITED
    assert up(autorestart="false").tell(Died(0)).tell(Due()).program.state is S.EXITED
