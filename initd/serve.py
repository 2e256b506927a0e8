"""Stage 2 of the daemon: what makes a running PID 1 reachable.  Imported once, after the programs were started.

The modules named here without being used are those that stage 1 leaves out and a later moment may need: a reload reads
includes and advice, a death needs struct_rusage's module.
"""

from __future__ import annotations

import json  # noqa: F401
import resource  # noqa: F401

import initd.config.advice
import initd.config.include
import initd.config.servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Loaded
    from initd.daemon import Daemon


class Service:
    """The control socket and the link."""

    def __init__(self, daemon: Daemon, loaded: Loaded) -> None:
        for warning in initd.config.advice.advise(loaded):
            daemon.voice.say(f"warning: {warning}", "warn")

    def close(self) -> None:
        """Nothing yet."""
