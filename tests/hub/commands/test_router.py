"""Commands in flight: one end each, bounded memory, deadlines."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.commands.router import ENDS, IN_FLIGHT, MOVES, RECENT, Command, Router
from wire.model import CommandState

IDS = st.sampled_from(["c1", "c2", "c3"])


def command(id: str = "c1", agent: str = "a", deadline: float = 30.0) -> Command:
    return Command(id, id, "me", "restart", {}, agent, "", "", "a/web", 0.0, deadline, deadline)


class Flights(RuleBasedStateMachine):
    """Any order of acceptance, reports and deadlines; the model remembers the first end of each id."""

    def __init__(self) -> None:
        super().__init__()
        self.router, self.now = Router(), 0.0
        self.ends: dict[str, CommandState] = {}
        self.states: dict[str, CommandState] = {}

    @rule(id=IDS, ttl=st.floats(0.1, 10))
    def accept(self, id: str, ttl: float) -> None:
        if self.router.get(id) is None:
            self.router.accept(command(id, deadline=self.now + ttl))
            self.states[id] = CommandState.ACCEPTED

    @rule(id=IDS, state=st.sampled_from(list(CommandState)))
    def report(self, id: str, state: CommandState) -> None:
        before = self.states.get(id)
        moved = self.router.move(id, state, 0.0)
        assert (moved is not None) == (before is not None and (before, state) in MOVES and id not in self.ends)
        if moved is not None:
            self._moved(moved)

    @rule(seconds=st.floats(0, 5))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for moved in self.router.expire(self.now, 0.0):
            assert moved.deadline <= self.now and moved.state is CommandState.EXPIRED
            self._moved(moved)

    def _moved(self, moved: Command) -> None:
        assert moved.id not in self.ends
        self.states[moved.id] = moved.state
        if moved.state in ENDS:
            self.ends[moved.id] = moved.state

    @invariant()
    def an_end_stays(self) -> None:
        for id, state in self.ends.items():
            found = self.router.get(id)
            assert found is not None and found.state is state and id not in self.router.flying

    @invariant()
    def nothing_flies_beyond_its_deadline_after_a_tick(self) -> None:
        assert all(one.state not in ENDS for one in self.router.flying.values())


TestFlights = Flights.TestCase
TestFlights.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


def test_an_accepted_command_is_offered_until_it_is_delivered() -> None:
    router = Router()
    router.accept(command())
    assert [c.id for c in router.sendable(0.0)] == ["c1"]
    router.attempted("c1", "b1", 0.0)
    assert router.sendable(1.0) == [] and len(router.sendable(2.0)) == 1 and len(router.sendable(0.5, "a")) == 1
    router.move("c1", CommandState.DELIVERED, 0.0)
    assert router.sendable(9.0) == [] and [c.id for c in router.unsent("a")] == ["c1"] and router.unsent("b") == []


def test_expired_says_whether_it_was_delivered() -> None:
    router = Router()
    router.accept(command("c1", deadline=1.0))
    router.accept(command("c2", deadline=1.0))
    router.move("c2", CommandState.DELIVERED, 0.0)
    assert {c.id: c.error for c in router.expire(2.0, 0.0)} == {
        "c1": "not delivered within 1 s",
        "c2": "delivered, but no result within 1 s; it may have been executed",
    }


def test_memory_is_bounded() -> None:
    router = Router()
    for number in range(IN_FLIGHT + RECENT + 50):
        router.accept(command(f"c{number}"))
        router.move(f"c{number}", CommandState.DONE, 0.0)
    assert len(router.ended) == RECENT and len(router.orders) <= IN_FLIGHT + RECENT and not router.flying
    assert not router.full(IN_FLIGHT) and router.full(IN_FLIGHT + 1)
