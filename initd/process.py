"""One supervised process: its configuration, its machine, and what the outside needs to know of it."""

from __future__ import annotations

from initd.events import ONESHOT, Rules
from initd.program import Program
from initd.reaper import Death
from wire.model import Cause, Exit, Status, full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.config.records import Program as Configured
    from initd.reports import Shown
    from initd.timers import Timer


class Run:
    """One life of a process, from the attempt to start it until its exit record is written.

    What is told of a life is told after its successor was started (initd.supervisor), so it is kept apart from it.
    """

    __slots__ = ("death", "pid", "start_ticks", "started_at", "suspicion")

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        """Wall time of the spawn, or of the attempt."""
        self.pid: int | None = None
        """Also after its death; None where it did not come to be."""
        self.start_ticks: int | None = None
        self.death: Death | None = None
        """The last death in it: its own, or of its post_stop."""
        self.suspicion: Callable[[], Cause] = signalled
        """What a SIGKILL means that nobody here sent; see initd.deaths."""


def signalled() -> Cause:
    """Nothing is known beyond the signal."""
    return Cause.SIGNAL


class Process:
    """The supervisor's entry for one process of one program."""

    __slots__ = (
        "ailing", "config", "last_exit", "left", "name", "program", "run", "shown", "since", "spawnerr", "timer", "why",
    )  # fmt: skip

    def __init__(self, config: Configured, at: float) -> None:
        self.config = config
        self.name = full_name(config.group, config.name)
        """What people type."""
        self.program = Program(rules_of(config))
        self.last_exit: Exit | None = None
        self.timer: Timer | None = None
        self.since = at
        """Wall time of the last state change."""
        self.run = Run(at)
        """The present life, or the last."""
        self.why = ""
        self.spawnerr = ""
        """Why the last start failed; "" since a process came to be."""
        self.ailing = ""
        """What its liveness probe says while it fails; see initd.probes."""
        self.left = ""
        """What outlived the last stop, for people."""
        self.shown: Shown | None = None
        """Its row in `status`, as it was shown last; see initd.reports."""

    @property
    def pid(self) -> int | None:
        """Its process id while there is a process."""
        return self.program.pid

    def status(self, now: float) -> Status:
        """What `status` shows; `now` is monotonic."""
        program, config = self.program, self.config
        return Status(
            group=config.group,
            name=config.name,
            program=config.program,
            number=config.number,
            state=program.state,
            want=program.want,
            pid=program.pid,
            start_ticks=self.run.start_ticks if program.pid is not None else None,
            since=self.since,
            uptime=now - program.spawned_at if program.pid is not None else None,
            restarts=max(0, program.spawns - 1),
            why=self.why,
        )


def rules_of(config: Configured) -> Rules:
    """What the machine needs of a program's configuration."""
    restarts, stopping, hooks, jobs = config.restarts, config.stopping, config.hooks, config.jobs
    return Rules(
        startsecs=config.startsecs,
        startretries=config.startretries,
        autorestart=config.autorestart,
        exitcodes=config.exitcodes,
        stopsignal=config.stopsignal,
        stopwaitsecs=config.stopwaitsecs,
        stopasgroup=config.stopasgroup,
        killasgroup=config.killasgroup,
        stop_signals=stopping.stop_signals if stopping else (),
        stop_scope=stopping.stop_scope if stopping else "",
        awaits_ready=config.readiness is not None,
        oneshot=jobs is not None and jobs.type == ONESHOT,
        backoff=restarts.backoff if restarts else None,
        crash_loop=restarts.crash_loop if restarts else None,
        pre_start=hooks.pre_start_timeout if hooks and hooks.pre_start else None,
        post_stop=hooks.post_stop_timeout if hooks and hooks.post_stop else None,
    )
