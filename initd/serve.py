"""Stage 2 of the daemon: what makes a running PID 1 reachable.  Imported once, after the programs were started.

What only a reload may need is kept at hand (initd.parts.load_all); initd.shutdown is imported here for every end.
"""

from __future__ import annotations

import grp

import initd.config.advice
import initd.shutdown
from initd import address, parts, talk
from initd.companion import Companion
from initd.control import Control
from initd.joining import link_environment
from initd.jsontext import stand_alone
from initd.listener import Listener
from initd.logs.verbs import VERBS as LOG_VERBS
from initd.mend import mend
from initd.metrics import Metrics
from initd.prefix import command, version
from initd.prepare import descriptors
from initd.reload.verbs import Reloading
from initd.remote import Remote
from initd.rpc import attempts, details, logs
from initd.rpc.servers import RpcServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config, Loaded
    from initd.daemon import Daemon


class Service:
    """The control socket, and the link where something asks to join a fleet."""

    def __init__(self, daemon: Daemon) -> None:
        supervisor = daemon.supervisor
        self._daemon = daemon
        stand_alone()
        parts.load_all()
        identity: dict[str, object] = {
            "version": version(),
            "pid": daemon.kernel.pid,
            "pid1": daemon.kernel.pid == 1,
            "configuration": daemon.path,
        }
        control = Control(supervisor, daemon.journal, daemon.output, daemon.loop.now, identity)
        control.counters = {
            "caught": lambda: daemon.loop.caught,
            "longest_stall": lambda: daemon.loop.longest,
            "signals_ignored": lambda: daemon.ignored,
            "fds": descriptors,
        }
        self.reloading = Reloading(daemon, control)
        control.extend(self.reloading.verbs() | talk.VERBS | LOG_VERBS)
        control.extend(details.bound(lambda: daemon.latest) | attempts.VERBS | logs.bound(control, daemon.logfile))
        remote = Remote(control, lambda: daemon.config.daemon.remote)
        daemon.loop.menders.append(lambda: mend(supervisor))
        self.listener = Listener(daemon.loop, control, remote, daemon.voice.error)
        self.link: Companion | None = None
        self.metrics = Metrics(supervisor, control, self.listener)
        self.rpc = RpcServer(supervisor, control, self.listener, daemon.environ)

    def warn(self, loaded: Loaded) -> None:
        """Say what the configuration's reader would advise against."""
        for warning in initd.config.advice.advise(loaded):
            self._daemon.voice.say(f"warning: {warning}", "warn")

    def listen(self) -> None:
        """Open the control socket; without one the programs run all the same."""
        daemon = self._daemon
        try:
            given = address.named(daemon.environ) or daemon.config.daemon.socket
            where = self.listener.open(given, _group(daemon.config))
            daemon.voice.say(f"control socket {where}", "debug")
        except (OSError, KeyError) as error:
            daemon.voice.error(f"no control socket: {error}")

    def join(self) -> None:
        """Start the link where a join string is to be had."""
        daemon = self._daemon
        environ = link_environment(daemon.config, daemon.environ)
        if environ is not None:
            self.link = Companion(daemon.supervisor, command("initd.link"), environ, self.listener.adopt)
            self.link.start()

    def adopt(self, config: Config) -> None:
        """Serve on the sockets of this configuration, first or after a reload."""
        self.rpc.adopt(config.servers)
        self.metrics.adopt(config.daemon.metrics)

    def close(self) -> None:
        """Take the sockets' names away."""
        self.rpc.close()
        self.listener.close()


def _group(config: Config) -> int | None:
    """The gid that may use the socket.  Raises KeyError."""
    name = config.daemon.socket_group
    if name is None:
        return None
    return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
