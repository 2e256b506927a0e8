"""Commands in flight: accepted, delivered, and one of three ends, each exactly once by id.

Theory.  The hub may be asked twice (a client repeats after a timeout) and may deliver twice (an agent reconnects); the
id makes both harmless.  The store is asked to *claim* the id first; only a claimed command is sent, and PID 1 or the
engine executes an id once and answers a repetition with the stored result.  So a command that was handed over may be
sent again at each sign of life until its deadline, and a result may arrive twice: the first end wins.

    (new) --claimed--> accepted --handed over--> delivered --result--> done | failed
                           `------- deadline -------'----------------> expired

A deadline that passes leaves the truth open (the agent may have executed it and died): `expired` says just that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from wire._record import Record
from wire.model import CommandState

IN_FLIGHT = 4096
"""Most commands in flight: each holds at most one result of MESSAGE_BYTES only after its end."""
RECENT = 1024
"""Ended commands kept in memory for repeated questions; older ones are in the store."""
RESEND_SECONDS = 2.0
"""An accepted command is offered again after this long: one heartbeat period."""
ENDS = frozenset({CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED})

_C = CommandState
MOVES: dict[tuple[CommandState, CommandState], bool] = {
    **{(_C.ACCEPTED, state): True for state in (_C.DELIVERED, *ENDS)},
    **{(_C.DELIVERED, state): True for state in ENDS},
}
"""(from, to) -> allowed; every other move is ignored, so a late or repeated report changes nothing."""


class Command(Record):
    """One command to one agent or to one container."""

    id: str
    order: str
    """Id of the request it belongs to: one request may reach many."""
    actor: str
    verb: str
    args: Mapping[str, object]
    agent: str
    """Target agent, or "" for a container command."""
    engine: str
    container: str
    target: str
    """What is shown: agent and programs, or the container's name."""
    created_at: float
    deadline: float
    """Monotonic."""
    ttl: float
    state: CommandState = CommandState.ACCEPTED
    result: object = None
    error: str = ""
    changed_at: float = 0.0
    sent_at: float | None = None
    """Monotonic time of the last attempt to hand it over."""
    peer: str = ""
    """Address of who asked."""
    nonce: int = 0
    """Number among this hub's commands to the agent, given when it starts to fly; 0 = none."""
    follow: str = ""
    """What it belongs to, where it is one of many looks (hub.commands.trails)."""
    boot: str = ""
    """Boot of the agent it was first sent to: another boot must not get it, since it forgot what it executed."""


class Router:
    """The commands of this hub by id; every method returns the commands that changed."""

    def __init__(self) -> None:
        self.flying: dict[str, Command] = {}
        self.ended: dict[str, Command] = {}
        self.orders: dict[str, tuple[str, ...]] = {}
        self.numbers: Counter[str] = Counter()
        """Agent -> last number given."""

    def get(self, command_id: str) -> Command | None:
        """The command, in flight or recently ended."""
        return self.flying.get(command_id) or self.ended.get(command_id)

    def order(self, order_id: str) -> list[Command]:
        """All commands of one request that are still in memory."""
        found = (self.get(command_id) for command_id in self.orders.get(order_id, ()))
        return [command for command in found if command is not None]

    def full(self, more: int) -> bool:
        """Whether `more` commands would exceed what may fly at once."""
        return len(self.flying) + more > IN_FLIGHT

    def accept(self, command: Command) -> Command:
        """Takes a command whose id was claimed in the store, and numbers it."""
        if command.agent:
            self.numbers[command.agent] += 1
            command = command._replace(nonce=self.numbers[command.agent])
        self.flying[command.id] = command
        known = self.orders.get(command.order, ())
        self.orders[command.order] = (*known, command.id)
        while len(self.orders) > IN_FLIGHT + RECENT:
            del self.orders[next(iter(self.orders))]
        return command

    def sendable(self, now: float, agent: str | None = None) -> list[Command]:
        """Accepted commands to offer now: those of `agent` (it just spoke), or all whose last attempt is old."""
        return [c for c in self.flying.values() if c.state is CommandState.ACCEPTED and _due(c, now, agent)]

    def attempted(self, command_id: str, boot: str, now: float) -> None:
        """Notes an attempt to hand the command over to this boot of its agent."""
        if command_id in self.flying:
            self.flying[command_id] = self.flying[command_id]._replace(sent_at=now, boot=boot)

    def unsent(self, agent: str) -> list[Command]:
        """The agent's delivered commands without a result: sent again when its link is new, since ids make it safe."""
        return [c for c in self.flying.values() if c.agent == agent and c.state is CommandState.DELIVERED]

    def move(
        self, command_id: str, state: CommandState, wall: float, result: object = None, error: str = ""
    ) -> Command | None:
        """Moves a command; None where the move is not allowed or the command is not in flight."""
        command = self.flying.get(command_id)
        if command is None or (command.state, state) not in MOVES:
            return None
        moved = command._replace(state=state, result=result, error=error, changed_at=wall)
        self.flying[command_id] = moved
        if state in ENDS:
            self._end(moved)
        return moved

    def expire(self, now: float, wall: float) -> list[Command]:
        """Ends the commands whose deadline has passed."""
        due = [c for c in self.flying.values() if now >= c.deadline]
        moved = [self.move(c.id, CommandState.EXPIRED, wall, error=_expired(c)) for c in due]
        return [command for command in moved if command is not None]

    def _end(self, command: Command) -> None:
        del self.flying[command.id]
        self.ended[command.id] = command
        if len(self.ended) > RECENT:
            del self.ended[next(iter(self.ended))]


def _due(command: Command, now: float, agent: str | None) -> bool:
    if agent is not None:
        return command.agent == agent
    return command.sent_at is None or now - command.sent_at >= RESEND_SECONDS


def _expired(command: Command) -> str:
    asked = command.engine and command.sent_at is not None  # another hub, which did not tell the end
    if command.state is CommandState.ACCEPTED and not asked:
        return f"not delivered within {command.ttl:g} s"
    return f"delivered, but no result within {command.ttl:g} s; it may have been executed"
