"""Watches in virtual time: when a program is ready, when it is not, and what a failing one meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.probe import Probe, probe
from initd.config.topics.liveness import Liveness
from initd.config.topics.readiness import Readiness
from initd.probes.message import Message
from initd.probes.part import Probes
from initd.process import Process
from tests.sim.machine import ME, SimOutput, Simulated
from tests.support.programs import program
from wire.model import Cause, State

TCP = probe("tcp:127.0.0.1:1")
Tell = Callable[[str], object]


class Canned:
    """Looks with answers in advance: a text at once, None for silence, an exception to be raised."""

    def __init__(self, *answers: str | Exception | None, then: str | None = "") -> None:
        self.answers = list(answers)
        self.then = then
        self.asked: list[float] = []
        self.cancelled = 0
        self.gone = True
        self.now: Callable[[], float] = lambda: 0.0

    def begin(self, probe: Probe, process: Process, tell: Tell) -> Canned:
        self.asked.append(self.now() - 1000)
        answer = self.answers.pop(0) if self.answers else self.then
        if isinstance(answer, Exception):
            raise answer
        self.gone = answer is not None
        if answer is not None:
            tell(answer)
        return self

    def cancel(self) -> None:
        self.cancelled += 1
        self.gone = True


class Heard(SimOutput):
    """An output that can be followed."""

    def __init__(self) -> None:
        super().__init__()
        self.followers: dict[str, Callable[[bytes], object]] = {}

    def follow(self, name: str, stream: str, callback: Callable[[bytes], object]) -> Callable[[], None]:
        self.followers[stream] = callback
        return lambda: self.followers.pop(stream, None) and None


def readiness(what: Probe = TCP, **options: float) -> Any:
    values = {"within": 60.0, "delay": 0.0, "interval": 1.0, "timeout": 2.0, "successes": 1} | options
    return program("web", readiness=Readiness(what, **values))  # type: ignore[arg-type]


def liveness(what: Probe = TCP, action: str = "restart", **options: float) -> Any:
    values = {"delay": 0.0, "interval": 10.0, "timeout": 3.0, "failures": 3, "successes": 1} | options
    return program("web", liveness=Liveness(what, action=action, **values))  # type: ignore[arg-type]


def begin(one: Any, looks: Canned | None = None) -> tuple[Simulated, Canned, Probes]:
    sim = Simulated(one, program("other"))
    sim.output = sim.supervisor.output = Heard()  # type: ignore[assignment]
    sim.loop.watch = sim.loop.forget = lambda *_: None  # type: ignore[attr-defined]
    looks = looks or Canned()
    looks.now = sim.loop.now
    part = Probes(sim.supervisor)
    part._looks = looks  # type: ignore[assignment]
    assert sim.supervisor.config is not None
    part.adopt(sim.supervisor.config)
    return sim.start(), looks, part


def state(sim: Simulated) -> State:
    return sim["web"].program.state


# Readiness


def test_a_program_is_running_when_it_is_ready() -> None:
    sim, looks, _ = begin(readiness(), Canned("no", "no", "no"))
    assert state(sim.run(2.5)) is State.STARTING
    assert state(sim.run(1)) is State.RUNNING
    assert looks.asked == [0, 1, 2, 3]


def test_nobody_looks_any_more_when_it_is_ready() -> None:
    sim, looks, _ = begin(readiness())
    sim.run(100)
    assert len(looks.asked) == 1
    assert sim.loop.pending == 0


def test_delay_interval_and_successes() -> None:
    sim, looks, _ = begin(readiness(delay=5, interval=2, successes=3), Canned("", "no", "", "", ""))
    sim.run(60)
    assert looks.asked == [5, 7, 9, 11, 13]


def test_a_silent_look_is_given_up() -> None:
    sim, looks, _ = begin(readiness(interval=1, timeout=4), Canned(None, ""))
    assert state(sim.run(5)) is State.RUNNING
    assert looks.asked == [0, 4]
    assert looks.cancelled >= 1


def test_an_answer_that_comes_too_late_does_not_count() -> None:
    looks, late = Canned(None, None), list[Tell]()
    begin_look = looks.begin

    def keep(probe: Probe, process: Process, tell: Tell) -> Canned:
        late.append(tell)
        return begin_look(probe, process, tell)

    looks.begin = keep  # type: ignore[method-assign]
    sim, _, _ = begin(readiness(interval=1, timeout=2), looks)
    sim.run(2.5)
    late[0]("")
    assert state(sim) is State.STARTING
    late[1]("")
    assert state(sim.run(0)) is State.RUNNING


def test_who_is_not_ready_in_time_has_failed_to_start() -> None:
    sim, _, _ = begin(readiness(within=10), Canned(then="connection refused"))
    sim.run(9.9)
    assert state(sim) is State.STARTING
    sim.run(1)
    assert sim["web"].program.state is State.BACKOFF
    assert "not ready within 10 s (tcp:127.0.0.1:1): connection refused" in sim["web"].why


def test_who_is_never_ready_is_given_up() -> None:
    sim, _, _ = begin(readiness(within=5), Canned(then="no"))
    assert state(sim.run(200)) is State.FATAL
    assert sim.loop.pending == 0


def test_a_failing_probe_disturbs_no_program() -> None:
    sim, _, _ = begin(readiness(), Canned(RuntimeError("bug"), ZeroDivisionError(), ""))
    sim.run(3)
    assert sim.states() == {"web": State.RUNNING, "other": State.RUNNING}


def test_a_line_makes_it_ready() -> None:
    sim, _, _ = begin(readiness(probe("log:listening on *")))
    hear = sim.output.followers["stderr"]  # type: ignore[attr-defined]
    hear(b"starting\nlisten")
    assert state(sim.run(2)) is State.STARTING
    hear(b"ing on 80\n")
    assert state(sim.run(0)) is State.RUNNING
    assert sim.output.followers == {}  # type: ignore[attr-defined]


def test_ready_before_startsecs_are_over_waits_for_them() -> None:
    sim, _, _ = begin(readiness())
    assert state(sim.run(0.5)) is State.STARTING
    assert state(sim.run(1)) is State.RUNNING


def test_a_message_makes_it_ready() -> None:
    sim, _, part = begin(readiness(probe("sd_notify")))
    pid = sim["web"].pid or 0
    part._hear("web", Message(status="loading"), pid)
    assert sim.run(2)["web"].why == "loading"
    part._hear("web", Message(ready=True), pid)
    assert state(sim.run(0)) is State.RUNNING


def test_a_message_may_ask_for_time() -> None:
    sim, _, part = begin(readiness(probe("sd_notify"), within=10))
    part._hear("web", Message(extend=30.0), sim["web"].pid or 0)
    part._hear("web", Message(extend=1.0), sim["web"].pid or 0)
    assert state(sim.run(29)) is State.STARTING
    assert state(sim.run(1.5)) is State.BACKOFF


def test_a_stranger_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initd.probes.part.members", lambda *_: [])
    sim, _, part = begin(readiness(probe("sd_notify")))
    part._hear("web", Message(ready=True), 1)
    assert state(sim.run(5)) is State.STARTING
    assert any("none of its processes" in line for line in sim.voice.lines)


def test_each_start_is_asked_anew() -> None:
    sim, looks, _ = begin(readiness(), Canned("", then="no"))
    sim.run(2)
    sim.supervisor.restart(sim["web"], ME)
    assert state(sim.run(5)) is State.STARTING
    assert len(looks.asked) > 2


def test_a_stop_ends_the_looking() -> None:
    sim, looks, _ = begin(readiness(), Canned(None, then="no"))
    sim.run(0).supervisor.stop(sim["web"], ME)
    sim.run(100)
    assert looks.asked == [0]
    assert looks.cancelled == 1
    assert sim.loop.pending == 0


# Liveness


def test_failures_in_a_row_replace_it() -> None:
    sim, looks, _ = begin(liveness(), Canned("", "no", "no", "", "no", "no", "refused"))
    sim.run(72)
    assert sim["web"].program.spawns == 2
    [record] = sim.exits()
    assert record.cause is Cause.PROBE
    assert looks.asked[:3] == [1, 11, 21]


@pytest.mark.parametrize(
    ("action", "expected"),
    [("stop", State.STOPPED), ("ignore", State.RUNNING), ("signal:10", State.RUNNING), ("restart", State.RUNNING)],
)
def test_actions(action: str, expected: State) -> None:
    sim, _, _ = begin(liveness(action=action, failures=1), Canned("", "no"))
    sim.kernel.alive[sim["web"].pid or 0].delays = {10: None, 15: 0.0}
    assert state(sim.run(15)) is expected
    assert [signum for _, _, signum, _ in sim.kernel.sent].count(10) == (action == "signal:10")


def test_a_shutdown_leaves_with_status_one() -> None:
    sim, _, _ = begin(liveness(action="shutdown", failures=1), Canned("no"))
    assert sim.run(20).loop.code == 1


def test_it_is_ailing_until_it_is_well() -> None:
    sim, _, _ = begin(liveness(action="ignore", failures=2, successes=2), Canned("no", "no", "", "", ""))
    assert sim.run(5)["web"].ailing == ""
    assert sim.run(10)["web"].ailing == "tcp:127.0.0.1:1: no"
    assert sim.run(10)["web"].ailing
    assert sim.run(10)["web"].ailing == ""


def test_a_new_process_begins_well() -> None:
    sim, _, _ = begin(liveness(failures=1), Canned("no"))
    assert sim.run(5)["web"].ailing == ""
    assert sim["web"].program.spawns == 2


def test_a_look_that_does_not_go_away_is_a_failure() -> None:
    looks = Canned(then=None)
    looks.cancel = lambda: None  # type: ignore[method-assign]
    sim, looks, _ = begin(liveness(failures=3), looks)
    sim.run(30)
    assert looks.asked == [1, 22]
    assert sim["web"].program.spawns == 2


def test_a_watchdog() -> None:
    sim, _, part = begin(liveness(probe("watchdog"), failures=1))
    for _ in range(5):
        sim.run(9)
        part._hear("web", Message(alive=True), sim["web"].pid or 0)
    assert sim["web"].program.spawns == 1
    sim.run(21)
    assert sim["web"].program.spawns == 2


def test_a_watchdog_may_trigger_itself() -> None:
    sim, _, part = begin(liveness(probe("watchdog"), failures=1))
    sim.run(2)
    part._hear("web", Message(alive=True), sim["web"].pid or 0)
    part._hear("web", Message(stuck=True), sim["web"].pid or 0)
    sim.run(10)
    assert sim["web"].program.spawns == 2


def test_a_shutdown_ends_all_watches() -> None:
    sim, _, _ = begin(liveness(), Canned(then=None))
    sim.run(3).supervisor.shutdown(ME)
    sim.run(20)
    assert sim.loop.code == 0
    assert sim.loop.pending == 1  # the SIGCONT of those who would still be there


@given(
    st.lists(st.sampled_from(["", "no", None, RuntimeError("bug")]), max_size=30),
    st.lists(st.sampled_from(["stop", "start", "die", "restart"]), max_size=6),
)
def test_whatever_happens_one_watch_is_left_at_most(answers: list[Any], events: list[str]) -> None:
    one = readiness()._replace(liveness=liveness(interval=2, timeout=1).liveness)
    sim, _, part = begin(one, Canned(*answers, then=""))
    for event in events:
        sim.run(3.3)
        pid = sim["web"].pid
        if event == "die" and pid in sim.kernel.alive:
            sim.kernel.die(pid, 1)
        elif event != "die":
            getattr(sim.supervisor, event)(sim["web"], ME)
    sim.run(200)
    assert sim.loop.pending <= 2
    assert (sim["web"].pid is not None) is ("web" in part._runs)


class Lingering(Canned):
    """A look that takes `seconds` to go when it is cancelled."""

    def __init__(self, *answers: str | Exception | None, seconds: float, then: str | None = "") -> None:
        super().__init__(*answers, then=then)
        self.seconds = seconds
        self.gone_at = 0.0

    @property
    def gone(self) -> bool:
        return self.now() >= self.gone_at

    @gone.setter
    def gone(self, value: bool) -> None:
        self.gone_at = 0.0 if value else float("inf")

    def cancel(self) -> None:
        self.gone_at = self.now() + self.seconds


def test_a_killed_look_has_time_to_go_and_counts_once() -> None:
    sim, looks, _ = begin(liveness(interval=1, timeout=1, failures=2), Lingering(None, seconds=0.01))
    sim.run(10)
    assert looks.asked[:3] == [1, 2.5, 3.5]
    assert sim["web"].program.spawns == 1


def test_a_look_that_never_goes_counts_as_a_failure_each_time() -> None:
    sim, looks, _ = begin(liveness(interval=1, timeout=1, failures=2), Lingering(None, seconds=1000))
    sim.run(3)
    assert looks.asked == [1]
    assert sim["web"].program.spawns == 2


@pytest.mark.parametrize(
    ("action", "words"),
    [("signal:10", "sending SIGUSR1"), ("ignore", "nothing is done"), ("shutdown", "leaving with status 1")],
)
def test_the_log_says_what_is_done(action: str, words: str) -> None:
    sim, _, _ = begin(liveness(action=action, failures=1), Canned(then="refused"))
    sim.run(5)
    assert any(line.endswith(f"refused: {words}") for line in sim.voice.lines)
