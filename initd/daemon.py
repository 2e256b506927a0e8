"""The daemon: reads the configuration, starts the programs, then makes itself reachable, then serves.

Theory.  Programs first: what is not needed to start them is imported only after the last autostart spawn (*stage 2*:
json, sockets, the control API), and nothing is read from the file system later, so that PID 1 does not depend on one
that may be gone: what only a reload may need is imported, too, or kept as bytes (initd.packed, late modules).
Everything of stage 2 may fail without costing a program: initd then runs without a control socket, and says so.
Assembly happens here and nowhere else.
"""

from __future__ import annotations

import os
import sys
import time

from initd import prepare
from initd.activity import ActivityLog
from initd.config import find, load
from initd.errors import USAGE, OperatorError, SystemFault
from initd.events import Asked
from initd.facts import Journal
from initd.kernel import Kernel
from initd.launch import base_environment
from initd.loop import Loop
from initd.output import Output
from initd.parts import Parts
from initd.say import LEVELS, Voice
from initd.signals import DAEMON, HALT, RELOAD, REOPEN, SHUTDOWN, SIGCHLD, name_of
from initd.stdin import Inlets
from initd.supervisor import Supervisor
from initd.users import uid_of
from wire.limits import PROBLEMS_TOLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from initd.compat.supervisord import Background
    from initd.config.records import Config, Loaded
    from initd.config.records import Daemon as Settings
    from initd.options import Options
    from initd.serve import Service

TRACE = "PIDONE_TRACE_IMPORTS"
"""Names a file to which the modules loaded at each stage are written; for the test that holds them to the list."""

RESERVE = 8
"""Descriptors for stage 2 where programs take all others: reading modules, the socket, a few clients."""

FLUSH_SECONDS = 0.2
"""How long the end of PID 1 waits for the container's streams to take the last lines."""


def run(options: Options) -> int:
    """Serve until told to stop; returns the exit status."""
    environ = dict(os.environ)
    path = options.configuration or find(os.path.join(sys.prefix, "bin"), os.getcwd())
    if path is None:
        return _refuse(["there is no configuration file; name one: initd -c FILE"])
    settings = options.settings
    loaded = read(path, environ, settings)
    if loaded.config is None:
        return _refuse([f"error: {problem}" for problem in loaded.errors])
    try:
        budget = stop_budget(loaded.config, environ)
        level = options.loglevel or loaded.config.daemon.loglevel
        if level not in LEVELS:
            raise OperatorError(f"loglevel {level!r}: choose one of {', '.join(LEVELS)}")
        prepare.take_over()
        prepare.apply_limits(loaded.config.daemon)
        if options.background is not None:
            settings += options.background.leave(loaded.config)
            loaded = overlaid(loaded, settings)
        assert loaded.config is not None
        daemon = Daemon(path, loaded.config, environ, level, budget)
        daemon.settings, daemon.background = settings, options.background
        daemon.take_office()
    except (OperatorError, OSError) as error:
        return _refuse([f"error: {error}"])
    return daemon.run(loaded)


def read(
    path: str,
    environ: Mapping[str, str],
    settings: tuple[tuple[str, object], ...] = (),
    scales: Mapping[str, int] | None = None,
) -> Loaded:
    """The configuration.  A user that is not here is an error, as in supervisord; a missing directory is none:

    a program's directory may be made by another one, and those of logs are made when they are needed.  `settings` are
    options of the daemon that the command line sets, over what the file says; `scales` see config.load.
    """
    return overlaid(load(path, environ, users=uid_of, advise=False, scales=scales), settings)


def overlaid(loaded: Loaded, settings: tuple[tuple[str, object], ...]) -> Loaded:
    """The same with other settings of the daemon."""
    if loaded.config is None or not settings:
        return loaded
    daemon = loaded.config.daemon
    values: dict[str, Any] = {**dict(settings), "given": (*daemon.given, *(name for name, _ in settings))}
    return loaded._replace(config=loaded.config._replace(daemon=daemon._replace(**values)))


def stop_budget(config: Config, environ: Mapping[str, str]) -> float | None:
    """Seconds for a shutdown as the file or PIDONE_STOP_BUDGET says, None where neither does.  Raises OperatorError."""
    if config.daemon.shutdown_budget is not None:
        return config.daemon.shutdown_budget
    text = environ.get("PIDONE_STOP_BUDGET")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise OperatorError(f"PIDONE_STOP_BUDGET={text!r} is no number of seconds")
    return seconds


def _refuse(lines: list[str]) -> int:
    for line in lines:
        sys.stderr.write(f"initd: {line}\n")
    return USAGE


class Daemon:
    """PID 1 put together from its parts."""

    def __init__(self, path: str, config: Config, environ: Mapping[str, str], level: str, budget: float | None) -> None:
        daemon = config.daemon
        self.path = path
        self.environ = environ
        self.level_given = level != daemon.loglevel
        self.pidfile = daemon.pidfile
        self.settings: tuple[tuple[str, object], ...] = ()
        """What the command line says of [supervisord] options."""
        self.background: Background | None = None
        """Who is to be told when everything is there."""
        self.scales: dict[str, int] = {}
        """numprocs of programs that `scale` changed since the last reload."""
        self.latest = config
        """The file as it was read last without errors, whether or not it is in force."""
        self.ignored = 0
        """Signals that came in vain: a reload during a shutdown."""
        self.voice = Voice(level=level)
        self.loop = Loop(self.voice.error)
        self.kernel = Kernel()
        self.journal = Journal()
        self.output = Output(
            self.loop,
            time.time,
            childlogdir=daemon.childlogdir,
            identifier=daemon.identifier,
            nocleanup=daemon.nocleanup,
            strip_ansi=daemon.strip_ansi,
        )
        self.voice.through = self.output.say
        self.logfile = ActivityLog(self.output)
        self.voice.beside = self.logfile.write
        self.reserve = prepare.reserve(RESERVE)
        self.service: Service | None = None
        self.supervisor = Supervisor(
            self.loop,
            self.kernel,
            self.journal,
            self.output,
            self.voice,
            base_environment(environ, config),
            prepare.silent_stdin(),
            os.urandom(8).hex(),
            budget,
        )
        self.supervisor.inlets = Inlets(self.loop, self.supervisor.stdin)
        self.parts = Parts(self.supervisor)
        self.supervisor.adopt(config)
        self.loop.in_passing = self.supervisor.glance

    def run(self, loaded: Loaded) -> int:
        """Start the programs, become reachable, serve."""
        self.parts.adopt(self.config)
        self.voice.together(self.supervisor.start_all)
        self._trace("stage1")
        self._open_for_business(loaded)
        self._trace("stage2")
        self.supervisor.reap()  # a launcher's children may have died before anybody listened to SIGCHLD
        code = self.loop.run()
        self._trace("end")
        self._close()
        return code

    def take_office(self) -> None:
        """Become who initd is to be, and listen to signals.  Raises OperatorError."""
        daemon = self.config.daemon
        if self.kernel.pid != 1:
            try:
                prepare.become_subreaper()
            except SystemFault as fault:
                self.voice.say(f"not PID 1, and orphans go to another process: {fault}", "warn")
            if warning := prepare.neighbours():
                self.voice.say(warning, "warn")
        self._write_pidfile(daemon)
        if daemon.user is not None:
            self._become(daemon.user)
        self.logfile.follow(daemon)
        self.loop.listen(DAEMON, self.on_signal)

    def _write_pidfile(self, daemon: Settings) -> None:
        """The default path is nobody's wish: where it cannot be written nothing is said."""
        try:
            prepare.write_pidfile(daemon.pidfile)
        except OSError as error:
            if "pidfile" in daemon.given:
                self.voice.say(f"cannot write the pidfile {daemon.pidfile}: {error.strerror}", "warn")

    def _become(self, user: str) -> None:
        """Be the user of [supervisord]; who is not root stays what the container was started as."""
        if os.geteuid() == 0:
            prepare.become(user)
        elif uid_of(user) != os.geteuid():
            self.voice.say(f"user={user} has no effect: only root can become somebody else", "warn")

    @property
    def config(self) -> Config:
        """The configuration in force."""
        config = self.supervisor.config
        assert config is not None, "adopted at construction"
        return config

    def _open_for_business(self, loaded: Loaded) -> None:
        for fd in self.reserve:
            os.close(fd)
        try:
            from initd.serve import Service

            self.service = Service(self)
            self.service.listen()
            self.service.adopt(self.config)
            self.service.join()
            self.service.warn(loaded)
        except Exception as error:  # the programs run, and shall go on running
            self.voice.error(f"cannot serve: {type(error).__name__}: {error}")
        if self.background is not None:
            self.background.settle()

    def _close(self) -> None:
        if self.service is not None:
            self.service.close()
        prepare.remove_pidfile(self.pidfile)
        self.output.flush(FLUSH_SECONDS)

    # Signals

    def on_signal(self, signum: int) -> None:
        """What each signal means is listed in initd.signals, and what HUP leaves as it was in docs/configuration.md."""
        if signum == SIGCHLD:
            self.voice.together(self.supervisor.reap)
        elif signum in SHUTDOWN or signum == HALT:
            again = self.supervisor.ending is not None and self.supervisor.ending.then is None
            self.supervisor.shutdown(Asked(f"signal {name_of(signum)[3:]}", "shutdown"), by_force=again)
        elif signum == RELOAD:
            self.reload(Asked("signal HUP", "reload"))
        elif signum == REOPEN:
            self.output.reopen()
            self.voice.say("log files opened anew (SIGUSR2)")

    def read(self, scales: Mapping[str, int]) -> Loaded:
        """The file as it is now, with what the command line and `scale` say."""
        loaded = read(self.path, self.environ, self.settings, scales)
        self.latest = loaded.config or self.latest
        return loaded

    def reload(self, asked: Asked) -> str:
        """Stop all programs and start those of the file as it is now; a file with errors changes nothing.

        Returns why nothing is done, "" where it is.
        """
        if self.supervisor.ending is not None:
            self.ignored += 1
            why = "everything is being stopped"
            self.voice.say(f"{asked.actor}: ignored, {why}", "warn")
            return why
        loaded = self.read({})
        if loaded.config is None:
            for problem in loaded.errors:
                self.voice.error(str(problem))
            self.voice.error("the configuration has errors; nothing is changed")
            return "; ".join(map(str, loaded.errors[:PROBLEMS_TOLD]))
        if self.service is not None:
            self.service.warn(loaded)
        config = loaded.config
        self.supervisor.reload(asked, lambda: self._start_over(config))
        return ""

    def _start_over(self, config: Config) -> None:
        gone = tuple(self.supervisor.processes)
        self.scales = {}
        if self.service is not None:
            self.service.reloading.changeover.forget()
        self.supervisor.adopt(config)
        self.take(config)
        for name in gone:
            if name not in self.supervisor.processes:
                self.output.remove(name)
        self.supervisor.start_all()

    def take(self, config: Config) -> None:
        """A configuration is in force: tell the parts, and follow what it says of initd itself."""
        self.parts.adopt(config)
        self._reach(config)
        self.logfile.follow(config.daemon)
        self.output.strip_ansi = config.daemon.strip_ansi
        self.supervisor.budget = stop_budget(config, self.environ)
        if not self.level_given:
            self.voice.level = config.daemon.loglevel

    def _reach(self, config: Config) -> None:
        """Tell programs and clients where the servers of this configuration are."""
        self.supervisor.base = base_environment(self.environ, config)
        if self.service is not None:
            self.service.adopt(config)

    # For the test of what is imported

    def _trace(self, point: str) -> None:
        path = self.environ.get(TRACE)
        if not path:
            return
        try:
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{point} {' '.join(sorted(sys.modules))}\n")
        except OSError as error:
            self.voice.error(f"{TRACE}: {error}")
