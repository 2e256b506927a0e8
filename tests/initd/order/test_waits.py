"""Starts that wait, in virtual time: what comes first, what is said meanwhile, and what happens to a loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.topics.jobs import Jobs
from initd.config.topics.order import Order
from initd.errors import StartFailed
from initd.events import Stop
from initd.order.graph import cycle
from initd.order.waits import Waits
from initd.program import Phase
from tests.sim.machine import ME, Simulated
from tests.support.programs import program
from wire.model import Cause, State, Want


def after(name: str, *needs: str, lost: str = "ignore", **options: object) -> Any:
    """A program that depends on others; each need is `name:condition`."""
    pairs = tuple((need.rpartition(":")[0], need.rpartition(":")[2]) for need in needs)
    return program(name, order=Order(pairs, lost), **options)


def oneshot(name: str, **options: object) -> Any:
    return program(name, jobs=Jobs(type="oneshot"), startsecs=0, **options)


def begin(*programs: Any) -> Simulated:
    sim = Simulated(*programs)
    waits = Waits(sim.supervisor)
    assert sim.supervisor.config is not None
    waits.adopt(sim.supervisor.config)
    return sim.start()


def end(sim: Simulated, name: str, code: int = 0) -> Simulated:
    pid = sim[name].pid
    assert pid is not None
    sim.kernel.die(pid, code)
    return sim.run(0)


def waits(sim: Simulated, name: str) -> bool:
    return sim[name].program.phase is Phase.WAITING


def test_ready_means_running() -> None:
    sim = begin(after("web", "db:ready"), program("db"))
    assert waits(sim, "web")
    assert sim["web"].why == "waits for db:ready"
    assert sim.run(1)["web"].program.state is State.STARTING


def test_started_means_a_process() -> None:
    sim = begin(program("db"), after("web", "db:started"))
    assert sim["web"].program.state is State.STARTING


def test_done_means_ended_as_expected() -> None:
    sim = begin(oneshot("migrate"), after("web", "migrate:done"))
    assert waits(sim.run(5), "web")
    assert end(sim, "migrate")["web"].program.state is State.STARTING


def test_a_failed_one_shot_lets_nobody_go() -> None:
    sim = begin(oneshot("migrate", startretries=0), after("web", "migrate:done"))
    end(sim.run(1), "migrate", 3).run(60)
    assert waits(sim, "web")
    assert sim["web"].why == "waits for migrate:done (FATAL: exit status 3)"


def test_a_done_one_shot_is_ready() -> None:
    sim = begin(oneshot("init"), after("web", "init:ready"))
    assert end(sim.run(0), "init")["web"].program.state is State.STARTING


def test_a_service_that_ended_is_not() -> None:
    slow = program("slow", startsecs=10)
    sim = begin(program("db", autorestart="false"), slow, after("web", "db:ready", "slow:ready"))
    end(sim.run(2), "db").run(60)
    assert sim["web"].why == "waits for db:ready (EXITED: exit status 0)"


def test_a_chain_comes_up_in_order() -> None:
    sim = begin(after("c", "b:ready"), after("b", "a:ready"), program("a"))
    sim.run(3)
    assert sim.states() == dict.fromkeys("abc", State.RUNNING)
    assert sim.changes("c")[0] is State.STARTING


def test_autostart_does_not_start_what_nobody_wants() -> None:
    sim = begin(program("db", autostart=False), after("web", "db:ready")).run(60)
    assert sim["db"].program.state is State.STOPPED
    assert sim["web"].why == "waits for db:ready (STOPPED, and nobody starts it)"


def test_a_start_by_hand_starts_what_it_needs() -> None:
    sim = begin(
        program("a", autostart=False), after("b", "a:ready", autostart=False), after("c", "b:ready", autostart=False)
    )
    sim.supervisor.start(sim["c"], ME)
    assert sim.run(3).states() == dict.fromkeys("abc", State.RUNNING)
    assert sim["a"].program.wisher == ME


def test_a_wish_starts_a_dependency_once() -> None:
    sim = begin(program("db", autostart=False, startretries=0), after("web", "db:ready", autostart=False))
    sim.kernel.failures = [StartFailed("exec", 2, "db")] * 9
    sim.supervisor.start(sim["web"], ME)
    sim.run(600)
    assert len(sim.kernel.failures) == 8
    assert "FATAL" in sim["web"].why


def test_a_stop_ends_the_waiting() -> None:
    sim = begin(program("db", startsecs=5), after("web", "db:ready"))
    sim.supervisor.stop(sim["web"], ME)
    assert sim.run(60)["web"].program.state is State.STOPPED
    assert sim["web"].program.want is Want.DOWN


def test_a_restart_of_its_own_does_not_wait() -> None:
    sim = begin(program("db", autorestart="false"), after("web", "db:ready")).run(3)
    end(sim, "db")
    assert end(sim, "web", 1).run(0)["web"].program.state is State.STARTING


def test_a_shutdown_ends_the_waiting() -> None:
    sim = begin(program("db", startsecs=100), after("web", "db:ready"))
    sim.supervisor.shutdown(ME)
    assert sim.run(20).loop.code == 0
    assert len(sim.kernel.spawned) == 1


def test_a_shutdown_stops_dependents_first() -> None:
    sim = begin(program("db"), after("web", "db:ready")).run(3)
    web, db = sim["web"].pid, sim["db"].pid
    sim.kernel.alive[web or 0].delays = {15: 2.0}
    sim.supervisor.shutdown(ME)
    sim.run(20)
    assert [pid for _, pid, signum, _ in sim.kernel.sent if signum == 15] == [web, db]
    times = {pid: at for at, pid, signum, _ in sim.kernel.sent if signum == 15}
    assert times[db or 0] - times[web or 0] == pytest.approx(2.0)


def stops(sim: Simulated) -> list[str]:
    """Who got SIGTERM, in order."""
    names = {
        process.pid: process.order.environ["SUPERVISOR_PROCESS_NAME"] for process in sim.kernel.spawned if process.order
    }
    return [names[pid] for _, pid, signum, _ in sim.kernel.sent if signum == 15]


@pytest.mark.parametrize("delay", [0.0, 2.0])
def test_a_stop_of_several_goes_in_reverse(delay: float) -> None:
    sim = begin(program("db"), after("app", "db:ready"), after("web", "app:ready"), program("other")).run(4)
    for process in sim.kernel.alive.values():
        process.delays = {15: delay}
    sim.supervisor.stop_all(list(sim.supervisor.processes.values()), ME)
    assert sim.run(0.1)["db"].program.want is Want.DOWN
    sim.run(30)
    assert set(sim.states().values()) == {State.STOPPED}
    assert [name for name in stops(sim) if name != "other"] == ["web", "app", "db"]
    assert {record.cause for record in sim.exits()} == {Cause.STOPPED}


def test_a_stop_alone_waits_for_nobody() -> None:
    sim = begin(program("db"), after("web", "db:ready")).run(4)
    sim.supervisor.stop_all([sim["db"]], ME)
    assert sim.run(1).states() == {"db": State.STOPPED, "web": State.RUNNING}


def test_a_start_ends_a_stop_that_waits() -> None:
    sim = begin(program("db"), after("web", "db:ready")).run(4)
    sim.kernel.alive[sim["web"].pid or 0].delays = {15: 3.0}
    sim.supervisor.stop_all([sim["db"], sim["web"]], ME)
    sim.supervisor.start(sim["db"], ME)
    assert sim.run(30).states() == {"db": State.RUNNING, "web": State.STOPPED}
    assert sim["db"].program.spawns == 1


@pytest.mark.parametrize(("lost", "lives"), [("ignore", 1), ("restart", 2), ("stop", 2)])
def test_a_loss(lost: str, lives: int) -> None:
    sim = begin(program("db"), after("web", "db:ready", lost=lost)).run(3)
    end(sim, "db", 1)
    sim.run(10)
    assert sim.states() == {"db": State.RUNNING, "web": State.RUNNING}
    assert sim["web"].program.spawns == lives
    assert [record.cause for record in sim.exits() if record.name == "web"] == [Cause.DEPENDENCY] * (lives - 1)


def test_a_loss_that_stays() -> None:
    sim = begin(program("db"), after("web", "db:ready", lost="stop"), after("job", "db:ready", lost="restart")).run(3)
    sim.supervisor.stop(sim["db"], ME)
    sim.run(60)
    assert waits(sim, "web")
    assert sim["job"].program.spawns == 1
    sim.supervisor.start(sim["db"], ME)
    sim.run(5)
    assert (sim["web"].program.spawns, sim["job"].program.spawns) == (2, 2)


def test_a_stop_by_hand_during_a_loss_counts() -> None:
    sim = begin(program("db"), after("web", "db:ready", lost="stop")).run(3)
    sim.supervisor.stop(sim["db"], ME)
    sim.run(5)
    sim.supervisor.stop(sim["web"], ME)
    sim.supervisor.start(sim["db"], ME)
    assert sim.run(60)["web"].program.state is State.STOPPED


def test_done_cannot_be_lost() -> None:
    sim = begin(oneshot("init"), after("web", "init:done", lost="stop")).run(1)
    end(sim, "init").run(3)
    sim.supervisor.start(sim["init"], ME)
    assert sim.run(3)["web"].program.spawns == 1


def test_many_lacks_are_cut() -> None:
    sim = begin(*(program(f"p{i}") for i in range(9)), after("web", *(f"p{i}:ready" for i in range(9))))
    assert sim["web"].why == "waits for p0:ready, p1:ready, p2:ready, p3:ready and 5 more"


def test_a_dependency_that_a_reload_takes_away_is_waited_for_no_more() -> None:
    sim = Simulated(program("db", autostart=False), after("web", "db:ready"))
    part = Waits(sim.supervisor)
    config = sim.supervisor.config
    assert config is not None
    part.adopt(config)
    sim.start().run(5)
    part.adopt(config._replace(programs=(program("db", autostart=False), program("web"))))
    assert sim.run(5)["web"].program.state is State.RUNNING


edges = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=8)


@given(
    edges, st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["die", "stop", "start", "fail"])), max_size=15)
)
def test_nobody_runs_before_what_it_needs_and_all_run_in_the_end(
    pairs: list[tuple[str, str]], events: list[tuple[str, str]]
) -> None:
    needs = {name: tuple((other, "ready") for one, other in pairs if one == name) for name in "abcde"}
    if cycle(needs):
        return
    programs = [
        after(name, *(f"{o}:{c}" for o, c in needs[name])) if needs[name] else program(name) for name in "abcde"
    ]
    sim = begin(*programs)
    for name, what in events:
        act(sim, name, what)
        sim.run(0.3)
    for name in "abcde":
        sim.supervisor.start(sim[name], ME._replace(id="last"))
    sim.run(300)
    assert set(sim.states().values()) == {State.RUNNING}
    assert first_starts_in_order(sim, needs)


def act(sim: Simulated, name: str, what: str) -> None:
    process = sim[name]
    if what == "start":
        sim.supervisor.start(process, ME)
    elif what == "stop":
        sim.supervisor.feed(process, Stop(ME))
    elif process.pid is not None and process.pid in sim.kernel.alive:
        sim.kernel.die(process.pid, 1)


def first_starts_in_order(sim: Simulated, needs: dict[str, tuple[tuple[str, str], ...]]) -> bool:
    order = [(fact.body.name, fact.body.state) for fact in sim.journal.since(0, 10_000) if hasattr(fact.body, "state")]
    first = {name: order.index((name, State.STARTING)) for name in needs}
    return all(order.index((other, State.RUNNING)) < first[name] for name in needs for other, _ in needs[name])
