"""How the machine's effects are carried out: gates, hooks, scopes, records, seams; in virtual time."""

from __future__ import annotations

import errno
import signal

import pytest

from initd.backoff import Backoff
from initd.config.topics.hooks import Hooks
from initd.config.topics.jobs import Jobs
from initd.config.topics.restarts import Restarts
from initd.config.topics.stopping import Stopping
from initd.effects import clip
from initd.errors import NotSignallable, StartFailed
from initd.events import Asked, Changed, Failing, NotReady
from initd.process import Process
from initd.program import Phase
from initd.spawn import Order
from tests.sim.machine import ME, Simulated
from tests.support.programs import program as configured
from wire.limits import TEXT_CHARS
from wire.model import Cause, Exit, FactKind, State, Want

BOTH = Hooks(("/bin/pre", "a"), 5.0, ("/bin/post",), 2.0)
PRE, POST = BOTH._replace(post_stop=()), BOTH._replace(pre_start=())


def running(**options: object) -> Simulated:
    return Simulated(configured("web", **options)).start().run(1.1)


def end(sim: Simulated, code: int = 0) -> Simulated:
    """The present process, or hook, ends."""
    pid = sim["web"].pid
    assert pid is not None
    sim.kernel.die(pid, code=code)
    return sim


def commands(sim: Simulated) -> list[tuple[str, ...]]:
    return [process.order.argv for process in sim.kernel.spawned if process.order is not None]


# Gates


def test_a_gate_holds_a_start_back_until_it_is_released() -> None:
    sim, closed = Simulated(configured("web")), ["db is not ready"]
    sim.supervisor.gates.append(lambda process: closed[0])
    sim.start()
    status = sim["web"].status(sim.loop.now())
    assert (status.state, status.want, status.why) == (State.STOPPED, Want.UP, "db is not ready")
    closed[0] = "cache is not ready"
    sim.supervisor.release(sim["web"])
    assert sim["web"].why == "cache is not ready"
    closed[0] = ""
    sim.supervisor.release(sim["web"])
    assert sim["web"].program.state is State.STARTING


def test_releasing_who_does_not_wait_does_nothing() -> None:
    sim = Simulated(configured("web", autostart=False)).start()
    sim.supervisor.release(sim["web"])
    assert sim["web"].program.state is State.STOPPED


def test_a_broken_gate_does_not_object() -> None:
    sim = Simulated(configured("web"))
    sim.supervisor.gates.append(lambda process: [][1])  # noqa: PLE0643
    assert sim.start()["web"].program.state is State.STARTING
    assert any("a gate failed" in line for line in sim.voice.lines)


def test_a_restart_by_hand_asks_the_gates_after_its_stop() -> None:
    sim, closed = running(), [""]
    sim.supervisor.gates.append(lambda process: closed[0])
    closed[0] = "db"
    sim.supervisor.restart(sim["web"], ME)
    sim.run(0.1)
    assert (sim["web"].program.phase, sim["web"].why) == (Phase.WAITING, "db")


def test_no_gate_is_asked_after_a_crash() -> None:
    sim = running()
    sim.supervisor.gates.append(lambda process: "db")
    assert end(sim, 1)["web"].program.state is State.STARTING


def test_who_waits_is_released_by_a_shutdown() -> None:
    sim = Simulated(configured("web"))
    sim.supervisor.gates.append(lambda process: "db")
    sim.start().supervisor.shutdown(ME)
    sim.supervisor.release(sim["web"])
    assert (sim["web"].program.want, sim.loop.code) == (Want.DOWN, 0)


# What others hear and change


def test_passages_and_records_are_told_in_order_before_the_change() -> None:
    sim, heard = Simulated(configured("web", autorestart="false")), list[object]()
    sim.supervisor.changes(lambda process, changed, run: heard.append(changed.state))
    sim.supervisor.exits(lambda process, record: heard.append(record.cause))
    sim.supervisor.on_change(lambda process: heard.append(process.name))
    sim.start().run(1.1)
    end(sim)
    assert heard == [State.STARTING, "web", State.RUNNING, "web", Cause.EXIT, State.EXITED, "web"]


def test_a_broken_listener_of_passages_costs_a_line() -> None:
    sim = Simulated(configured("web"))

    def stumble(process: Process, what: Changed | Exit) -> None:
        raise RuntimeError("oops")

    sim.supervisor.changes(stumble)
    sim.supervisor.exits(stumble)
    end(sim.start().run(1.1), 1)
    assert sim["web"].program.state is State.STARTING
    assert sum("a listener failed" in line for line in sim.voice.lines) >= 3


def test_fittings_change_what_is_started() -> None:
    sim = Simulated(configured("web", hooks=PRE))

    def fit(process: Process, order: Order) -> Order:
        return order._replace(environ={**order.environ, "PHASE": str(process.program.phase)})

    sim.supervisor.fittings.append(fit)
    end(sim.start())
    assert [one.order.environ["PHASE"] for one in sim.kernel.spawned if one.order] == ["pre_start", "main"]


def test_the_first_reason_to_leave_counts() -> None:
    sim = running()
    sim.supervisor.leave(3, ME)
    sim.supervisor.leave(4, ME)
    assert sim.run(1.0).loop.code == 3


def test_who_was_told_to_shut_down_leaves_with_0() -> None:
    sim = running()
    sim.kernel.alive[sim["web"].pid or 0].delays = {signal.SIGTERM: 0.5}
    sim.supervisor.shutdown(ME)
    sim.supervisor.leave(4, ME)
    assert sim.run(2.0).loop.code == 0


def test_a_machine_that_stumbles_costs_a_line_and_no_other_program() -> None:
    sim = Simulated(configured("web"), configured("db")).start()
    sim["web"].program = sim["web"].program._replace(phase="nonsense")  # type: ignore[arg-type]
    sim.run(3.0)
    assert sim["db"].program.state is State.RUNNING
    assert 1 <= sum("web: Due failed: LookupError" in line for line in sim.voice.lines) <= 4


# Hooks


def test_hooks_run_in_the_programs_place() -> None:
    sim = end(Simulated(configured("web", hooks=BOTH, user="bob", directory="/srv", environment=(("A", "1"),))).start())
    pre, main = sim.kernel.spawned
    assert commands(sim) == [("/bin/pre", "a"), ("true",)]
    assert pre.order is not None and main.order is not None
    assert pre.order == main.order._replace(argv=pre.order.argv)


def test_a_pre_start_that_fails_is_a_start_failure_with_a_record() -> None:
    sim = end(Simulated(configured("web", hooks=PRE)).start(), 3)
    [record] = sim.exits()
    assert (record.cause, record.step, record.code, record.pid) == (Cause.START_FAILURE, "pre_start", 3, 101)
    assert (sim["web"].spawnerr, sim["web"].program.state) == ("pre_start: exit status 3", State.BACKOFF)
    assert any("web: pre_start (pid 101) exited with status 3" in line for line in sim.voice.lines)


def test_a_pre_start_that_cannot_be_started_says_why() -> None:
    sim = Simulated(configured("web", hooks=PRE, startretries=0))
    sim.kernel.failures = [StartFailed("exec", errno.ENOENT, "/bin/pre")]
    sim.start()
    assert sim["web"].why == "pre_start: exec: /bin/pre: No such file or directory"


def test_post_stop_is_told_how_it_ended() -> None:
    sim = running(hooks=POST, stopwaitsecs=2)
    sim.kernel.alive[sim["web"].pid or 0].delays = {signal.SIGTERM: None}
    sim.supervisor.stop(sim["web"], Asked("hub:alice", "stop", "6f1c"))
    sim.run(2.1)
    order = sim.kernel.spawned[-1].order
    assert order is not None
    told = {name[12:]: value for name, value in order.environ.items() if name.startswith("PIDONE_EXIT_")}
    assert told == {
        "PID": "101", "CODE": "", "SIGNAL": "SIGKILL", "CAUSE": "stopped", "WHY": "", "BY": "hub:alice",
        "COMMAND": "stop 6f1c", "RUN_TIME": "3.100", "EXPECTED": "true", "ESCALATED": "true",
    }  # fmt: skip


def test_a_stop_is_over_when_post_stop_is() -> None:
    sim = running(hooks=POST)
    sim.supervisor.stop(sim["web"], ME)
    assert sim.run(0.1)["web"].program.state is State.STOPPING
    assert end(sim, 9)["web"].program.state is State.STOPPED
    assert len(sim.exits()) == 1


def test_a_hook_is_nobody_to_signal() -> None:
    sim = Simulated(configured("web", hooks=PRE)).start()
    with pytest.raises(NotSignallable):
        sim.supervisor.send_signal(sim["web"], signal.SIGHUP, ME)


def test_a_shutdown_waits_for_post_stop_but_not_beyond_the_budget() -> None:
    sim = running(hooks=POST._replace(post_stop_timeout=600.0))
    began = sim.loop.now()
    sim.supervisor.shutdown(ME)
    sim.run(1.0)
    assert (sim["web"].program.phase, sim.loop.code) == (Phase.TIDYING, None)
    sim.run(60.0)
    assert (sim.loop.code, sim.loop.now() - began <= 9.5) == (0, True)


def test_a_shutdown_during_pre_start_ends_at_once() -> None:
    sim = Simulated(configured("web", hooks=PRE)).start()
    sim.supervisor.shutdown(ME)
    assert sim.run(1.0).loop.code == 0


# Scopes


def family(scope: str = "tree", stubborn: bool = False, **options: object) -> Simulated:
    sim = running(stopping=Stopping((), scope), **options)
    sim.kernel.relative("web", {signal.SIGTERM: None, signal.SIGKILL: None if stubborn else 0.0})
    return sim


def test_a_tree_carries_its_mark() -> None:
    order = family().kernel.spawned[0].order
    assert order is not None and order.environ["PIDONE_FAMILY"] == "mark/web/1"


def test_a_stop_lasts_until_the_tree_is_empty() -> None:
    sim = family()
    sim.supervisor.stop(sim["web"], ME)
    assert sim.run(9.9).states() == {"web": State.STOPPING}
    assert sim.run(0.3).states() == {"web": State.STOPPED}
    assert [one.cause for one in sim.exits()] == [Cause.STOPPED]


def test_a_member_that_dies_unseen_is_noticed() -> None:
    sim = family()
    sim.supervisor.stop(sim["web"], ME)
    sim.run(1.0).kernel.strays.clear()
    assert sim.run(0.2).states() == {"web": State.STOPPED}


def test_survivors_are_reported_and_the_stop_ends() -> None:
    sim = family("group", stubborn=True, stopwaitsecs=3)
    sim.supervisor.stop(sim["web"], ME)
    sim.run(6.0)
    left = sim["web"].left
    assert (sim["web"].program.state, left) == (State.STOPPED, "survived its stop: pid 102")
    assert sim["web"].why.endswith(left)
    notes = [fact.body for fact in sim.journal.since(0, 100) if fact.kind is FactKind.NOTE]
    assert notes == [{"note": "survivors", "name": "web", "survivors": left}]


def test_a_shutdown_does_not_wait_for_survivors_beyond_its_budget() -> None:
    sim = family(stubborn=True)
    sim.supervisor.shutdown(ME)
    assert sim.run(12.0).loop.code == 0


def test_kills_of_a_family_are_ours() -> None:
    sim = family(stopwaitsecs=1)
    sim.supervisor.stop(sim["web"], ME)
    sim.run(3.0)
    assert set(sim.kernel.judged) == {0}


# Records


@pytest.mark.parametrize(
    ("event", "cause", "expected"),
    [
        (Failing("no answer"), Cause.PROBE, False),
        (Failing("too old", "restart", Cause.RENEWAL), Cause.RENEWAL, True),
        (Failing("db is gone", "restart", Cause.DEPENDENCY), Cause.DEPENDENCY, True),
    ],
)
def test_who_ended_a_process_and_why(event: Failing, cause: Cause, expected: bool) -> None:
    sim = running()
    sim.supervisor.feed(sim["web"], event)
    sim.run(0.1)
    [record] = sim.exits()
    assert (record.cause, record.why, record.by, record.expected) == (cause, event.why, "initd", expected)
    assert any(f"({cause}: {event.why}" in line for line in sim.voice.lines)
    assert sim["web"].program.state is State.STARTING


def test_not_ready_in_time_is_a_probe() -> None:
    sim = Simulated(configured("web")).start()
    sim.supervisor.feed(sim["web"], NotReady("port 80 is closed"))
    sim.run(0.1)
    assert (sim.exits()[0].cause, sim["web"].program.state) == (Cause.PROBE, State.BACKOFF)


def test_an_escalated_stop_is_marked() -> None:
    sim = running(stopwaitsecs=1)
    sim.kernel.alive[sim["web"].pid or 0].delays = {signal.SIGTERM: None}
    sim.supervisor.stop(sim["web"], ME)
    sim.run(1.1)
    assert (sim.exits()[0].escalated, sim.exits()[0].cause) == (True, Cause.STOPPED)
    assert any("its stop needed SIGKILL" in line for line in sim.voice.lines)


def test_what_a_probe_says_is_bounded() -> None:
    sim = running()
    sim.supervisor.feed(sim["web"], Failing("x" * 100_000))
    sim.run(0.1)
    assert len(sim.exits()[0].why) == len(clip("y" * 9999)) == TEXT_CHARS


def test_chance_spreads_restarts() -> None:
    shape = Restarts(Backoff(10.0, jitter=1.0), None)
    sims = [running(restarts=shape, autorestart="true") for _ in range(2)]
    for sim, chance in zip(sims, (0.0, 0.75), strict=True):
        sim.supervisor.chance = lambda chance=chance: chance  # type: ignore[misc, assignment]
        end(sim, 1)
    waits = [(sim["web"].program.deadline or sim.loop.now()) - sim.loop.now() for sim in sims]
    assert (sims[0]["web"].program.state, waits) == (State.STARTING, [pytest.approx(1.0), pytest.approx(15.0)])


def test_a_oneshot_by_its_type() -> None:
    sim = end(Simulated(configured("web", jobs=Jobs("oneshot"), startsecs=0, startretries=0)).start(), 1)
    assert sim["web"].program.state is State.FATAL
