"""What a hub without a valid lease does not do, asked at the moment of doing, and who is told of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from hub import edge, words
from hub.alerts.notices import Notice
from hub.clock import Instant
from hub.cluster.lease import LEASE_SECONDS
from hub.cluster.room import Cluster
from hub.commands.orders import Orders
from hub.edge import NO_LEASE, NOT_ASKED, Guard, Polled, leave_by
from hub.engines.reports import EngineCommand, OrderResult
from hub.fleet import Fleet
from tests.support.corehub import SETTINGS
from wire import messages as M


class Carried:
    """A loop that only notes what it is to carry out."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        kinds = (words.Send, words.Store, words.Order, words.Notify, words.Say, words.Publish)
        self.effects: dict[type, Callable[[Any], None]] = dict.fromkeys(kinds, self.done.append)
        self.turns: list[Callable[[Instant], list[Any]]] = []
        self.reports: deque[Any] = deque()
        self.running = True

    def stop(self) -> None:
        self.running = False

    def carry_out(self, effect: Any) -> bool:
        """Whether it was done."""
        before = len(self.done)
        self.effects[type(effect)](effect)
        return len(self.done) > before

    def handed(self, now: Instant) -> list[Any]:
        return [event for turn in self.turns for event in turn(now)]


class Threads:
    """An engine's threads."""

    def __init__(self) -> None:
        self.running, self.orders = False, list[Any]()

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def order(self, order: Any) -> None:
        self.orders.append(order)


class Edge:
    """A guard, the clock it looks at, and a hub that has just had its lease."""

    def __init__(self) -> None:
        self.loop, self.boot, self.threads = Carried(), 100.0, list[Threads]()
        self.polled = Polled(self._make)
        fleet = Fleet(SETTINGS._replace(shared=True))
        self.cluster = Cluster(fleet, Orders(fleet, lambda: "id"), "0")
        lease = self.cluster.lease
        lease.row = lease.row._replace(born=7, epoch=7)
        lease.until, lease.acts_from = self.boot + LEASE_SECONDS, self.boot
        loop: Any = self.loop
        Guard(loop, self.cluster, {"e1": self.polled}).stand()

    def _make(self) -> Threads:
        self.threads.append(Threads())
        return self.threads[-1]

    def sleep(self) -> None:
        """The process is stopped for longer than its lease, and nothing tells it so."""
        self.boot += LEASE_SECONDS + 0.1


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Edge:
    made = Edge()
    monkeypatch.setattr(edge, "boot_clock", lambda: made.boot)
    return made


def answer(agent: str) -> words.Send:
    return words.Send(words.Route("agents", (b"x",)), M.Ack(0), agent)


def command(number: str) -> EngineCommand:
    return EngineCommand(number, "restart", "f" * 64, {}, 0.0)


def test_a_command_to_an_agent_needs_the_lease_and_an_answer_does_not(found: Edge) -> None:
    assert found.loop.carry_out(answer("a")) and found.loop.carry_out(answer(""))
    found.sleep()
    assert not found.loop.carry_out(answer("a")), "its router offers it again"
    assert found.loop.carry_out(answer("")), "agents are served from memory"


def test_a_verdict_without_a_lease_is_not_given_and_the_core_is_told(found: Edge) -> None:
    told: list[tuple[Any, str]] = []

    def then(value: Any, error: str, now: Instant) -> list[Any]:
        told.append((value, error))
        return []

    verdict = words.Store("judge_agent", ("a", "lost", 3), then)
    assert found.loop.carry_out(verdict)
    found.sleep()
    assert not found.loop.carry_out(verdict)
    [event] = found.loop.handed(Instant(0.0, 0.0))
    event.then(event.value, event.error, Instant(0.0, 0.0))
    assert told == [(None, NO_LEASE)] and found.loop.handed(Instant(0.0, 0.0)) == []


def test_everything_else_may_be_kept_while_blind(found: Edge) -> None:
    found.sleep()
    assert found.loop.carry_out(words.Store("append_facts", ()))
    assert not found.loop.carry_out(words.Store("judge_agent", ("a", "lost", 3))), "nobody waits for it"
    assert found.loop.handed(Instant(0.0, 0.0)) == []


def test_an_order_to_an_engine_without_a_lease_has_failed(found: Edge) -> None:
    order = words.Order("e1", command("c1"))
    found.polled.turn(True)
    assert found.loop.carry_out(order)
    found.sleep()
    assert not found.loop.carry_out(order)
    assert list(found.loop.reports) == [OrderResult("e1", "c1", False, "unreachable", NO_LEASE)]


def test_an_order_to_an_engine_that_moved_to_another_hub_has_failed(found: Edge) -> None:
    assert not found.loop.carry_out(words.Order("e1", command("c1")))
    assert list(found.loop.reports) == [OrderResult("e1", "c1", False, "unreachable", NOT_ASKED)]


def test_engines_are_polled_by_who_has_the_lease_at_that_moment(found: Edge) -> None:
    mine = words.Poll(frozenset({"e1"}))
    found.loop.effects[words.Poll](mine)
    assert [one.running for one in found.threads] == [True]
    found.loop.effects[words.Poll](mine)
    assert len(found.threads) == 1
    found.sleep()
    found.loop.effects[words.Poll](mine)
    assert [one.running for one in found.threads] == [False]


def test_an_order_to_an_engine_that_is_not_asked_is_dropped_and_the_end_stops_it(found: Edge) -> None:
    found.polled.order(command("c1"))
    found.polled.turn(True)
    found.polled.order(command("c2"))
    assert [order.id for order in found.threads[0].orders] == ["c2"]
    found.polled.stop()
    assert not found.threads[0].running


def notice(common: bool) -> Notice:
    return Notice(*[None] * (len(Notice._fields)))._replace(common=common)  # type: ignore[arg-type]


@pytest.mark.parametrize(("common", "leads", "sent"), [(True, True, True), (True, False, False), (False, False, True)])
def test_what_all_hubs_find_one_tells(found: Edge, common: bool, leads: bool, sent: bool) -> None:
    found.cluster.leads = lambda now: leads  # type: ignore[method-assign]
    assert found.loop.carry_out(words.Notify(notice(common), None)) is sent


def test_a_test_of_a_sink_is_whoevers_it_was_asked_of(found: Edge) -> None:
    found.cluster.leads = lambda now: False  # type: ignore[method-assign]
    assert found.loop.carry_out(words.Notify(notice(True), lambda value, error, now: []))


def test_a_hub_that_has_drained_ends(found: Edge) -> None:
    found.loop.effects[words.Leave](words.Leave())
    assert not found.loop.running


def test_the_first_sigterm_drains_and_the_second_ends(found: Edge) -> None:
    loop: Any = found.loop
    told = leave_by(loop, found.cluster)
    told(15, None)
    assert found.loop.running
    [event] = found.loop.handed(Instant(0.0, 0.0))
    event.then(None, "", Instant(0.0, 0.0))
    assert found.cluster.lease.row.draining
    told(15, None)
    assert not found.loop.running


def test_a_hub_alone_ends_at_once(found: Edge) -> None:
    loop: Any = found.loop
    leave_by(loop, None)(15, None)
    assert not found.loop.running
