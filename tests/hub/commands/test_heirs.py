"""Container commands whose hub dies in between: given once, ended truthfully, and none stays open for ever."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.engines.reports import ContainerRow, OrderResult
from hub.words import Order
from tests.support.corehub import START, container, listing
from tests.support.linkedhubs import Linked, LinkedHubs
from wire.model import CommandState

ENGINE = "e1"


class World:
    """Two or more hubs and one engine with box-1, which one of them lists."""

    def __init__(self, folder: Path, count: int = 2) -> None:
        self.crew = LinkedHubs(folder, count)
        self.box = container(1, restart_count=0)
        self.given: Counter[str] = Counter()
        """Command -> how often an engine got it."""
        self.audience = self.crew.hubs[0]
        self.list(self.audience)

    def list(self, hub: Linked, **changes: Any) -> None:
        """The engine's list, as this hub reads it."""
        self.box = self.box._replace(**changes)
        self.audience = hub
        hub.report(*listing(hub.now.wall, self.box, engine=ENGINE))

    def wait(self, seconds: float) -> None:
        """Time passes; the engine is listed each second."""
        for _ in range(round(seconds)):
            self.crew.wait(1.0)
            if self.audience.acting:
                self.list(self.audience)

    def order(self, hub: Linked, verb: str = "stop", **args: Any) -> Any:
        return hub.query("command", verb=verb, target="box-1", container=True, id="o1", **args)

    def orders(self) -> list[Order]:
        return [order for hub in self.crew.hubs for order in hub.orders]

    def row(self, command: str = "o1") -> Any:
        return self.crew.store.command(command)

    def ends(self) -> list[str]:
        rows = self.crew.store.audit(limit=1000)
        return [row.outcome for row in rows if row.command == "o1" and row.outcome != "accepted"]

    def ended_by_engine(self, seconds: float) -> ContainerRow:
        return self.box._replace(state="exited", finished_at=START + self.crew.hubs[1].mono - 1000.0 + seconds)


def stop(hub: Linked) -> None:
    """kill -9, as the others see it."""
    hub.acting = hub.reached = False


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_store_knows_who_gives_an_order_before_the_engine_gets_it(world: World) -> None:
    first = world.crew.hubs[0]
    seen: list[Any] = []
    first.carry_out = _watching(first.carry_out, lambda: seen.append(world.row()))  # type: ignore[method-assign]
    world.order(first)
    (row,) = seen
    born = first.core.cluster.lease.row.born  # type: ignore[union-attr]
    assert (row.state, row.result["hub"], row.result["born"]) == (CommandState.DELIVERED, "hub-0", born)


def _watching(carry_out: Any, look: Any) -> Any:
    def watched(effects: Any) -> None:
        for effect in effects:
            if isinstance(effect, Order):
                look()
            carry_out([effect])

    return watched


def test_a_store_that_fails_keeps_the_order_from_the_engine(world: World) -> None:
    first = world.crew.hubs[0]
    first.broken = "update_command"
    world.order(first)
    assert not world.orders() and "not carried out" in world.crew.hubs[0].query("command_state", id="o1")["error"]


def test_a_stop_that_its_hub_did_not_survive_is_done_when_the_container_has_ended(world: World) -> None:
    first, second = world.crew.hubs
    world.order(first)
    stop(first)
    world.list(second)
    world.wait(12)
    assert world.row().state is CommandState.DELIVERED, "the engine may be at it until the deadline"
    world.box = world.ended_by_engine(0.0)
    world.wait(2)
    assert (world.row().state, "it ended" in world.row().result) == (CommandState.DONE, True)
    assert len(world.orders()) == 1 and world.ends() == ["done"]


def test_what_shows_no_sign_has_failed_at_its_deadline_with_the_reason(world: World) -> None:
    first, second = world.crew.hubs
    world.order(first, verb="restart", ttl=20.0)
    stop(first)
    world.list(second)
    world.wait(15)
    assert world.row().state is CommandState.DELIVERED
    world.wait(15)
    assert world.row().state is CommandState.FAILED and "no start of it is seen since" in world.row().error
    assert len(world.orders()) == 1 and world.ends() == ["failed"]


def test_what_no_engine_tells_of_ends_as_well(world: World) -> None:
    world.order(world.crew.hubs[0], ttl=10.0)
    stop(world.crew.hubs[0])
    world.wait(100)
    assert world.row().state is CommandState.FAILED and "has not told of the container since" in world.row().error


def test_who_asked_hears_the_end_though_the_hub_died_that_gave_the_order(tmp_path: Path) -> None:
    world = World(tmp_path, 3)
    first, second, third = world.crew.hubs
    world.order(second)
    assert len(first.orders) == 1
    stop(first)
    world.list(third)
    world.wait(10)
    world.box = world.ended_by_engine(0.0)
    world.wait(4)
    assert second.query("command_state", id="o1")["state"] == "done" and world.ends() == ["done"]


def test_the_hub_that_carries_it_out_ends_it_though_the_asking_one_died(world: World) -> None:
    first, second = world.crew.hubs
    world.order(second)
    stop(second)
    world.wait(10)
    first.report(OrderResult(ENGINE, "o1", True))
    assert world.row().state is CommandState.DONE and len(world.orders()) == 1


def test_what_was_claimed_and_never_given_is_ended_with_that_reason(world: World) -> None:
    first = world.crew.hubs[0]
    world.order(first)
    row = world.row()
    world.crew.store.claim_command(row._replace(id="o2", state=CommandState.ACCEPTED, result=None))
    world.crew.store.claim_command(
        row._replace(id="o3", state=CommandState.DELIVERED, agent="nobody", engine=None, container=None, result=None)
    )
    stop(first)
    world.wait(120)
    found = [world.row("o2"), world.row("o3")]
    assert [one.state for one in found] == [CommandState.FAILED] * 2
    assert "not carried out" in found[0].error and "may have been executed" in found[1].error


def test_an_heir_that_dies_is_followed_by_the_next(tmp_path: Path) -> None:
    world = World(tmp_path, 3)
    first, second, third = world.crew.hubs
    world.order(first, ttl=60.0)
    stop(first)
    world.list(second)
    world.wait(12)
    assert "o1" in second.core.orders.containers.orphans
    stop(second)
    world.list(third)
    world.wait(12)
    world.box = world.ended_by_engine(0.0)
    world.wait(2)
    assert world.row().state is CommandState.DONE and world.ends() == ["done"] and len(world.orders()) == 1


FAULTS = st.lists(st.tuples(st.sampled_from(["kill", "wake", "anew", "list", "end", "answer"]), st.integers(0, 2)),
                  max_size=8)  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2), st.sampled_from(["stop", "restart", "kill"]), FAULTS)
def test_whatever_happens_it_is_given_once_at_most_and_ends(asked: int, verb: str, faults: list[Any]) -> None:
    """Hubs die, are stopped and wake up, start anew; the engine is listed by another one, ends the box, answers."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), 3)
        given = 0
        world.order(world.crew.hubs[asked], verb, ttl=20.0)
        for fault, number in faults:
            given += _befall(world, fault, world.crew.hubs[number])
            world.wait(3)
        for hub in world.crew.hubs:
            _befall(world, "wake", hub)
        world.wait(100)
        given += len(world.orders())
        assert given <= 1
        assert world.row().state in (CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED)
        if world.row().state is CommandState.DONE:
            assert given == 1


def _befall(world: World, fault: str, hub: Linked) -> int:
    """Carries a fault out; the orders that were forgotten with a hub's memory."""
    newest = max(one.mono for one in world.crew.hubs)
    if fault == "kill":
        stop(hub)
    elif fault in ("wake", "anew"):
        hub.acting = hub.reached = True
        hub.attention += newest - hub.mono
        hub.mono = newest
        if fault == "anew":
            hub.start()
    elif fault == "list" and hub.acting:
        world.list(hub)
    elif fault == "end":
        world.box = world.box._replace(state="exited", finished_at=START + newest - 1000.0)
    elif fault == "answer" and hub.acting and hub.orders:
        hub.report(OrderResult(ENGINE, "o1", True))
    return 0
