"""Turns deaths, deadlines, signals and wishes into events, feeds the machines, and carries out their effects.

Theory.  Each process has a pure machine (initd.program); nothing but `_advance` changes one.  Every event meets a
settled machine, and deeds come before news (initd.agenda).  The effect Spawn is answered on the spot.  An effect that
fails costs a line, never the effects after it: whatever goes wrong, fork included, a program ends up in one of its
states with its deadline armed.

News are published in this order: the exit record, then the states passed through, then whoever asked `on_change`.  The
machine of which they tell may have gone on by then.
"""

from __future__ import annotations

import os

from initd.agenda import Agenda
from initd.deaths import HOOKS, Deaths
from initd.effects import INITD, Effects
from initd.errors import NotSignallable, StillStopping
from initd.events import KILL, Asked, Await, Due, Emptied, Event, Hold, Restart, Start, Stop
from initd.news import News
from initd.process import Process
from initd.program import Phase, is_alive, step
from initd.signals import name_of
from wire.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from initd.companion import Companion
    from initd.config.records import Config
    from initd.events import Changed
    from initd.facts import Journal
    from initd.kernel import Kernel
    from initd.loop import Loop
    from initd.output import Output
    from initd.process import Run
    from initd.reaper import Death
    from initd.say import Voice
    from initd.shutdown import Shutdown
    from initd.spawn import Order
    from initd.stdin import Inlet, Inlets
    from wire.model import Exit


LOOK_SECONDS = 0.1
"""Between two looks at what is left of a stopped program's scope; its members need not be children of ours."""

STUMBLE_SECONDS = 1.0
"""How long a program rests whose machine failed: a bug of ours, which shall not make PID 1 spin."""

ENDING = (State.STOPPING, State.UNKNOWN)
NEVER = float("inf")

SIGNALLABLE = (State.STARTING, State.RUNNING, State.STOPPING)
"""supervisord's set (process.py, SIGNALLABLE_STATES)."""


_chances: list[int] = []


def chance() -> float:
    """A random number in [0, 1); the kernel is asked for a hundred at a time."""
    if not _chances:
        _chances[:] = os.urandom(100)
    return _chances.pop() / 256


class Supervisor:
    """See the module's docstring.  `stdin` is a pipe that stays silent; `base` the environment programs inherit."""

    exit_status = 0
    """What PID 1 exits with when it was stopped in order."""
    announce: Callable[[str, str], object] | None = None
    """Tells the event listeners something of a type; None where there are none."""
    chance: Callable[[], float] = staticmethod(chance)

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
        self.unheard: Callable[[], bool] | None = None
        """Whether event listeners that are up have still something to hear."""
        self.gates: list[Callable[[Process], str]] = []
        """Asked before each start that a wish or autostart wants: a text says what has to come first, "" nothing."""
        self.brakes: list[Callable[[Process], bool]] = []
        self.fittings: list[Callable[[Process, Order], Order]] = []
        """Each may change what a process is started with; see initd.effects."""
        self.news = News(self.note, self.loop.shake)
        self.deaths = Deaths(self)
        self.by_pid, self.wards = self.deaths.by_pid, self.deaths.wards
        self.companions: list[Companion] = []
        """PID 1's own children, which have something to write down at the end of everything."""
        self._emptying: dict[Process, set[int]] = {}
        """Those whose stop waits for the rest of its scope, or killed some of it, with the pids of those."""
        self._effects = Effects(self)
        self.agenda = Agenda(self._handle, self._effects.tell)
        self.feed = self.agenda.feed
        """Presents an event to the machine of a process, now or after those that are being handled."""

    @property
    def state(self) -> str:
        """`running` or `stopping`."""
        return "stopping" if self.ending is not None else "running"

    @property
    def is_leaving(self) -> bool:
        """Whether nothing is started any more: what only a next run would need may stay undone."""
        return self.ending is not None and self.ending.then is None

    @property
    def reaped(self) -> int:
        """Processes that were reaped."""
        return self.deaths.reaped

    @property
    def orphans(self) -> int:
        """Those of them that were nobody's here."""
        return self.deaths.orphans

    # Wishes

    def adopt(self, config: Config) -> None:
        """Take over the programs of a configuration; none is started yet."""
        self.config = config
        at = self.kernel.wall()
        self.processes = {process.name: process for process in (Process(one, at) for one in config.programs)}

    def start_all(self) -> None:
        """Start what has autostart, in the order of the configuration, without waiting for any."""
        self.agenda.together(self._start_all)

    def _start_all(self) -> None:
        for process in tuple(self.processes.values()):
            if process.config.autostart:
                self.feed(process, self.admit(process, Start(INITD)))

    def start(self, process: Process, asked: Asked) -> None:
        """Want it up, at once or as soon as no gate objects.  Raises StillStopping during a shutdown."""
        self._refuse_while_ending()
        self.feed(process, self.admit(process, Start(asked)))

    def release(self, process: Process) -> None:
        """A gate's owner says that something has come: ask the gates again for a process that waits."""
        program = process.program
        if program.phase is not Phase.WAITING or self.ending is not None:
            return
        event = self.admit(process, Start(program.wisher))
        if not isinstance(event, Await) or event.why != program.why:
            self.feed(process, event)

    def admit(self, process: Process, event: Start | Restart) -> Start | Restart | Await:
        """The event, or Await where a gate objects to a start.  A gate that fails does not object."""
        for gate in self.gates:
            try:
                why = gate(process)
            except Exception as error:
                self.note(f"{process.name}: a gate failed: {type(error).__name__}: {error}", "error")
                continue
            if why:
                return Await(event.asked, why)
        return event

    def stop(self, process: Process, asked: Asked) -> None:
        """Want it down, at once or when no brake objects: those whom others depend on wait for them to be down."""
        held = is_alive(process.program) and any(brake(process) for brake in self.brakes)
        self.feed(process, Hold(asked) if held else Stop(asked))

    def stop_all(self, processes: Sequence[Process], asked: Asked) -> None:
        """Want all of them down; where there are brakes, each knows first who else is to go."""
        for process in processes if self.brakes else ():
            if process.program.state in (State.STARTING, State.RUNNING):
                self.feed(process, Hold(asked))
        for process in processes:
            self.stop(process, asked)

    def restart(self, process: Process, asked: Asked) -> None:
        """Want a new process in place of the present one.  Raises StillStopping during a shutdown."""
        self._refuse_while_ending()
        restart = Restart(asked)
        self.feed(process, restart if is_alive(process.program) else self.admit(process, restart))

    def send_signal(self, process: Process, signum: int, asked: Asked) -> None:
        """Send it a signal.  Raises NotSignallable where there is no process or the kernel refuses."""
        pid = process.pid
        if pid is None or process.program.state not in SIGNALLABLE or process.program.phase in HOOKS:
            raise NotSignallable(f"{process.name} is {process.program.state}: no process to signal")
        try:
            self.kill(pid, signum, group=False)
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

    def leave(self, status: int, asked: Asked) -> None:
        """Stop everything and exit with that status; the first reason to leave counts, whatever comes later."""
        if self.ending is None or self.ending.then is not None:
            self.exit_status = status
            self.shutdown(asked)

    def _end(self, asked: Asked, by_force: bool, then: Callable[[], object] | None) -> None:
        if self.ending is None or (self.ending.then is not None and then is None):
            if self.ending is not None:
                self.ending.cancel()
            from initd.shutdown import Shutdown  # of stage 2 (initd.serve)

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
        if callback not in self.news.settled:
            self.news.settled.append(callback)

    def off_change(self, callback: Callable[[Process], object]) -> None:
        """It need not be called for now: who listens seldom costs each change nothing."""
        if callback in self.news.settled:
            self.news.settled.remove(callback)

    def changes(self, callback: Callable[[Process, Changed, Run], object]) -> None:
        """Have `callback(process, changed, run)` called at each passage from state to state, before on_change.

        In order; `run` is the life that it is about, which need not be the present one.
        """
        self.news.passages.append(callback)

    def exits(self, callback: Callable[[Process, Exit], object]) -> None:
        """Have `callback(process, record)` called with every exit record, those of failed starts too."""
        self.news.exits.append(callback)

    def note(self, text: str, level: str = "info") -> None:
        """Say one line on initd's stderr."""
        self.voice.say(text, level)

    # Events

    def _handle(self, process: Process, event: Event) -> None:
        try:
            self._advance(process, event)
        except Exception as error:  # PID 1 lives, and the other programs do not notice
            self._stumble(process, event, error)

    def _advance(self, process: Process, event: Event | None) -> None:
        before = process.program
        while event is not None:
            process.program, effects = step(process.program, event, self.loop.now())
            event = None
            for effect in effects:
                event = self._effects.carry_out(process, effect) or event
        self.arm(process)
        if self.news.settled and process.program != before:
            self.agenda.later(Effects.settled, process)

    def _stumble(self, process: Process, event: Event, error: Exception) -> None:
        self.loop.shake()
        text = f"{process.name}: {type(event).__name__} failed: {type(error).__name__}: {error}"
        self.note(text, "error")
        if process.program.deadline is not None:
            self._set_timer(process, self.loop.now() + STUMBLE_SECONDS)

    def arm(self, process: Process) -> None:
        """Set the timer of its deadline."""
        program, deadline = process.program, process.program.deadline
        if program.phase is Phase.EMPTYING:
            self._emptying.setdefault(process, set())
            deadline = min(deadline or NEVER, self.loop.now() + LOOK_SECONDS)
        elif process in self._emptying and program.phase is not Phase.ABANDONING and program.state not in ENDING:
            self.deaths.forget(self._emptying.pop(process))
        self._set_timer(process, deadline)

    def _set_timer(self, process: Process, deadline: float | None) -> None:
        timer = process.timer
        if timer is not None:
            if timer.deadline == deadline and timer.callback is not None:
                return
            timer.cancel()
        process.timer = None if deadline is None else self.loop.at(deadline, lambda: self._due(process))

    def _due(self, process: Process) -> None:
        if process.program.phase is Phase.EMPTYING:
            if self._look(process):
                return
            if self.loop.now() < (process.program.deadline or NEVER):
                self.arm(process)
                return
        self.feed(process, Due())

    def _look(self, process: Process) -> bool:
        """Whether the stop is over, because nothing of its scope is left."""
        if self._effects.is_left(process):
            return False
        self.feed(process, Emptied())
        return True

    # Signals and deaths

    def kill(self, pid: int, signum: int, group: bool) -> None:
        """Send a signal to a child that was not reaped yet, or its group.  Raises OSError."""
        self.kernel.kill(pid, signum, group)
        if signum == KILL:
            self.deaths.killed((pid,))

    def killed_of(self, process: Process, found: list[tuple[int, int]]) -> None:
        """Remember that these were killed by us, until the stop is over."""
        pids = {pid for pid, _ in found}
        self._emptying.setdefault(process, set()).update(pids)
        self.deaths.killed(pids)

    def register(self, pid: int, callback: Callable[[Death], object]) -> None:
        """Have `callback(death)` called when a child of ours that is no program dies."""
        self.wards[pid] = callback

    def reap(self) -> None:
        """Collect every death there is, and see what is over by that."""
        self.agenda.together(self.deaths.reap)
        for process in tuple(self._emptying):
            if process.program.phase is Phase.EMPTYING:
                self._look(process)
        if self.ending is not None:
            self.ending.look()

    def glance(self, now: float) -> None:
        """What to look at whenever the loop is awake anyway; `now` is monotonic."""
        self.kernel.glance(self.by_pid, now)
