"""Every order of wishes, deaths, deadlines, failures and news, under every mixture of rules.

What must hold whatever happens stands in the invariants; that things come to an end, in the last test.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from initd.backoff import Backoff
from initd.events import (
    KILL,
    POST_STOP,
    TERM,
    Await,
    Changed,
    Died,
    Emptied,
    Event,
    Failing,
    Force,
    Hold,
    Kill,
    NotReady,
    Reach,
    Ready,
    Restart,
    Rules,
    Spawn,
    Start,
    Stop,
    Undeliverable,
)
from initd.program import IMPOSSIBLE, TABLE, Phase, is_alive, is_pending, place
from tests.support.story import ALICE, BOB, Story
from wire.model import Cause, State, Want

S, P = State, Phase
TIMES = st.sampled_from([0.0, 0.3, 1.0, 5.0, 100.0])
HOOKS = (P.PREPARING, P.CANCELLING, P.TIDYING, P.TURNING)
RULES = st.builds(
    Rules,
    startsecs=st.sampled_from([0.0, 1.0, 10.0]),
    startretries=st.integers(-1, 3),
    autorestart=st.sampled_from(["true", "false", "unexpected"]),
    exitcodes=st.sampled_from([(), (0,), (0, 2)]),
    stopsignal=st.sampled_from([TERM, KILL]),
    stopwaitsecs=st.sampled_from([0.0, 10.0]),
    stop_signals=st.sampled_from([(), ((15, 5.0), (2, 1.0)), ((3, 0.5),)]),
    stop_scope=st.sampled_from(["", "leader", "group", "tree"]),
    awaits_ready=st.booleans(),
    oneshot=st.booleans(),
    backoff=st.sampled_from([None, Backoff(0.0), Backoff(1.0)]),
    crash_loop=st.sampled_from([None, (2, 60.0), (5, 1.0)]),
    pre_start=st.sampled_from([None, 0.5, 60.0]),
    post_stop=st.sampled_from([None, 0.5, 10.0]),
)
DOWN = st.sampled_from([Stop(ALICE), Stop(ALICE, 0.0), Stop(ALICE, 3.0), Force(ALICE)])
DEATHS = st.sampled_from([Died(0), Died(1), Died(2, None, 0.9), Died(None, 9), Died(None, 11)])
NEWS = st.sampled_from([
    Ready(), NotReady("late"), Failing("ill"), Failing("old", "restart", Cause.RENEWAL), Failing("ill", "stop"),
    Failing("gone", "restart", Cause.DEPENDENCY), Emptied(), Undeliverable("EPERM"),
])  # fmt: skip


class Life(RuleBasedStateMachine):
    """One program."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.seen = 0
        self.held = False

    @initialize(rules=RULES)
    def configure(self, rules: Rules) -> None:
        self.story.program = self.story.program._replace(rules=rules)

    @rule(rules=RULES)
    def change_the_rules(self, rules: Rules) -> None:
        if self.story.program.phase is not P.EMPTYING:
            self.configure(rules)

    @rule(fails=st.integers(0, 2), gate=st.sampled_from(["", "", "db"]), left=st.integers(0, 1))
    def change_the_world(self, fails: int, gate: str, left: int) -> None:
        self.story.fails, self.story.gate, self.story.left = fails, gate, left

    @rule(event=st.sampled_from([Start(BOB), Restart(BOB), Await(BOB, "db")]), after=TIMES)
    def want_up(self, event: Event, after: float) -> None:
        self.held = False
        self.tell(event, after)
        assert self.story.program.want is Want.UP

    @rule(event=DOWN, after=TIMES)
    def want_down(self, event: Event, after: float) -> None:
        self.tell(event, after)
        assert self.story.program.want is Want.DOWN
        assert self.story.program.state not in (S.RUNNING, S.STARTING, S.BACKOFF)
        twice = self.tell(Stop(ALICE)).program
        assert self.tell(Stop(ALICE)).program == twice, "a command given twice is given once"

    @rule()
    def hold(self) -> None:
        self.held = True
        self.tell(Hold(ALICE))

    @precondition(lambda self: self.story.program.pid is not None)
    @rule(death=DEATHS, after=TIMES)
    def die(self, death: Died, after: float) -> None:
        hook, ends = self.story.program.phase in HOOKS, len(self.story.ends())
        self.tell(death, after)
        assert len(self.story.ends()) - ends <= 1
        assert hook or len(self.story.ends()) == ends + 1, "each death of a program is recorded exactly once"

    @rule(event=NEWS, after=TIMES)
    def hear(self, event: Event, after: float) -> None:
        self.tell(event, after)

    @precondition(lambda self: self.story.program.deadline is not None)
    @rule()
    def deadline(self) -> None:
        self.check_pair("Due")
        self.story.due()

    def tell(self, event: Event, after: float = 0.0) -> Story:
        if (place(self.story.program), type(event)) in IMPOSSIBLE:
            return self.story
        before = self.story.program
        self.story.tell(event, after)
        assert self.story.program.pid == before.pid or before.pid is None or isinstance(event, Died), "one at a time"
        return self.story

    def check_pair(self, kind: str) -> None:
        known = {(where, event.__name__) for where, event in TABLE}
        assert (place(self.story.program), kind) in known, "a deadline that nobody obeys"

    @invariant()
    def a_process_is_there_exactly_where_there_is_one(self) -> None:
        program = self.story.program
        states = (S.STARTING, S.RUNNING, S.STOPPING, S.UNKNOWN)
        expected = program.phase in HOOKS or (program.state in states and program.phase is not P.EMPTYING)
        assert (program.pid is not None) == expected
        assert is_alive(program) == (expected or program.phase is P.EMPTYING)

    @invariant()
    def what_must_go_on_has_a_deadline(self) -> None:
        program = self.story.program
        waits_for_ready = place(program) is S.STARTING and program.rules.awaits_ready
        must = (S.STARTING, S.BACKOFF, S.STOPPING, P.ABANDONING, P.EMPTYING, *HOOKS)
        assert program.deadline is not None or place(program) not in must or waits_for_ready or self.rules_changed()
        assert program.deadline is None or place(program) in (*must, S.EXITED)

    def rules_changed(self) -> bool:
        """A process that waits for Ready under rules that no longer ask for it is nobody's bug."""
        return place(self.story.program) is S.STARTING

    @invariant()
    def changes_form_one_chain(self) -> None:
        chain = [effect for effect in self.story.effects if isinstance(effect, Changed)]
        assert all(later.previous is earlier.state for earlier, later in pairwise(chain))
        assert (chain[-1].state if chain else S.STOPPED) is self.story.program.state

    @invariant()
    def nothing_is_spawned_while_something_lives(self) -> None:
        new = self.story.effects[self.seen :]
        self.seen = len(self.story.effects)
        spawns = [effect for effect in new if isinstance(effect, Spawn)]
        assert not self.held or all(effect.hook == POST_STOP for effect in spawns), "a shutdown starts nothing"
        assert self.story.program.pid is not None or not [one for one in new[-1:] if isinstance(one, Kill)]

    @invariant()
    def who_waits_is_wanted_up(self) -> None:
        program = self.story.program
        if program.phase in (P.WAITING, P.TURNING):
            assert program.want is Want.UP
            assert is_pending(program)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def drive(story: Story, most: int) -> None:
    """Let every deadline come; its process dies at each KILL, and its hooks end when they are told to."""
    for _ in range(most):
        new = len(story.effects)
        if story.program.deadline is None:
            return
        story.due()
        sent = {effect.signum for effect in story.effects[new:] if isinstance(effect, Kill | Reach)}
        if KILL in sent and story.program.pid is not None:
            story.tell(Died(None, KILL))
    raise AssertionError(f"it goes on for ever: {story.program}")


@given(RULES, st.integers(0, 1), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_a_stop_always_ends(rules: Rules, left: int, deaths: int) -> None:
    story = Story()
    story.program = story.program._replace(rules=rules)
    story.tell(Start(BOB))
    story.left = left
    for _ in range(deaths):
        if story.program.pid is not None:
            story.tell(Died(1), 0.4)
    story.tell(Stop(ALICE))
    drive(story, 20)
    assert (story.program.pid, story.program.want) == (None, Want.DOWN)
    assert story.program.state in (S.STOPPED, S.EXITED, S.FATAL)


@given(RULES.map(lambda rules: rules._replace(crash_loop=(5, 3600.0))), st.sampled_from([0.0, 0.5, 20.0]))
@settings(max_examples=200, deadline=None)
def test_a_crash_loop_ends(rules: Rules, life: float) -> None:
    story = Story()
    story.program = story.program._replace(rules=rules)
    story.tell(Start(BOB))
    for _ in range(60):
        if story.program.pid is not None:
            hook = story.program.phase in HOOKS
            story.tell(Died(0 if hook else 1), 0.0 if hook else life)
        elif story.program.deadline is not None:
            story.due()
    assert (story.program.pid, story.program.deadline) == (None, None)
    assert story.program.spawns <= 6
