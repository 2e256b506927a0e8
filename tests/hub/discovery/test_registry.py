"""The registry: changes are told once, and clocks are estimated from the quickest messages."""

from __future__ import annotations

from hub.clock import Instant
from hub.discovery.registry import ARCHIVE_SECONDS, OFFSETS, Registry
from tests.support.corehub import register
from wire.model import Presence


def at(seconds: float) -> Instant:
    return Instant(seconds, 1e9 + seconds, seconds)


def registry(*agents: str) -> Registry:
    made = Registry(2.0)
    for agent in agents:
        made.register(agent, register(name=agent, at=1e9), "peer", {}, "token", at(0))
    return made


def test_the_first_registration_is_a_change_and_the_next_of_the_same_boot_is_not() -> None:
    made = registry()
    (change,) = made.register("a", register(), "p", {}, "t", at(0))
    assert (change.previous, change.presence, change.reason) == (None, Presence.LIVE, "registered")
    assert made.register("a", register(), "p", {}, "t", at(1)) == []


def test_a_new_boot_is_told_although_it_was_live() -> None:
    made = registry("a")
    (change,) = made.register("a", register("b2"), "p", {}, "t", at(1))
    assert (change.previous, change.reason) == (Presence.LIVE, "started anew")


def test_a_new_boot_forgets_what_was_known_of_the_old_one() -> None:
    made = registry("a")
    made.agents["a"].durable = 9
    made.register("a", register("b2"), "p", {}, "t", at(1))
    assert made.agents["a"].durable == 0 and made.agents["a"].programs == {}


def test_silence_is_told_once_for_each_step() -> None:
    made = registry("a", "b")
    made.hear("b", "b1", at(3.0))
    changes = [change for second in range(1, 90) for change in made.tick(at(second / 10))]
    assert [(c.agent, c.presence) for c in changes] == [("a", "late"), ("a", "lost"), ("b", "late")]


def test_who_was_not_met_since_the_start_must_register() -> None:
    old = registry("a")
    new = Registry(2.0)
    new.restore(old.agents.values(), at(0))
    assert new.agents["a"].presence is Presence.EXPECTED
    assert new.hear("a", "b1", at(1)) == (False, [])


def returning(names: int, period: float = 2.0) -> Registry:
    """A hub that was started again with so many agents to come back."""
    known = registry(*(str(name) for name in range(names)))
    made = Registry(period)
    made.restore(known.agents.values(), at(0))
    return made


def come_back(made: Registry, name: int, second: float) -> None:
    made.register(str(name), register(name=str(name), at=1e9), "peer", {}, "token", at(second))


def test_while_a_fleet_is_coming_back_nobody_behind_is_late() -> None:
    made, told = returning(20), []
    for name in range(19):
        come_back(made, name, 2.0 * name)
        told += [change for change in made.tick(at(2.0 * name + 1)) if change.agent == "19"]
    assert told == []
    assert [c.presence for c in made.tick(at(36 + 3.1)) if c.agent == "19"] == [Presence.LATE]
    assert [c.presence for c in made.tick(at(36 + 6.1)) if c.agent == "19"] == [Presence.LOST]


def test_returns_prolong_the_grace_for_thirty_periods_only() -> None:
    made = returning(100)
    for name in range(99):
        come_back(made, name, float(name))
    assert "99" in [change.agent for change in made.tick(at(60 + 3.1))]


def test_those_that_left_are_archived_after_a_day() -> None:
    made = registry("a", "b")
    made.leave("a", "goodbye", at(1))
    assert made.archive(at(ARCHIVE_SECONDS)) == []
    assert [agent.id for agent in made.archive(at(ARCHIVE_SECONDS + 2))] == ["a"] and set(made.agents) == {"b"}


def test_how_long_they_are_kept_can_be_set() -> None:
    made = Registry(2.0, keep=600.0)
    made.register("a", register(name="a", at=1e9), "peer", {}, "token", at(0))
    made.leave("a", "goodbye", at(1))
    assert made.archive(at(600)) == [] and [agent.id for agent in made.archive(at(602))] == ["a"]


def test_the_offset_is_that_of_the_quickest_message() -> None:
    made = registry("a")
    for delay in (0.4, 0.1, 0.9):
        made.clock("a", 1e9 - 5.0 - delay + 10, at(10))
    assert abs(made.agents["a"].offset - 5.1) < 1e-6


def test_skew_is_said_once_and_again_after_it_was_mended() -> None:
    made = registry("a")
    said = [made.clock("a", 1e9 + 10, at(0)) is not None for _ in range(3)]
    assert said == [True, False, False]
    assert [made.clock("a", 1e9, at(0)) for _ in range(OFFSETS)] == [None] * OFFSETS
    assert made.clock("a", 1e9 + 10, at(0)) == -10.0
