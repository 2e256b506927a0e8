"""Turns deaths, deadlines, signals and wishes into events, feeds the machines, and carries out their effects.

Theory.  Each process has a pure machine (initd.program); nothing but `_advance` changes one.  Events that arise while
one is being handled (a listener that reacts to a change) wait in a queue, so every event meets a settled machine.  The
effect Spawn is answered on the spot.  An effect that fails costs a line, never the effects after it: whatever goes
wrong, fork included, a program ends up in one of its states with its deadline armed.

Changes are published in this order: the exit record, then the states passed through, then whoever asked `on_change`.
"""

from __future__ import annotations

import errno

from initd.errors import NotSignallable, StartFailed, StillStopping
from initd.events import (
    CONT,
    KILL,
    Asked,
    Changed,
    Died,
    Due,
    Effect,
    Ended,
    Event,
    Kill,
    Restart,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
    Stop,
    Undeliverable,
)
from initd.exits import exit_of, line_of, start_failure
from initd.launch import order_for
from initd.native import deque
from initd.process import Process
from initd.program import step
from initd.shutdown import Shutdown
from initd.signals import name_of
from wire.model import Cause, Exit, FactKind, State, StateChange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from initd.config.records import Config
    from initd.facts import Journal
    from initd.kernel import Kernel
    from initd.loop import Loop
    from initd.output import Output
    from initd.reaper import Death
    from initd.say import Voice
    from initd.stdin import Inlet, Inlets


INITD = Asked("initd", "start")
"""Who asks for what the configuration asks for."""

SIGNALLABLE = (State.STARTING, State.RUNNING, State.STOPPING)
"""supervisord's set (process.py, SIGNALLABLE_STATES)."""


class Supervisor:
    """See the module's docstring.  `stdin` is a pipe that stays silent; `base` the environment programs inherit."""

    def __init__(
        self,
        loop: Loop,
        kernel: Kernel,
        journal: Journal,
        output: Output,
        voice: Voice,
        base: Mapping[str, str],
        stdin: int,
        boot: str,
        budget: float | None = None,
    ) -> None:
        self.loop = loop
        self.kernel = kernel
        self.facts = journal
        self.output = output
        self.voice = voice
        self.base = base
        self.stdin = stdin
        self.inlets: Inlets | None = None
        """The stdin of each process; None: all share the silent one."""
        self.boot = boot
        """Random name of this run of PID 1."""
        self.budget = budget
        """Seconds for a shutdown, None where neither file nor environment says."""
        self.started_at = kernel.wall()
        self.config: Config | None = None
        self.processes: dict[str, Process] = {}
        """By the name people type, in start order."""
        self.ending: Shutdown | None = None
        """The shutdown or reload under way."""
        self.orphans = 0
        """Reaped processes that were nobody's here."""
        self.reaped = 0
        self._by_pid: dict[int, Process] = {}
        self._wards: dict[int, Callable[[Death], object]] = {}
        self._killed: set[int] = set()
        """Pids that we sent SIGKILL ourselves, so the OOM killer did not."""
        self._queue: deque[tuple[Process, Event]] = deque()
        self._busy = False
        self._listeners: list[Callable[[Process], object]] = []

    @property
    def state(self) -> str:
        """`running` or `stopping`."""
        return "stopping" if self.ending is not None else "running"

    # Wishes

    def adopt(self, config: Config) -> None:
        """Take over the programs of a configuration; none is started yet."""
        self.config = config
        at = self.kernel.wall()
        self.processes = {process.name: process for process in (Process(one, at) for one in config.programs)}

    def start_all(self) -> None:
        """Start what has autostart, in the order of the configuration, without waiting for any."""
        for process in tuple(self.processes.values()):
            if process.config.autostart:
                self.feed(process, Start(INITD))

    def start(self, process: Process, asked: Asked) -> None:
        """Want it up.  Raises StillStopping during a shutdown."""
        self._refuse_while_ending()
        self.feed(process, Start(asked))

    def stop(self, process: Process, asked: Asked) -> None:
        """Want it down."""
        self.feed(process, Stop(asked))

    def restart(self, process: Process, asked: Asked) -> None:
        """Want a new process in place of the present one.  Raises StillStopping during a shutdown."""
        self._refuse_while_ending()
        self.feed(process, Restart(asked))

    def send_signal(self, process: Process, signum: int, asked: Asked) -> None:
        """Send it a signal.  Raises NotSignallable where there is no process or the kernel refuses."""
        pid = process.pid
        if pid is None or process.program.state not in SIGNALLABLE:
            raise NotSignallable(f"{process.name} is {process.program.state}: no process to signal")
        try:
            self._kill(pid, signum, group=False)
        except OSError as error:
            raise NotSignallable(f"{process.name}: {name_of(signum)}: {error.strerror}") from error
        self.note(f"{name_of(signum)} sent to {process.name} for {asked.actor}", "debug")

    def shutdown(self, asked: Asked, by_force: bool = False) -> None:
        """Stop everything and leave the loop; asked again `by_force`, without grace."""
        self._end(asked, by_force, None)

    def reload(self, asked: Asked, then: Callable[[], object]) -> None:
        """Stop every program and call `then`; ignored while a shutdown or reload is under way."""
        if self.ending is None:
            self._end(asked, False, then)

    def _end(self, asked: Asked, by_force: bool, then: Callable[[], object] | None) -> None:
        if self.ending is None or (self.ending.then is not None and then is None):
            if self.ending is not None:
                self.ending.cancel()
            self.ending = Shutdown(self, asked, then)
            self.ending.begin(self.budget)
        if by_force:
            self.ending.force()

    def _refuse_while_ending(self) -> None:
        if self.ending is not None:
            raise StillStopping("everything is being stopped: nothing is started now")

    def stdin_of(self, process: Process) -> Inlet | None:
        """Where text for it goes; None where it has no stdin of its own."""
        return self.inlets.of(process.name) if self.inlets is not None else None

    # Listening

    def on_change(self, callback: Callable[[Process], object]) -> None:
        """Have `callback(process)` called after each event that changed it, with its machine settled."""
        self._listeners.append(callback)

    def note(self, text: str, level: str = "info") -> None:
        """Say one line on initd's stderr."""
        self.voice.say(text, level)

    # Events

    def feed(self, process: Process, event: Event) -> None:
        """Present an event to a machine, now or after those that are being handled."""
        self._queue.append((process, event))
        if self._busy:
            return
        self._busy = True
        try:
            while self._queue:
                self._advance(*self._queue.popleft())
        finally:
            self._busy = False

    def _advance(self, process: Process, event: Event | None) -> None:
        before = process.program
        while event is not None:
            process.program, effects = step(process.program, event, self.loop.now())
            event = None
            for effect in effects:
                event = self._try(process, effect) or event
        self._arm(process)
        if process.program != before:
            for callback in tuple(self._listeners):
                self._tell(callback, process)

    def _tell(self, callback: Callable[[Process], object], process: Process) -> None:
        try:
            callback(process)
        except Exception as error:
            self.note(f"a listener failed at {process.name}: {type(error).__name__}: {error}", "error")

    def _arm(self, process: Process) -> None:
        if process.timer is not None:
            process.timer.cancel()
        deadline = process.program.deadline
        process.timer = None if deadline is None else self.loop.at(deadline, lambda: self.feed(process, Due()))

    # Effects

    def _try(self, process: Process, effect: Effect) -> Event | None:
        try:
            return self._carry_out(process, effect)
        except Exception as error:
            self.note(f"{process.name}: {type(effect).__name__} failed: {type(error).__name__}: {error}", "error")
            return SpawnFailed(str(error) or type(error).__name__) if isinstance(effect, Spawn) else None

    def _carry_out(self, process: Process, effect: Effect) -> Event | None:
        if isinstance(effect, Spawn):
            return self._spawn(process)
        if isinstance(effect, Kill):
            return self._deliver(process, effect)
        if isinstance(effect, Changed):
            self._publish(process, effect)
        else:
            self._record(process, effect)
        return None

    def _spawn(self, process: Process) -> Event:
        process.started_at = self.kernel.wall()
        try:
            pid = self._launch(process)
        except StartFailed as error:
            self._keep(process, start_failure(process, error, process.started_at), str(error))
            return SpawnFailed(str(error))
        self._by_pid[pid] = process
        process.start_ticks = self.kernel.start_ticks(pid)
        self.note(f"{process.name} started (pid {pid})")
        return Spawned(pid)

    def _launch(self, process: Process) -> int:
        config = process.config
        if not config.argv:
            raise StartFailed("command", None, config.argv_error or "the command is empty")
        try:
            pipes = self.output.open(config)
        except OSError as error:
            raise StartFailed("pipe", error.errno) from error
        stdin = self.stdin if self.inlets is None else self.inlets.open(process.name)
        try:
            return self.kernel.spawn(order_for(config, self.base, stdin, pipes.stdout_w, pipes.stderr_w))
        finally:
            self.output.spawned(config)
            if self.inlets is not None:
                self.inlets.spawned(process.name)

    def _deliver(self, process: Process, effect: Kill) -> Event | None:
        pid = process.pid
        if pid is None:
            return None
        try:
            self._kill(pid, effect.signum, effect.group)
            if effect.wake:
                self._kill(pid, CONT, effect.group)
        except OSError as error:
            if error.errno != errno.ESRCH:
                return Undeliverable(f"{name_of(effect.signum)}: {error.strerror}")
        if effect.signum == KILL:
            self.note(f"{process.name} (pid {pid}) did not stop in time: SIGKILL", "warn")
        return None

    def _kill(self, pid: int, signum: int, group: bool) -> None:
        self.kernel.kill(pid, signum, group)
        if signum == KILL:
            self._killed.add(pid)

    def _publish(self, process: Process, change: Changed) -> None:
        process.why, process.since = change.why, self.kernel.wall()
        config, asked = process.config, change.asked
        by = asked.actor if asked is not INITD else ""
        body = StateChange(
            config.group, config.name, change.state, change.previous, process.program.pid, change.why, by
        )
        # The machine's time, not the time of telling: between the two lies the drain of a dead program's pipe.
        self.facts.append(FactKind.STATE, body, process.since, process.program.since)
        serious = change.state in (State.FATAL, State.UNKNOWN)
        why = f": {change.why}" if change.why else ""
        self.note(f"{process.name} is {change.state}{why}", "error" if serious else "debug")

    def _record(self, process: Process, ended: Ended) -> None:
        lines: tuple[str, ...] = ()
        try:
            self.output.drain(process.name)
            lines = self.output.last_lines(process.name)
        except Exception as error:
            self.note(f"{process.name}: its last output is lost: {error}", "warn")
        self._keep(process, exit_of(process, ended, lines, self.kernel.wall(), self.loop.now()))

    def _keep(self, process: Process, record: Exit, why: str = "") -> None:
        process.last_exit = record
        self.facts.append(FactKind.EXIT, record, record.ended_at, process.program.since)
        self.note(line_of(process.name, record, why), "info" if record.expected else "warn")

    # Deaths

    def register(self, pid: int, callback: Callable[[Death], object]) -> None:
        """Have `callback(death)` called when a child of ours that is no program dies."""
        self._wards[pid] = callback

    def reap(self) -> None:
        """Collect every death there is; see initd.reaper."""
        for batch in self.kernel.collect():
            suspicion = self.kernel.judge(self._unexplained_kills(batch), self._by_pid, self.loop.now())
            for death in batch:
                try:
                    self._bury(death, suspicion)
                except Exception as error:  # one death may not cost the others
                    self.note(f"pid {death.pid}: {type(error).__name__}: {error}", "error")
        if self.ending is not None:
            self.ending.look()

    def glance(self, now: float) -> None:
        """What to look at whenever the loop is awake anyway; `now` is monotonic."""
        self.kernel.glance(self._by_pid, now)

    def _unexplained_kills(self, batch: list[Death]) -> list[int]:
        return [death.pid for death in batch if death.signal == KILL and death.pid not in self._killed]

    def _bury(self, death: Death, suspicion: Cause) -> None:
        self.reaped += 1
        process = self._by_pid.pop(death.pid, None)
        ours = death.pid in self._killed
        self._killed.discard(death.pid)
        if process is not None:
            if self.inlets is not None:
                self.inlets.close(process.name)
            process.death = death
            process.suspicion = Cause.SIGNAL if ours else suspicion
            self.feed(process, Died(death.code, death.signal))
            return
        ward = self._wards.pop(death.pid, None)
        if ward is not None:
            ward(death)
        else:
            self.orphans += 1
