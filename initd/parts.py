"""The optional parts of PID 1: each belongs to a topic of the configuration and exists only where a file uses it.

Theory.  A part is built once, before the programs of the first configuration that uses its topic are started, and told
of every configuration after that (`adopt`), also of those that use it no longer.  It acts through the supervisor:
`on_change` tells it of every change, `gates` may hold a start back, `fittings` may add to what a process is started
with, and the wishes (start, stop, restart, shutdown) are its hands, with an Asked of its own name.  A part that fails
costs a line, never a program.

Stage 2 has all of them at hand (`load_all`), because a reload may use what the first file did not: imported, or, out of
a pack, as bytes in memory, which take a ninth of it.
"""

from __future__ import annotations

import sys

from initd.config.topics import TOPICS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from initd.config.records import Config
    from initd.supervisor import Supervisor

    class Part(Protocol):
        """What a part offers."""

        def adopt(self, config: Config) -> None:
            """A configuration was taken over: `supervisor.processes` are its own now; none of the new ones runs."""


PARTS: dict[str, tuple[str, str]] = {
    "policy": ("initd.policy", "Policies"),
    "order": ("initd.order.waits", "Waits"),
    "readiness": ("initd.probes.part", "Probes"),
    "liveness": ("initd.probes.part", "Probes"),
    "jobs": ("initd.jobs.part", "Schedules"),
    "renewal": ("initd.renewal.part", "Renewals"),
    "logs": ("initd.logs.keeper", "Keeper"),
    "limits": ("initd.limits.part", "Limits"),
    "stopping": ("initd.limits.part", "Limits"),
    "surroundings": ("initd.surroundings.part", "Surroundings"),
}
"""Module and class of the part that serves a topic; it is constructed with the supervisor."""

OTHERS = ("initd.logs.ansi", "initd.logs.capture", "initd.logs.mask", "initd.logs.shape", "initd.logs.syslog")
"""Modules that few files need, and that belong to no part."""

READERS = ("initd.config.include", "initd.config.pools", "initd.config.relay")
"""Readers of what few files have; those of servers and of mistakes come with the advice."""


BESIDE: dict[str, tuple[str, ...]] = {"policy": ("jobs",)}
"""Other topics that need this one's part as well: a file of one-shots ends by itself."""

SETTINGS = {"policy": {"exit_code_from": None, "exit_when_done": "auto"}}
"""Options of [initd] that need a part, and their defaults."""


KINDS = {"eventlistener": ("initd.eventlistener.part", "Listeners"), "fcgi-program": ("initd.fcgi", "Sockets")}
"""Kinds of groups that have a part of their own."""


def used(config: Config) -> list[str]:
    """The topics whose part this configuration needs, in the order of PARTS."""
    return [topic for topic in PARTS if _is_used(topic, config)]


def _is_used(topic: str, config: Config) -> bool:
    topics = (topic, *BESIDE.get(topic, ()))
    if any(getattr(program, one) is not None for program in config.programs for one in topics):
        return True
    settings = SETTINGS.get(topic, {})
    return any(getattr(config.daemon, option, usual) != usual for option, usual in settings.items())


class Parts:
    """The parts there are, by module and class: two topics may be served by one."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._parts: dict[tuple[str, str], Part] = {}

    def adopt(self, config: Config) -> None:
        """Build what is newly needed and tell all of the configuration."""
        kinds = {group.kind for group in config.groups}
        needed = [PARTS[topic] for topic in used(config)] + [KINDS[kind] for kind in KINDS if kind in kinds]
        for where in needed:
            if where not in self._parts:
                self._parts[where] = getattr(__import__(where[0], fromlist=[where[1]]), where[1])(self._sup)
        for where, part in self._parts.items():
            try:
                part.adopt(config)
            except Exception as error:  # the programs start without it
                self._sup.note(f"{where[0]}: {type(error).__name__}: {error}", "error")


def late() -> tuple[str, ...]:
    """Modules that a reload may need, or a file in error."""
    topics = [f"initd.config.topics.{topic}" for topic in TOPICS]
    parts = [module for module, _ in (*PARTS.values(), *KINDS.values())]
    return tuple(dict.fromkeys((*parts, *OTHERS, *topics, *READERS)))


def load_all() -> None:
    """Have them at hand, whatever becomes of the file system."""
    finder = sys.meta_path[0]
    if hasattr(finder, "keep"):
        finder.keep()
        return
    for module in late():
        __import__(module)
