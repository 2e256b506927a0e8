"""Carries out what a program's machine asks for: processes, signals, records, news.

Theory.  The machine (initd.program) says what is to be done, in order; here is how.  An effect may have an answer, the
event that the machine meets next: Spawn always has one, Ask too, Look and Reach where nothing is left to be signalled.
Whatever is raised here costs a line and never the effects behind it; of a Spawn it is a failed start.

Deeds come before news.  Starting and signalling happen at once; what is to be written down and told of it (records,
facts, lines, listeners, the reading of a new process's pipes) is put on the supervisor's list of news and done, in
order, when the deeds are done: of two hundred programs the last would else wait for two hundred lines, and a restart
for the obituary.  So news carry what they are about (a Run, a pid, a time), since its successor may be there already.

A process is started by an Order.  `supervisor.fittings` may change each before it is carried out, that of a hook too:
`process.program.phase` tells which it is (PREPARING: pre_start; TIDYING or TURNING: post_stop; MAIN: the program).
"""

from __future__ import annotations

import errno

from initd.errors import StartFailed
from initd.events import (
    CONT,
    GROUP,
    KILL,
    POST_STOP,
    TREE,
    Ask,
    Asked,
    Changed,
    Effect,
    Emptied,
    Ended,
    Event,
    Kill,
    Leave,
    Look,
    Reach,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
    Tell,
    Undeliverable,
)
from initd.exits import exit_environment, exit_of, line_of, start_failure
from initd.launch import order_for
from initd.machine.life import Phase
from initd.process import Run
from initd.signals import name_of
from wire.limits import TEXT_CHARS
from wire.model import Exit, FactKind, State, StateChange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.logs.desk import Pipes
    from initd.process import Process
    from initd.spawn import Order
    from initd.supervisor import Supervisor

INITD = Asked("initd", "start")
"""Who asks for what the configuration asks for."""

HOOKS = {
    Phase.CANCELLING: ": pre_start",
    Phase.TIDYING: ": post_stop",
    Phase.TURNING: ": post_stop",
}
"""What runs in a program's place, behind its name, where it has to be killed."""

ATTACH_SECONDS = 0.5
"""Until a new process's pipes are looked at again for which there was no memory."""

WAKE_SECONDS = 0.01
"""From a stop signal to the SIGCONT by which a stopped process can obey it."""

MARK = "PIDONE_FAMILY"
"""The variable by which a program's orphans are known; see initd.family."""


class Effects:
    """See the module's docstring."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._dozing: list[tuple[Process, int]] = []
        """Who gets SIGCONT after its stop signal, unless it has died of that."""

    def carry_out(self, process: Process, effect: Effect) -> Event | None:
        """Do it; never raises.  The result is the machine's next event, None where it needs none."""
        try:
            return HOW[type(effect)](self, process, effect)
        except Exception as error:
            self._sup.loop.shake()
            text = f"{type(error).__name__}: {error}"
            self._sup.note(f"{process.name}: {type(effect).__name__} failed: {text}", "error")
            if isinstance(effect, Spawn):
                return SpawnFailed(text, self._sup.chance())
            return Start(effect.asked) if isinstance(effect, Ask) else None

    def tell(self, what: Callable[..., object], process: Process, *about: object) -> None:
        """Do what is left of an effect when the deeds are done; never raises."""
        try:
            what(self, process, *about)
        except Exception as error:
            self._sup.loop.shake()
            self._sup.note(f"{process.name}: {what.__name__.strip('_')}: {type(error).__name__}: {error}", "error")

    # Starts

    def _spawn(self, process: Process, effect: Spawn) -> Event:
        sup, hook = self._sup, effect.hook
        if hook == POST_STOP:
            sup.agenda.tell_news()  # its environment tells how the process ended
        else:
            process.run = Run(sup.kernel.wall())
        try:
            pipes, pid = self._launch(process, hook)
        except StartFailed as error:
            return self._spawn_failed(process, error, hook)
        sup.by_pid[pid] = process
        run = process.run
        run.pid = pid
        if not hook:
            process.spawnerr = process.left = ""
        sup.agenda.later(Effects._started, process, run, pid, hook, pipes)
        return Spawned(pid)

    def _started(self, process: Process, run: Run, pid: int, hook: str, pipes: Pipes) -> None:
        run.start_ticks = self._sup.kernel.start_ticks(pid)
        self._sup.note(f"{process.name}{hook and ': '}{hook} started (pid {pid})", "debug" if hook else "info")
        self._attach(process, pipes)

    def _attach(self, process: Process, pipes: Pipes) -> None:
        try:
            self._sup.output.attach(process.config, pipes)
        except MemoryError:  # it would wait for ever to be read
            self._sup.loop.at(self._sup.loop.now() + ATTACH_SECONDS, lambda: self._attach(process, pipes))

    def _spawn_failed(self, process: Process, error: StartFailed, hook: str) -> Event:
        why = f"{hook}: {error}" if hook else str(error)
        if hook == POST_STOP:
            self._sup.note(f"{process.name}: {why}", "warn")
        else:
            process.spawnerr = why
            record = start_failure(process, error, why, process.run.started_at)
            self._sup.agenda.later(Effects._keep, process, record, process.program.since)
        return SpawnFailed(why, self._sup.chance())

    def _launch(self, process: Process, hook: str) -> tuple[Pipes, int]:
        sup, config = self._sup, process.config
        if not config.argv and not hook:
            raise StartFailed("command", None, config.argv_error or "the command is empty")
        try:
            pipes = sup.output.open(config)
        except OSError as error:
            raise StartFailed("pipe", error.errno) from error
        stdin = sup.stdin if hook or sup.inlets is None else sup.inlets.open(process.name)
        try:
            pid = sup.kernel.spawn(self._order(process, hook, stdin, pipes.stdout_w, pipes.stderr_w))
            pipes.spawned()
            return pipes, pid
        except BaseException:
            pipes.abandon()
            raise
        finally:
            if not hook and sup.inlets is not None:
                sup.inlets.spawned(process.name)

    def _order(self, process: Process, hook: str, stdin: int, stdout: int, stderr: int) -> Order:
        order = order_for(process.config, self._sup.base, stdin, stdout, stderr)
        if process.program.rules.stop_scope == TREE:
            order = order._replace(environ={**order.environ, MARK: self._sup.kernel.mark(process)})
        for fit in self._sup.fittings:
            order = fit(process, order)
        if not hook:
            return order
        last = exit_environment(process.last_exit) if hook == POST_STOP else {}
        return order._replace(argv=getattr(process.config.hooks, hook), environ={**order.environ, **last})

    def _ask(self, process: Process, effect: Ask) -> Event:
        return self._sup.admit(process, Start(effect.asked))

    # Signals

    def _kill(self, process: Process, effect: Kill) -> Event | None:
        pid, late = process.pid, process.program.kills > 0
        if pid is None:
            return None
        refused = self._signal(pid, effect.signum, effect.group, effect.wake and effect.group)
        if effect.wake and not effect.group:
            self._wake_soon(process, pid)
        if refused is None and effect.signum == KILL and late:
            hook = HOOKS.get(process.program.phase, "")
            self._sup.note(f"{process.name}{hook} (pid {pid}) did not stop in time: SIGKILL", "warn")
        return refused

    def _signal(self, pid: int, signum: int, group: bool, wake: bool) -> Event | None:
        try:
            self._sup.kill(pid, signum, group)
            if wake:
                self._sup.kill(pid, CONT, group)
        except OSError as error:
            if error.errno != errno.ESRCH:
                return Undeliverable(f"{name_of(signum)}: {error.strerror}")
        return None

    def _wake_soon(self, process: Process, pid: int) -> None:
        """Hardly any is stopped (SIGSTOP), and most are gone by then: why tell each of two hundred programs twice."""
        if not self._dozing:
            self._sup.loop.at(self._sup.loop.now() + WAKE_SECONDS, self._wake)
        self._dozing.append((process, pid))

    def _wake(self) -> None:
        dozing, self._dozing = self._dozing, []
        for process, pid in dozing:
            if process.pid == pid:
                self._signal(pid, CONT, False, False)

    def _reach(self, process: Process, effect: Reach) -> Event | None:
        """The leader is ours to reap, so its pid and group are its own; all others are reached by pidfd."""
        sup, pid, scope = self._sup, process.pid, process.program.rules.stop_scope
        refused = self._signal(pid, effect.signum, scope == GROUP, False) if pid is not None else None
        found = sup.kernel.reach(process, scope, effect.signum) if pid is None or scope == TREE else []
        if effect.wake and refused is None:
            if pid is not None:
                self._signal(pid, CONT, scope == GROUP, False)
            if found:
                sup.kernel.reach(process, scope, CONT)
        if effect.signum == KILL:
            sup.note(f"{process.name}: its {scope} did not stop in time: SIGKILL", "warn")
            sup.killed_of(process, found)
        return Emptied() if pid is None and not found else refused

    def _look(self, process: Process, effect: Look) -> Event | None:
        return None if self.is_left(process) else Emptied()

    def is_left(self, process: Process) -> bool:
        """Whether anybody is left of the scope of a stop."""
        try:
            return bool(self._sup.kernel.members(process, process.program.rules.stop_scope))
        except OSError:
            return False

    def _leave(self, process: Process, effect: Leave) -> None:
        """Say what outlived the stop: members that KILL did not end, and orphans that may have been its own."""
        sup, scope = self._sup, process.program.rules.stop_scope
        left = [f"pid {pid}" for pid, _ in sup.kernel.members(process, scope)]
        if scope == TREE:
            known = {*sup.by_pid, *sup.wards}
            orphans = sup.kernel.survivors(process, known)
            left += [f"{one.command} (pid {one.pid}, an orphan without a mark)" for one in orphans]
        if not left:
            return
        more = f" and {len(left) - SURVIVORS} more" if len(left) > SURVIVORS else ""
        process.left = clip(f"survived its stop: {', '.join(left[:SURVIVORS])}{more}")
        sup.note(f"{process.name}: {process.left}", "warn")
        body: dict[str, object] = {"note": "survivors", "name": process.name, "survivors": process.left}
        sup.facts.append(FactKind.NOTE, body, sup.kernel.wall(), sup.loop.now())

    # News

    def _say(self, process: Process, effect: Tell) -> None:
        self._sup.agenda.later(Effects._explain, process, effect.why)

    def _explain(self, process: Process, why: str) -> None:
        process.why = clip(why)

    def _change(self, process: Process, change: Changed) -> None:
        program = process.program
        self._sup.agenda.later(Effects._changed, process, change, program.pid, program.since, process.left, process.run)

    def _changed(self, process: Process, change: Changed, pid: int | None, since: float, left: str, run: Run) -> None:
        sup, config, asked = self._sup, process.config, change.asked
        why = clip(f"{change.why}; {left}" if left and change.state is State.STOPPED else change.why)
        process.why, process.since = why, sup.kernel.wall()
        by = asked.actor if asked is not INITD else ""
        body = StateChange(config.group, config.name, change.state, change.previous, pid, why, by)
        # The machine's time, not the time of telling: between the two lies the drain of a dead program's pipe.
        sup.facts.append(FactKind.STATE, body, process.since, since)
        serious = change.state in (State.FATAL, State.UNKNOWN)
        level = "error" if serious else "debug"
        if sup.voice.wants(level):
            sup.note(f"{process.name} is {change.state}{why and ': '}{why}", level)
        sup.news.tell(sup.news.passages, process, change, run)

    def settled(self, process: Process) -> None:
        """Its machine has changed, and waits for what comes next."""
        self._sup.news.tell(self._sup.news.settled, process)

    def _end(self, process: Process, ended: Ended) -> None:
        program, sup = process.program, self._sup
        seconds = sup.loop.now() - program.spawned_at
        sup.agenda.later(Effects._ended, process, ended, process.run, program.since, seconds)

    def _ended(self, process: Process, ended: Ended, run: Run, since: float, seconds: float) -> None:
        sup = self._sup
        lines: tuple[str, ...] = ()
        try:
            sup.output.drain(process.name)
            lines = sup.output.last_lines(process.name)
        except Exception as error:
            sup.note(f"{process.name}: its last output is lost: {error}", "warn")
        if ended.hook:
            process.spawnerr = clip(ended.why)
        if len(ended.why) > TEXT_CHARS:
            ended = ended._replace(why=clip(ended.why))
        self._keep(process, exit_of(process, run, ended, lines, sup.kernel.wall(), seconds), since)

    def _keep(self, process: Process, record: Exit, since: float) -> None:
        sup = self._sup
        process.last_exit = record
        sup.facts.append(FactKind.EXIT, record, record.ended_at, since)
        sup.note(line_of(process.name, record), "info" if record.expected else "warn")
        sup.news.tell(sup.news.exits, process, record)


SURVIVORS = 8
"""Named one by one; more are counted."""


def clip(text: str) -> str:
    """At most what a message may hold: it may have come from a program or a probe."""
    return text if len(text) <= TEXT_CHARS else text[: TEXT_CHARS - 3] + "..."


HOW: dict[type, Callable[..., Event | None]] = {
    Spawn: Effects._spawn,
    Ask: Effects._ask,
    Kill: Effects._kill,
    Reach: Effects._reach,
    Look: Effects._look,
    Leave: Effects._leave,
    Tell: Effects._say,
    Changed: Effects._change,
    Ended: Effects._end,
}
"""What carries out which effect."""
