"""The supervisor in virtual time: wishes, deaths, records, survival."""

from __future__ import annotations

import errno
import signal

import pytest

from initd.errors import NotSignallable, StartFailed, StillStopping
from initd.events import Asked
from initd.process import Process
from initd.reaper import Death
from tests.sim.machine import ME, Simulated
from tests.support.programs import program as configured
from wire.model import Cause, State, Want


def running(name: str = "web", **options: object) -> Simulated:
    return Simulated(configured(name, **options)).start().run(1.1)


def pid_of(sim: Simulated, name: str = "web") -> int:
    pid = sim[name].pid
    assert pid is not None
    return pid


def test_autostart_only() -> None:
    sim = Simulated(configured("a"), configured("b", autostart=False)).start()
    assert sim.states() == {"a": State.STARTING, "b": State.STOPPED}


def test_a_program_that_lives_past_startsecs_is_running() -> None:
    sim = Simulated(configured("web", startsecs=5)).start().run(4.9)
    assert sim["web"].program.state is State.STARTING
    assert sim.run(0.2)["web"].program.state is State.RUNNING


def test_a_restart_after_a_crash_takes_no_time() -> None:
    sim = running()
    before = sim.loop.now()
    sim.kernel.die(pid_of(sim), signal=signal.SIGSEGV, core=True)
    assert len(sim.kernel.spawned) == 2
    assert sim.loop.now() == before
    assert sim.changes()[-2:] == [State.EXITED, State.STARTING]


def test_an_expected_exit_is_not_restarted() -> None:
    sim = running(exitcodes=(0, 2))
    sim.kernel.die(pid_of(sim), code=2)
    assert sim["web"].program.state is State.EXITED
    assert sim.exits()[-1].expected


def test_the_exit_record_says_everything() -> None:
    sim = running(autorestart="false")
    pid = pid_of(sim)
    sim.run(8.9).kernel.die(pid, signal=signal.SIGSEGV, core=True)
    record = sim.exits()[-1]
    assert (record.pid, record.start_ticks, record.code, record.signal, record.core) == (pid, pid * 10, None, 11, True)
    assert (record.cause, record.expected, record.last_lines) == (Cause.SIGNAL, False, ("last words",))
    assert record.run_time == pytest.approx(10.0)
    assert record.rusage is not None
    assert sim["web"].last_exit is record


def test_the_exit_line_on_stderr_says_it_too() -> None:
    sim = running(autorestart="false")
    sim.kernel.die(pid_of(sim), code=3)
    line = next(line for line in sim.voice.lines if "exited" in line)
    assert "web (pid 101) exited with status 3 after 1.1 s (not expected" in line
    assert line.endswith("last line: last words")


def test_the_record_comes_before_the_state() -> None:
    sim = running(autorestart="false")
    sim.kernel.die(pid_of(sim), code=1)
    assert [fact.kind for fact in sim.journal.since(0, 100)][-2:] == ["exit", "state"]


def test_the_next_run_is_started_first_and_read_after_the_last_output_was_drained() -> None:
    sim = running()
    sim.kernel.die(pid_of(sim), code=1)
    assert sim.output.calls[-3:] == [("spawned", "web"), ("drain", "web"), ("attach", "web")]


def test_a_stop_names_who_asked_and_how() -> None:
    sim = running()
    sim.supervisor.stop(sim["web"], Asked("hub:alice", "stop", "6f1c"))
    sim.run(0)
    record = sim.exits()[-1]
    assert (record.cause, record.by, record.command, record.expected) == (Cause.STOPPED, "hub:alice", "stop 6f1c", True)
    assert sim["web"].status(sim.loop.now()).want is Want.DOWN


def test_cont_follows_the_stop_signal() -> None:
    sim = running(stopsignal=int(signal.SIGQUIT), stopasgroup=True)
    sim.supervisor.stop(sim["web"], ME)
    assert [(signum, group) for _, _, signum, group in sim.kernel.sent] == [
        (signal.SIGQUIT, True), (signal.SIGCONT, True),
    ]  # fmt: skip


def test_kill_comes_at_stopwaitsecs_and_is_repeated() -> None:
    sim = Simulated(configured("web", stopwaitsecs=4, killasgroup=True))
    sim.kernel.delays = {signal.SIGTERM: None, signal.SIGKILL: None}
    sim.start().run(2)
    sim.supervisor.stop(sim["web"], ME)
    asked = sim.loop.now()
    sim.run(9)
    kills = [(at - asked, group) for at, _, signum, group in sim.kernel.sent if signum == signal.SIGKILL]
    assert kills == [(4.0, True), (8.0, True)]


def test_a_restart_stops_and_starts() -> None:
    sim = running()
    first = pid_of(sim)
    sim.supervisor.restart(sim["web"], ME)
    sim.run(1.1)
    assert pid_of(sim) != first
    assert sim["web"].program.state is State.RUNNING
    assert sim["web"].status(sim.loop.now()).restarts == 1


def test_a_failed_exec_is_a_record_with_errno_and_step() -> None:
    sim = Simulated(configured("web", startretries=0))
    sim.kernel.failures = [StartFailed("chdir", errno.ENOENT, "/nowhere")]
    sim.start()
    record = sim.exits()[-1]
    assert (record.cause, record.errno, record.step, record.pid) == (Cause.START_FAILURE, errno.ENOENT, "chdir", None)
    assert sim.states() == {"web": State.FATAL}
    assert "web did not start: chdir: /nowhere: No such file or directory" in sim.voice.lines


def test_fork_shortage_backs_off_and_recovers() -> None:
    sim = Simulated(configured("web"))
    sim.kernel.failures = [StartFailed("fork", errno.EAGAIN), StartFailed("fork", errno.EAGAIN), None]
    sim.start()
    assert sim.changes() == [State.STARTING, State.BACKOFF]
    sim.run(1.0).run(2.0)
    assert sim["web"].program.state is State.STARTING


@pytest.mark.parametrize("shortage", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_no_pipe_is_a_failed_start(shortage: int) -> None:
    sim = Simulated(configured("web"))
    sim.output.failures = [OSError(shortage, "short")]
    sim.start()
    assert (sim.exits()[-1].step, sim.exits()[-1].errno) == ("pipe", shortage)
    assert sim.run(1.0)["web"].program.state is State.STARTING


def test_out_of_memory_in_the_middle_of_a_start_is_a_failed_start() -> None:
    sim = Simulated(configured("web"))
    sim.output.failures = [MemoryError()]  # type: ignore[list-item]
    sim.start()
    assert sim["web"].program.state is State.BACKOFF
    assert sim.run(1.0)["web"].program.state is State.STARTING


def test_an_unreadable_command_says_why() -> None:
    sim = Simulated(configured("web", argv=(), argv_error="No closing quotation", startretries=0)).start()
    assert sim["web"].status(sim.loop.now()).why == "command: No closing quotation"


def test_orphans_are_counted_not_logged() -> None:
    sim = running()
    said = len(sim.voice.lines)
    sim.kernel.die_together([Death(pid, 0, None, False, None) for pid in range(5000, 10000)])
    assert sim.supervisor.orphans == 5000
    assert len(sim.voice.lines) == said


def test_wards_hear_of_their_child() -> None:
    sim = running()
    heard: list[Death] = []
    sim.supervisor.register(777, heard.append)
    sim.kernel.die_together([Death(777, 1, None, False, None)])
    assert [death.pid for death in heard] == [777]
    assert sim.supervisor.orphans == 0


def test_a_broken_ward_costs_no_other_death() -> None:
    sim = running()
    sim.supervisor.register(777, lambda death: [][1])  # noqa: PLE0643
    sim.kernel.die_together([Death(777, 1, None, False, None), Death(pid_of(sim), 1, None, False, None)])
    assert sim["web"].program.state is State.STARTING


def test_sigkill_from_outside_asks_the_oom_counter() -> None:
    sim = running(autorestart="false")
    sim.kernel.suspicion = Cause.OOM
    sim.kernel.die(pid_of(sim), signal=signal.SIGKILL)
    assert sim.kernel.judged == [1]
    assert sim.exits()[-1].cause is Cause.OOM


def test_our_own_sigkill_is_never_oom() -> None:
    sim = running(autorestart="false")
    sim.kernel.suspicion = Cause.OOM
    sim.supervisor.send_signal(sim["web"], signal.SIGKILL, ME)
    sim.run(0)
    assert sim.kernel.judged == [0]
    assert sim.exits()[-1].cause is Cause.SIGNAL


def test_orphans_killed_in_the_batch_count_for_the_judgement() -> None:
    sim = running()
    sim.kernel.die_together([Death(pid, None, 9, False, None) for pid in (4000, 4001, pid_of(sim))])
    assert sim.kernel.judged == [3]


def test_signalling_what_is_not_there_is_refused() -> None:
    sim = Simulated(configured("web", autostart=False)).start()
    with pytest.raises(NotSignallable, match="web is STOPPED"):
        sim.supervisor.send_signal(sim["web"], signal.SIGHUP, ME)


def test_a_refused_stop_signal_leads_to_unknown_and_back() -> None:
    sim = running()
    pid = pid_of(sim)
    sim.kernel.refuse[pid] = errno.EPERM
    sim.supervisor.stop(sim["web"], ME)
    assert sim["web"].program.state is State.UNKNOWN
    sim.kernel.die(pid, code=0)
    assert sim["web"].program.state is State.STOPPED


def test_a_process_that_is_gone_already_is_waited_for() -> None:
    sim = running()
    sim.kernel.refuse[pid_of(sim)] = errno.ESRCH
    sim.supervisor.stop(sim["web"], ME)
    assert sim["web"].program.state is State.STOPPING


def test_listeners_may_act_on_what_they_hear() -> None:
    sim = Simulated(configured("web", autorestart="false"))

    def start_again(process: Process) -> None:
        if process.program.state is State.EXITED:
            sim.supervisor.start(process, ME)

    sim.supervisor.on_change(start_again)
    sim.start().run(2).kernel.die(pid_of(sim), code=0)
    assert sim["web"].program.state is State.STARTING


def test_a_broken_listener_costs_a_line() -> None:
    sim = Simulated(configured("web"))
    sim.supervisor.on_change(lambda process: [][1])  # noqa: PLE0643
    sim.start()
    assert sim["web"].program.state is State.STARTING
    assert any("a listener failed" in line for line in sim.voice.lines)


def test_who_listens_no_more_is_not_called() -> None:
    sim, heard = Simulated(configured("web")), list[str]()
    listener = lambda process: heard.append(process.name)  # noqa: E731
    for _ in range(2):
        sim.supervisor.on_change(listener)
    sim.start().run(2)
    assert heard == ["web", "web"]
    sim.supervisor.off_change(listener)
    sim.supervisor.stop(sim["web"], ME)
    sim.run(1)
    assert len(heard) == 2


def test_nothing_is_started_while_everything_stops() -> None:
    sim = running()
    sim.kernel.alive[pid_of(sim)].delays = {signal.SIGTERM: None}
    sim.supervisor.shutdown(ME)
    for wish in (sim.supervisor.start, sim.supervisor.restart):
        with pytest.raises(StillStopping):
            wish(sim["web"], ME)


def test_programs_see_supervisords_variables_and_no_secret() -> None:
    sim = Simulated(configured("web", group="g", environment=(("A", "1"),), serverurl="unix:///s")).start()
    order = sim.kernel.spawned[0].order
    assert order is not None
    assert order.environ == {
        "PATH": "/bin",
        "HOME": "/root",
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": "web",
        "SUPERVISOR_GROUP_NAME": "g",
        "SUPERVISOR_SERVER_URL": "unix:///s",
        "A": "1",
    }
