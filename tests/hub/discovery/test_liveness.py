"""The machine of presence: complete, never early, never late."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.clock import STEP, Attention
from hub.discovery.liveness import IGNORED, TABLE, Sign, Watch, expect, overdue, step
from wire.model import Presence

PERIODS = st.sampled_from([0.2, 1.0, 2.0, 30.0])


def test_every_pair_is_either_moved_or_ignored() -> None:
    pairs = {(presence, sign) for presence in Presence for sign in Sign}
    assert set(TABLE) | IGNORED == pairs and not set(TABLE) & IGNORED


class Life(RuleBasedStateMachine):
    """One agent against a hub that ticks, lags and drowns; the model counts real silence and what the hub missed."""

    @initialize(period=PERIODS)
    def begin(self, period: float) -> None:
        self.period, self.mono, self.silence, self.lag = period, 0.0, 0.0, 0.0
        self.attention = Attention(0.0)
        self.watch = step(Watch(Presence.GONE, 0.0, period), Sign.REGISTERED, 0.0)

    @rule()
    def beat(self) -> None:
        self.silence = self.lag = 0.0
        self.watch = step(self.watch, Sign.HEARD, self.attention.total)

    @rule(part=st.floats(0.01, 1.0))
    def time_passes(self, part: float) -> None:
        self._pass(part * STEP, drained=True)

    @rule(seconds=st.floats(STEP, 1000.0))
    def the_hub_is_late(self, seconds: float) -> None:
        self._pass(seconds, drained=True)
        self.lag += seconds - STEP

    @rule(seconds=st.floats(0.01, 100.0))
    def the_hub_drowns(self, seconds: float) -> None:
        self._pass(seconds, drained=False)
        self.lag += seconds

    def _pass(self, seconds: float, drained: bool) -> None:
        self.mono += seconds
        self.silence += seconds
        self.attention = self.attention.advance(self.mono, drained)
        sign = overdue(self.watch, self.attention.total)
        if sign is not None:
            self.watch = step(self.watch, sign, self.attention.total)

    @invariant()
    def lost_only_after_three_silent_periods_of_a_listening_hub(self) -> None:
        listened = self.silence - self.lag
        slack = 1e-6 * max(1.0, self.mono)
        if self.watch.presence is Presence.LOST:
            assert listened >= 3.0 * self.period - slack
        if listened >= 3.0 * self.period + slack:
            assert self.watch.presence is Presence.LOST

    @invariant()
    def never_live_after_one_and_a_half(self) -> None:
        listened = self.silence - self.lag
        if listened >= 1.5 * self.period + 1e-6 * max(1.0, self.mono):
            assert self.watch.presence in (Presence.LATE, Presence.LOST)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


@given(PERIODS, st.floats(0, 1e6))
def test_an_expected_agent_is_neither_late_nor_lost_within_the_grace(period: float, start: float) -> None:
    watch = expect(period, start)
    assert overdue(watch, start + 2.0 * period * 0.999) is None
    assert overdue(watch, start + 2.0 * period * 1.01) is Sign.OVERDUE
    assert overdue(watch, start + 5.0 * period) is Sign.SILENT


@given(st.lists(st.sampled_from(list(Sign)), max_size=20))
def test_only_a_registration_brings_back_who_left(signs: list[Sign]) -> None:
    watch = step(Watch(Presence.LIVE, 0.0, 1.0), Sign.LEFT, 0.0)
    for sign in signs:
        watch = step(watch, sign, 1.0)
        if Sign.REGISTERED not in signs:
            assert watch.presence is Presence.GONE
