"""What the proof `init` makes of its figures, and that every limit of it is measured."""

from __future__ import annotations

import pytest

from tests.prove.init import LIMITS, Limit, verdict

GOOD = {limit.name: limit.most for limit in LIMITS}


def test_figures_at_their_limits_hold() -> None:
    shown, holds = verdict(GOOD, quick=False)
    assert holds
    assert list(shown) == [limit.name for limit in LIMITS]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_each_limit_can_be_missed(limit: Limit) -> None:
    worse = limit.most * 0.5 if limit.at_least else limit.most * 1.5 + 1
    shown, holds = verdict({**GOOD, limit.name: worse}, quick=False)
    assert not holds
    assert "BEYOND" in str(shown[limit.name])


def test_a_busy_machine_is_forgiven_only_in_the_quick_form() -> None:
    slow = {**GOOD, "first program, x floor-py": 3.0}
    assert verdict(slow, quick=True)[1]
    assert not verdict(slow, quick=False)[1]
    assert not verdict({**GOOD, "idle: wakings a second": 1}, quick=True)[1]


def test_other_figures_are_shown_without_a_limit() -> None:
    assert verdict({"first program, ms": 12.345}, quick=True) == ({"first program, ms": "12.3"}, True)


def test_what_was_not_measured_does_not_hold() -> None:
    shown, holds = verdict({}, quick=False)
    assert not holds
    assert set(shown) == set(GOOD)
    assert verdict({}, quick=True) == ({}, True)
