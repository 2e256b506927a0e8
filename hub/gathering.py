"""Where the loop sleeps, and how the words of a fleet come together meanwhile.

Theory.  A pass costs more than a heartbeat: a poll of all sockets, a look at the store, the engines and whoever takes
turns.  A fleet of thousands says something every half millisecond, so a loop that gets up for each word serves one a
pass.  After a pass it therefore lies down for GATHER_SECONDS without listening to agents, who wait for nothing that
is so urgent, and then takes all that has come.  It gets up at once for people and for what they are told: clients,
other hubs, the store, engines, signals.  While a command is on its way nobody waits: an agent's word may be its end.
The first word after a silence is taken as soon as it comes.
"""

from __future__ import annotations

import socket as sockets
from collections.abc import Mapping, Sequence
from typing import Any

import zmq

from hub.doors import Doors

GATHER_SECONDS = 0.01
"""What an answer to an agent may be late by; with 5,000 words a second at three hubs, 16 of them are one pass."""


class Gathering:
    """The sleep of a loop that serves these doors; `others` are sockets that it gets up for at once."""

    def __init__(self, doors: Doors, others: Sequence[Any | sockets.socket]) -> None:
        self._poller, self._urgent = zmq.Poller(), zmq.Poller()
        for socket in (doors.clients, doors.feed, *others):
            self._urgent.register(socket, zmq.POLLIN)
        for socket in (doors.commands, doors.samples, doors.clients, doors.feed, *others):
            self._poller.register(socket, zmq.POLLIN)

    def sleep(self, seconds: float, urgent: bool) -> Mapping[Any, int]:
        """What is ready, after at most so long; `urgent`: agents are listened to from the beginning."""
        if not urgent and (ready := self._urgent.poll(int(GATHER_SECONDS * 1000))):
            return dict(ready)
        return dict(self._poller.poll(int(seconds * 1000)))
