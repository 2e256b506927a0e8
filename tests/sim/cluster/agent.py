"""An agent of the simulation: its heartbeats, facts, commands, and its way from hub to hub (wire.places).

As with the real link (initd.link.moves), to turn to a hub takes a connection and a registration: DIAL round trips, all
of which must come through, and a hub that can read the store.  Where a hub serves it, the agent knocks at the next one
and goes on beating where it is.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tests.sim.cluster.world import Process, World
from wire.address import HubAddress
from wire.places import Places

if TYPE_CHECKING:
    from tests.sim.cluster.fleet import Simulation

DIAL = 3
"""Round trips until a connection can carry a registration: TCP, the greeting, CURVE."""
LINK_SECONDS = 0.5
"""Until PID 1 has started a link that died."""
VAIN = 3
"""So often the time is doubled that a registration may take (wire.session)."""


class Line:
    """One connection: what was sent on an earlier one to the same hub is not answered here."""

    def __init__(self, hub: str) -> None:
        self.hub = hub
        self.registered = self.open = False
        self.asked, self.silent = 0, 0
        """Number of the question under way, 0 = none; how many in a row were not answered."""


class Agent(Process):
    """One container: `boot` counts its starts, and with each it forgets what it executed."""

    def __init__(self, world: World, name: str, fleet: Simulation) -> None:
        super().__init__(world, name)
        self.fleet, self.boot = fleet, 0
        self.ended, self.ended_at, self.settled_seq = False, 0.0, 0
        self.served_at = float("-inf")
        self.served_by = ""
        self.hearings: deque[float] = deque(maxlen=16)
        """When any hub heard it."""
        self.start()

    def start(self) -> None:
        self.alive, self.boot, self.period = True, self.boot + 1, self.fleet.period
        hubs = sorted(self.fleet.hubs)
        self.world.random.shuffle(hubs)
        self.places = Places([address(hub) for hub in hubs], self.world.now, self.world.random.random)
        self.epoch = self.last_seq = self.durable = self.number = self.looks = 0
        self.executed: set[str] = set()
        self.line = Line("")
        self.door: Line | None = None
        self.after(self.world.random.random() * self.period, self.begin)

    def begin(self) -> None:
        self.visit()
        self.attend()

    # -- where it is -------------------------------------------------------------------------------------------------

    def attend(self) -> None:
        """As initd.link.moves.Moves.attend."""
        if self.places.look(self.world.now, self.period):
            (self.knock if self.places.met else self.visit)()
        self.tidy()
        self.look_again()

    def look_again(self) -> None:
        self.looks += 1
        due = self.places.next(self.world.now, self.period)
        self.after(due - self.world.now, self.look, self.looks)

    def look(self, number: int) -> None:
        if number == self.looks:
            self.attend()

    def visit(self) -> None:
        self.door = None
        self.line = self.dial(self.places.visit(self.world.now).key)

    def knock(self) -> None:
        self.door = self.dial(self.places.knock(self.world.now).key)

    def tidy(self) -> None:
        if self.door is not None and self.places.kept is None:
            self.door = None

    def dial(self, hub: str) -> Line:
        line = Line(hub)
        self.after(0.0, self.shake, line, 0)
        return line

    def shake(self, line: Line, done: int) -> None:
        """One round trip of a handshake after the other; a hub that is away is dialled again."""
        if line is not self.line and line is not self.door:
            return
        if done == DIAL:
            line.open = True
            self.ask(line)
            return
        hub = self.fleet.hubs[line.hub]

        def there() -> None:
            if hub.alive:
                self.world.send(hub.name, self, back, again=True)

        def back() -> None:
            came.append(done)
            if not done and line is (self.door or self.line):
                self.places.connected(self.world.now)
            self.shake(line, done + 1)

        came: list[int] = []
        peer = hub if done else Process(self.world, hub.name)  # a stopped process' kernel takes connections
        self.world.send(self.name, peer, there, again=True)
        self.after(self.period, lambda: came or self.shake(line, 0))

    # -- what it says ------------------------------------------------------------------------------------------------

    def ask(self, line: Line) -> None:
        """Registers, or beats; an answer that does not come in time makes it void."""
        if not line.open or (line is not self.line and line is not self.door):
            return
        self.number += 1
        line.asked = self.number
        hub = self.fleet.hubs[line.hub]
        facts = (self.durable + 1, self.last_seq) if line is self.line else (1, 0)
        call = hub.heartbeat if line.registered else hub.register
        args = (self, self.life, self.boot, line.asked, self.epoch, facts)
        self.world.send(self.name, hub, call, *args, again=True)
        patience = self.period * (1 if line.registered else 1 << min(line.silent, VAIN))
        self.after(patience, self.void, line, line.asked)

    def void(self, line: Line, number: int) -> None:
        if line.asked == number:
            line.silent += 1
            self.ask(line)

    def line_of(self, number: int, hub: str) -> Line | None:
        """Whose question that was; an answer to an earlier one is dropped, as REQ does."""
        return next((one for one in (self.line, self.door) if one and (one.asked, one.hub) == (number, hub)), None)

    def reply(self, number: int, hub: str, durable: int, epoch: int, hubs: list[str], away: bool, known: bool) -> None:
        """An answer; `known`: we are registered there."""
        line, now = self.line_of(number, hub), self.world.now
        if line is None:
            return
        line.asked, line.silent = 0, 0
        new, line.registered = known and not line.registered, known
        if hubs:
            self.places.told([address(one) for one in hubs], now)
        if line is self.door and new:
            self.line, self.door = line, None
        if line is self.line:
            self.durable = min(durable, self.last_seq) if known else self.durable
        self.epoch = max(self.epoch, epoch)
        self.place(line, away)
        if self.fleet.hubs[hub].may_act() and known:
            self.served_at, self.served_by = now, hub
        self.after(self.period, self.go_on, line)

    def go_on(self, line: Line) -> None:
        if not line.asked:
            self.ask(line)

    def place(self, line: Line, away: bool) -> None:
        """As initd.link.moves.Moves.place."""
        now = self.world.now
        if line is self.line and self.door is not None:
            if not self.places.still(now, not away):
                return
            self.tidy()
        if away:
            self.places.away(now, self.period)
            self.tidy()
            self.look_again()
        elif line.registered:
            self.places.answered(now)

    def relink(self) -> None:
        """Its link is killed and started again: it knows its hubs, and that one of them served it."""
        self.kill()
        self.alive = True
        hubs = [address(hub) for hub in self.places.order]
        self.places = Places(hubs, self.world.now, self.world.random.random)
        self.line, self.door = Line(""), None
        self.after(LINK_SECONDS, self.begin)
        self.after(LINK_SECONDS, self.places.returning)

    # -- what happens ------------------------------------------------------------------------------------------------

    def happen(self) -> None:
        """A program changed its state: one more fact."""
        if self.alive and not self.paused:
            self.last_seq += 1

    def command(self, id: str, boot: int, epoch: int, hub: str) -> None:
        """PID 1 refuses lower epochs, another boot's commands, and what it executed already."""
        if epoch < self.epoch or boot != self.boot or id in self.executed:
            return
        self.epoch = epoch
        self.executed.add(id)
        self.fleet.checks.executed(self, id, epoch)

    def vanish(self) -> None:
        """The host is off: no goodbye."""
        self.ended, self.ended_at = True, self.world.now
        self.kill()


def address(hub: str) -> HubAddress:
    """A hub has one name here, which is its key as well."""
    return HubAddress(hub, hub, hub, hub)
