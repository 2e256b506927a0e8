"""The machine beside the original: supervisor's own Subprocess class, shown the same random lives, step by step.

Left out are the deliberate differences (initd.program): starts that meet STOPPING or BACKOFF, which supervisord
refuses, and its counter of failed starts that survives a stop.
"""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supervisor import process as original
from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.process import Subprocess
from supervisor.states import SupervisorStates, getProcessStateDescription
from supervisor.tests.base import DummyOptions, DummyPConfig, DummyProcess

from initd.events import Changed, Died, Due, Effect, Event, Kill, Rules, Spawn, Spawned, Start, Stop
from initd.program import Program, step
from wire.model import State

AUTORESTART = {"true": RestartUnconditionally, "unexpected": RestartWhenExitUnexpected, "false": False}
RUNS = ("STARTING", "RUNNING", "STOPPING")


class Original:
    """supervisord's process, with its clock in our hand."""

    def __init__(self, rules: Rules, clock: SimpleNamespace) -> None:
        self.options = DummyOptions()
        self.options.forkpid = 4242
        self.options.mood = SupervisorStates.RUNNING
        config = DummyPConfig(
            self.options, "web", "/bin/web", autostart=False, autorestart=AUTORESTART[rules.autorestart],
            startsecs=rules.startsecs, startretries=rules.startretries, exitcodes=rules.exitcodes,
            stopsignal=rules.stopsignal, stopwaitsecs=rules.stopwaitsecs,
        )  # fmt: skip
        self.process = Subprocess(config)
        self.process.group = DummyProcess(config)
        self.process.get_execv_args = lambda: ("/bin/web", ["web"])
        self.path: list[str] = []
        self.kills: list[int] = []
        change, self.clock = self.process.change_state, clock

        def changed(state: int, expected: bool = True) -> Any:
            if state != self.process.state:  # a KILL is a change from STOPPING to STOPPING there
                self.path.append(getProcessStateDescription(state))
            return change(state, expected)

        self.process.change_state = changed
        self.options.kill = lambda pid, signum: self.kills.append(signum)

    @property
    def state(self) -> str:
        return str(getProcessStateDescription(self.process.state))

    def settle(self) -> None:
        """Loop passes until nothing changes any more."""
        before = None
        while before != (before := (self.process.state, len(self.path))):
            self.process.transition()

    def tell(self, word: str, status: int) -> None:
        if word == "start":
            self.process.spawn()
        elif word == "stop":
            self.process.backoff = 0
            self.process.stop()
        elif word == "die":
            self.process.finish(4242, status)
        self.settle()


class Ours:
    """Our machine, whose Spawn always succeeds."""

    def __init__(self, rules: Rules, clock: SimpleNamespace) -> None:
        self.program = Program(rules)
        self.clock = clock
        self.effects: list[Effect] = []

    @property
    def path(self) -> list[str]:
        return [str(effect.state) for effect in self.effects if isinstance(effect, Changed)]

    @property
    def kills(self) -> list[int]:
        return [effect.signum for effect in self.effects if isinstance(effect, Kill)]

    def present(self, event: Event) -> None:
        self.program, effects = step(self.program, event, self.clock.now)
        self.effects += effects
        if effects and isinstance(effects[-1], Spawn):
            self.present(Spawned(4242))

    def settle(self) -> None:
        while self.program.deadline is not None and self.program.deadline < self.clock.now:
            self.present(Due())
        if self.program.state is State.EXITED and self.program.deadline is not None:
            # We wait as long as supervisord's loop would sleep now; beside it, sleeping takes no time.
            now, self.clock.now = self.clock.now, self.program.deadline
            self.present(Due())
            self.clock.now = now

    def tell(self, word: str, status: int) -> None:
        killed = status & 0x7F
        events = {"start": Start(), "stop": Stop(), "die": Died(None if killed else status >> 8, killed or None)}
        self.present(events[word])
        self.settle()


RULES = st.builds(
    Rules,
    startsecs=st.sampled_from([0, 1, 5]),
    startretries=st.integers(0, 3),
    autorestart=st.sampled_from(sorted(AUTORESTART)),
    exitcodes=st.sampled_from([(0,), (0, 2), ()]),
    stopwaitsecs=st.sampled_from([1, 10]),
)
STATUSES = st.sampled_from([0, 1 << 8, 2 << 8, signal.SIGKILL, signal.SIGSEGV])
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.301, 0.703, 1.107, 2.909, 6.113]),
        st.sampled_from(["wait", "start", "stop", "die"]),
        STATUSES,
    ),
    max_size=30,
)
"""Time that passes (never a sum that meets a deadline exactly), then what happens."""


def sensible(word: str, pair: tuple[Original, Ours]) -> bool:
    """Whether supervisord lets it happen now; it takes a death in the instant of its spawn for a clock set back."""
    if word == "die" and pair[0].process.laststart == pair[0].clock.now:
        return False
    allowed = {
        "start": ("STOPPED", "EXITED", "FATAL"), "stop": ("STARTING", "RUNNING", "BACKOFF"), "die": RUNS, "wait": (),
    }  # fmt: skip
    return pair[0].state in allowed[word]


@given(RULES, STEPS)
@settings(max_examples=300, deadline=None)
def test_same_rules_same_life(rules: Rules, steps: list[tuple[float, str, int]]) -> None:
    clock = SimpleNamespace(now=1000.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(original, "time", SimpleNamespace(time=lambda: clock.now))
        pair = (Original(rules, clock), Ours(rules, clock))
        for seconds, word, status in steps:
            clock.now += seconds
            for one in pair:
                one.settle()
            if sensible(word, pair):
                for one in pair:
                    one.tell(word, status)
            assert pair[1].path == pair[0].path
            assert pair[1].kills == pair[0].kills
            assert State(pair[0].state) is pair[1].program.state
