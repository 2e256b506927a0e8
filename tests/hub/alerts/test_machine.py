"""Alerts in virtual time: for, hysteresis, unknown, gone, and bounded flapping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.machine import FLAP_QUIET, FLAP_SECONDS, FLAPS, STEP, Alert, Details, Machine, Phase, Sign
from hub.alerts.rules import parse

T, B, C, U, G = Sign.TRUE, Sign.BETWEEN, Sign.CLEAR, Sign.UNKNOWN, Sign.GONE
DETAILS = Details("it is bad", {"agent": "a"}, "h1")


class Watched:
    """One subject of one rule, found every five seconds."""

    def __init__(self, text: str = "", period: float = 5.0) -> None:
        rules = parse(f"[alert:x]\non = agent\nif = age > 1\n{text}", "x").rules
        self.machine, self.at, self.period = Machine({one.name: one for one in rules}), 1000.0, period
        self.fired: list[float] = []

    def find(self, *signs: Sign) -> str:
        """Where the alert stands after these findings; "" where there is none."""
        alert: Alert | None = None
        for sign in signs:
            self.at += self.period
            alert = self.machine.find("x", "a", sign, lambda: DETAILS, self.at)
            if alert is not None and alert.firing and alert.fired_at == self.at:
                self.fired.append(self.at)
        return alert.phase.value if alert else ""


def test_without_for_it_fires_at_once() -> None:
    assert Watched().find(T) == "firing"


def test_for_must_be_true_all_the_time() -> None:
    one = Watched("for = 20s")
    assert (one.find(T, T, T, T), one.find(T)) == ("pending", "firing")
    assert Watched("for = 20s").find(T, T, T, C, T, T, T, T) == "pending"


def test_unknown_neither_fires_nor_forgets() -> None:
    one = Watched("for = 20s")
    assert one.find(T, T, *[U] * 50) == "pending"
    assert one.find(T, T, T, T) == "firing"
    assert one.find(*[U] * 50) == "firing"


def test_a_hub_that_slept_did_not_see_it_last() -> None:
    one = Watched("for = 5m", period=3600.0)
    assert one.find(T, T) == "pending" and STEP < 300


def test_it_ends_where_it_is_clear_for_long_enough() -> None:
    one = Watched("clear_for = 10s")
    assert [one.find(T), one.find(C), one.find(C), one.find(C)] == ["firing", "ending", "ending", ""]


def test_between_both_thresholds_it_goes_on() -> None:
    one = Watched("clear_for = 10s")
    assert [one.find(T), one.find(B, B, B, B), one.find(C), one.find(B), one.find(C, C)] == [
        "firing", "firing", "ending", "firing", "ending",
    ]  # fmt: skip
    assert Watched().find(B) == ""


def test_who_left_ends_everything() -> None:
    one = Watched("for = 5s")
    assert (one.find(T), one.find(G)) == ("pending", "")
    assert (one.find(T, T), one.find(G)) == ("firing", "")


def test_what_flaps_must_be_quiet_for_longer() -> None:
    one = Watched()
    one.find(*[T, C] * FLAPS)
    assert one.find(C) == "ending" and len(one.fired) == FLAPS
    one.find(*[T, C] * 30)
    assert len(one.fired) == FLAPS
    assert one.find(*[C] * int(FLAP_QUIET / 5 + 1)) == ""


def test_a_restored_alert_goes_on_unless_its_rule_is_gone() -> None:
    one = Watched()
    old = Alert("x", "a", "warning", Phase.FIRING, 1.0, 1.0, DETAILS, 1.0)
    one.machine.restore([old, Alert("y", "a", "warning", Phase.FIRING, 1.0, 1.0, DETAILS, 1.0)])
    assert list(one.machine.alerts) == [("x", "a")]
    assert (one.find(T), one.fired, one.find(C)) == ("firing", [], "")


def test_too_many_alerts_are_counted() -> None:
    one = Watched()
    for number in range(10_050):
        one.machine.find("x", str(number), T, lambda: DETAILS, 1.0)
    assert (len(one.machine.alerts), one.machine.left_out) == (10_000, 50)


SIGNS = st.lists(st.sampled_from([T, B, C, U, G]), max_size=400)


@given(SIGNS, st.sampled_from(["", "for = 20s", "clear_for = 30s", "for = 10s\nclear_for = 10s"]))
def test_whatever_is_found_it_never_fires_too_early_or_too_often(signs: list[Sign], text: str) -> None:
    one = Watched(text)
    hold, held = one.machine.rules["x"].hold, 0.0
    before = None
    for sign in signs:
        fired = len(one.fired)
        one.find(sign)
        held = held + 5.0 if sign is T and before is T else held if sign in (U, T) else 0.0
        before = sign
        assert len(one.fired) == fired or held >= hold
    most = FLAPS + FLAP_SECONDS / FLAP_QUIET
    for begin in one.fired:
        after_gone = signs.count(G)
        assert sum(begin <= at < begin + FLAP_SECONDS for at in one.fired) <= most + after_gone


@given(SIGNS)
def test_an_alert_that_cleared_long_enough_is_never_left_behind(signs: list[Sign]) -> None:
    one = Watched("for = 10s\nclear_for = 10s")
    one.find(*signs)
    one.find(*[C] * int(FLAP_QUIET / 5 + 2))
    assert one.machine.alerts == {}
