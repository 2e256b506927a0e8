"""Readiness and liveness of programs: the part that starts and ends watches, and turns verdicts into events.

Theory.  A run of a program is known by the number of its spawns.  From its start on a *Run* holds what belongs to it:
the pipe it says newlines to, listeners to its output, the deadline by which it has to be ready, a watch.  When it is
ready (event Ready) the same Run goes on with its liveness watch as soon as the program is RUNNING; when the program
leaves these states, the Run ends and everything is taken back.

The mailbox of a program (NOTIFY_SOCKET) outlives its runs, because its address is in its environment; a message counts
for the present run if the sender belongs to the program.
"""

from __future__ import annotations

import os

from initd.errors import NotSignallable, StartFailed
from initd.events import Asked, Failing, NotReady, Ready
from initd.family import TREE, members
from initd.probes.lines import Lines
from initd.probes.looks import Glance, Looks
from initd.probes.notify import Mailbox, Newline
from initd.probes.tally import Tally
from initd.probes.watch import Watch
from initd.program import Phase
from initd.signals import name_of
from wire.model import Cause, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.config.records import Config
    from initd.config.topics.liveness import Liveness
    from initd.config.topics.readiness import Readiness
    from initd.probes.looks import Look
    from initd.probes.message import Message
    from initd.process import Process
    from initd.spawn import Order
    from initd.supervisor import Supervisor
    from initd.timers import Timer

    Tell = Callable[[str], object]

STATUS_OF_SHUTDOWN = 1
"""What liveness_action=shutdown leaves with."""

PASSIVE = ("fd", "sd_notify", "log")
"""Probes that wait to be told."""

SAID = {
    "restart": "restarting it",
    "stop": "stopping it",
    "shutdown": f"leaving with status {STATUS_OF_SHUTDOWN}",
    "ignore": "nothing is done",
}
"""Liveness actions, for people."""

UP = (State.STARTING, State.RUNNING)


class Run:
    """What belongs to one process of a program."""

    def __init__(self, spawns: int) -> None:
        self.spawns = spawns
        self.watch: Watch | None = None
        self.deadline: Timer | None = None
        self.newline: Newline | None = None
        self.unfollow: list[Callable[[], None]] = []
        self.spoke = False
        """WATCHDOG=1 came since the last look."""
        self.is_living = False
        """The watch is the one of liveness."""
        self.readiness: Readiness | None = None
        """What it has to be to count as started, and how it is checked from then on: as it was when that began."""
        self.liveness: Liveness | None = None

    def end_readying(self) -> None:
        """It is ready, or never will be."""
        if self.deadline is not None:
            self.deadline.cancel()
        if self.newline is not None:
            self.newline.close()
        for end in self.unfollow:
            end()
        self.unfollow = []
        self.end_watch()

    def end_watch(self) -> None:
        """Look no more."""
        if self.watch is not None:
            self.watch.end()
        self.watch = None


class Probes:
    """The part; see the module's docstring."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._runs: dict[str, Run] = {}
        self._made: dict[str, Newline] = {}
        """Pipes of starts that are under way."""
        self._mailboxes: dict[str, Mailbox] = {}
        self._looks = Looks(supervisor, self.fit)
        supervisor.fittings.append(self.fit)
        supervisor.on_change(self._on_change)

    def adopt(self, config: Config) -> None:
        """Forget what is gone, and take over what can be while programs run."""
        for name in [name for name in self._mailboxes if name not in self._sup.processes]:
            self._mailboxes.pop(name).close()
        for name in [name for name in self._runs if name not in self._sup.processes]:
            self._end(name)
        for process in tuple(self._sup.processes.values()):
            if process.program.phase is Phase.MAIN and process.program.pid is not None:
                self._change(process)

    def _change(self, process: Process) -> None:
        """Another liveness probe counts at once, another readiness probe from the next start on.

        Who is starting without the one that is gone, or that is new, has nothing to wait for.
        """
        run, config = self._runs.get(process.name), process.config
        rule = run.readiness if run is not None else None
        if process.program.state is State.STARTING and rule != config.readiness and None in (rule, config.readiness):
            if run is not None:
                run.end_readying()
            self._sup.feed(process, Ready())
        if run is not None and run.is_living and run.liveness != config.liveness:
            run.is_living = False
            process.ailing = process.why = ""
        self._on_change(process)

    # Starts

    def fit(self, process: Process, order: Order) -> Order:
        """Give a program its descriptor and its NOTIFY_SOCKET.  Raises StartFailed where there are none."""
        readiness, liveness = process.config.readiness, process.config.liveness
        if process.program.phase is not Phase.MAIN:
            return order
        try:
            if readiness is not None and readiness.probe.kind == "fd":
                newline = self._make_newline(process)
                order = order._replace(extra=(*order.extra, (newline.theirs, readiness.probe.fd)))
            if speaks(readiness, liveness):
                order = order._replace(environ={**order.environ, **self._variables(process, liveness)})
        except OSError as error:
            raise StartFailed("pipe", error.errno, "readiness") from error
        return order

    def _make_newline(self, process: Process) -> Newline:
        name = process.name
        if name in self._made:
            self._made.pop(name).close()
        self._made[name] = Newline(self._sup.loop, lambda: self._ready(process))
        return self._made[name]

    def _variables(self, process: Process, liveness: Liveness | None) -> dict[str, str]:
        if process.name not in self._mailboxes:
            name = f"pidone/{os.urandom(12).hex()}"
            self._mailboxes[process.name] = Mailbox(
                self._sup.loop, name, lambda message, pid: self._hear(process.name, message, pid)
            )
        found = {"NOTIFY_SOCKET": self._mailboxes[process.name].address}
        if liveness is not None and liveness.probe.kind == "watchdog":
            found["WATCHDOG_USEC"] = str(int(liveness.interval * 1_000_000))
        return found

    # Changes

    def _on_change(self, process: Process) -> None:
        program, name = process.program, process.name
        run = self._runs.get(name)
        if run is not None and (run.spawns != program.spawns or program.state not in UP or program.pid is None):
            self._end(name)
            run = None
        begins = run is None and program.state in UP and program.phase is Phase.MAIN and program.pid is not None
        if begins and (process.config.readiness or process.config.liveness):
            run = self._runs[name] = self._begin(process)
        made = self._made.get(name)
        if made is not None and program.phase is Phase.MAIN and (program.pid is None or run is not None):
            del self._made[name]
            made.handed_over()
            if run is None:
                made.close()
            else:
                run.newline = made
        if run is not None and program.state is State.RUNNING and not run.is_living:
            self._begin_living(process, run)

    def _end(self, name: str) -> None:
        run = self._runs.pop(name, None)
        if run is not None:
            run.end_readying()
        if name in self._sup.processes:
            self._sup.processes[name].ailing = ""

    # Readiness

    def _begin(self, process: Process) -> Run:
        run = Run(process.program.spawns)
        readiness = process.config.readiness
        if readiness is None or process.program.state is not State.STARTING:
            return run
        run.readiness = readiness
        self._set_deadline(process, run, self._sup.loop.now() + readiness.within)
        if readiness.probe.kind == "log":
            self._follow(process, run, readiness)
        elif readiness.probe.kind not in PASSIVE:
            tally = Tally(readiness.successes, 0)
            run.watch = self._watch(process, tally, readiness, lambda ill, why: self._ready(process))
            run.watch.begin(readiness.delay)
        return run

    def _set_deadline(self, process: Process, run: Run, at: float) -> None:
        if run.deadline is not None:
            run.deadline.cancel()
        run.deadline = self._sup.loop.at(at, lambda: self._too_late(process, run))

    def _too_late(self, process: Process, run: Run) -> None:
        readiness = run.readiness
        if self._runs.get(process.name) is not run or readiness is None:
            return
        seen = f": {run.watch.why}" if run.watch is not None and run.watch.why else ""
        took = self._sup.loop.now() - process.program.spawned_at
        self._sup.feed(process, NotReady(f"not ready within {round(took, 1):g} s ({readiness.probe.text}){seen}"))

    def _follow(self, process: Process, run: Run, readiness: Readiness) -> None:
        for stream in ("stdout",) if process.config.redirect_stderr else ("stdout", "stderr"):
            lines = Lines(readiness.probe.path)
            run.unfollow.append(self._sup.output.follow(process.name, stream, self._reader(process, run, lines)))

    def _reader(self, process: Process, run: Run, lines: Lines) -> Callable[[bytes], object]:
        def read(chunk: bytes) -> None:
            # At death the output is drained before the machine is told: what it said then is too late.
            if self._runs.get(process.name) is run and lines.take(chunk):
                self._ready(process)

        return read

    def _ready(self, process: Process) -> None:
        """A verdict, a newline, a line or a message; what counts is said once."""
        run = self._runs.get(process.name)
        if run is None or run.is_living or process.program.ready_at is not None:
            return
        run.end_readying()
        self._sup.note(f"{process.name} is ready", "debug")
        self._sup.feed(process, Ready())

    # Liveness

    def _begin_living(self, process: Process, run: Run) -> None:
        run.end_readying()
        run.is_living = True
        liveness = run.liveness = process.config.liveness
        if liveness is None or (liveness.probe.kind == "watchdog" and process.name not in self._mailboxes):
            return  # it has no address to say so; from the next start on it has one
        tally = Tally(liveness.successes, liveness.failures)
        run.watch = self._watch(process, tally, liveness, lambda ill, why: self._judge(process, liveness, ill, why))
        passive = liveness.probe.kind == "watchdog"
        run.watch.begin(liveness.delay + (liveness.interval if passive else 0.0))

    def _watch(
        self, process: Process, tally: Tally, rule: Readiness | Liveness, verdict: Callable[[bool, str], object]
    ) -> Watch:
        def look(tell: Tell) -> Look:
            if rule.probe.kind == "watchdog":
                return self._look_at_watchdog(process, tell)
            return self._looks.begin(rule.probe, process, tell)

        return Watch(self._sup.loop, tally, rule.interval, rule.timeout, look, verdict)

    def _look_at_watchdog(self, process: Process, tell: Tell) -> Look:
        run = self._runs[process.name]
        spoke, run.spoke = run.spoke, False
        tell("" if spoke else "no WATCHDOG=1 came")
        return Glance()

    def _judge(self, process: Process, liveness: Liveness, ill: bool, why: str) -> None:
        if not ill:
            if process.ailing:
                self._sup.note(f"{process.name} is well again", "info")
                process.why = ""
            process.ailing = ""
            return
        process.ailing = process.why = f"{liveness.probe.text}: {why}"
        self._sup.note(f"{process.name} fails its liveness probe, {process.ailing}: {said(liveness.action)}", "warn")
        self._act(process, liveness.action)

    def _act(self, process: Process, action: str) -> None:
        verb, _, number = action.partition(":")
        if verb in ("restart", "stop"):
            self._sup.feed(process, Failing(process.ailing, verb, Cause.PROBE))
        elif verb == "shutdown":
            self._sup.leave(STATUS_OF_SHUTDOWN, Asked("initd", "shutdown"))
        elif verb == "signal":
            try:
                self._sup.send_signal(process, int(number), Asked("initd", "liveness"))
            except NotSignallable as error:
                self._sup.note(str(error), "warn")

    # Messages

    def _hear(self, name: str, message: Message, pid: int) -> None:
        process, run = self._sup.processes.get(name), self._runs.get(name)
        if process is None or run is None:
            return
        if not belongs(self._sup, process, pid):
            self._sup.note(f"{name}: a message from pid {pid}, which is none of its processes, is ignored", "warn")
            return
        run.spoke = (run.spoke or message.alive) and not message.stuck
        if message.status is not None:
            process.why = message.status
        readiness = run.readiness
        if readiness is None or readiness.probe.kind != "sd_notify":
            return
        if message.extend is not None and run.deadline is not None:
            self._extend(process, run, message.extend)
        if message.ready:
            self._ready(process)

    def _extend(self, process: Process, run: Run, seconds: float) -> None:
        """EXTEND_TIMEOUT_USEC never shortens."""
        at = self._sup.loop.now() + seconds
        if run.deadline is not None and run.deadline.callback is not None and at > run.deadline.deadline:
            self._set_deadline(process, run, at)


def said(action: str) -> str:
    """What is done, for people."""
    verb, _, number = action.partition(":")
    return f"sending {name_of(int(number))}" if number else SAID[verb]


def speaks(readiness: Readiness | None, liveness: Liveness | None) -> bool:
    """Whether a program is to get a NOTIFY_SOCKET."""
    return (readiness is not None and readiness.probe.kind == "sd_notify") or (
        liveness is not None and liveness.probe.kind == "watchdog"
    )


def belongs(supervisor: Supervisor, process: Process, pid: int) -> bool:
    """Whether a living process is the program's leader, in its group, or comes from it."""
    if pid == process.pid:
        return True
    try:
        if os.getpgid(pid) == process.pid:
            return True
    except OSError:
        return False
    return any(member == pid for member, _ in members(supervisor.kernel, process, TREE))
