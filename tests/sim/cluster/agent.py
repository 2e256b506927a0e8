"""An agent of the simulation: its heartbeats, facts, commands, and its way from hub to hub (wire.homing)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sim.cluster.world import Process, World
from wire.homing import Homing

if TYPE_CHECKING:
    from tests.sim.cluster.fleet import Simulation

SPREAD = 0.25
"""Part of a period over which agents on their way spread; their beats are spread over a whole one anyway."""


class Agent(Process):
    """One container: `boot` counts its starts, and with each it forgets what it executed."""

    def __init__(self, world: World, name: str, fleet: Simulation) -> None:
        super().__init__(world, name)
        self.fleet, self.boot = fleet, 0
        self.ended, self.ended_at, self.settled_seq = False, 0.0, 0
        self.served_at = float("-inf")
        self.served_by = ""
        self.start()

    def start(self) -> None:
        self.alive, self.boot, self.period = True, self.boot + 1, self.fleet.period
        hubs = sorted(self.fleet.hubs)
        self.world.random.shuffle(hubs)
        self.homing = Homing(hubs)
        self.epoch = self.last_seq = self.durable = self.asked = 0
        self.answered = True
        self.executed: set[str] = set()
        self.after(self.world.random.random() * self.period, self.beat)

    def beat(self) -> None:
        """Once a period: where the last one was not answered, another hub is due."""
        self.after(self.period, self.beat)
        if self.answered:
            self.ask()
            return
        self.go_on(self.world.random.random() * self.period * SPREAD)

    def go_on(self, spread: float) -> None:
        self.homing.silent(self.world.now, spread)
        self.after(spread, self.move)

    def move(self) -> None:
        if self.homing.move(self.world.now + 1e-9) is not None:
            self.ask()
            self.after(self.period / 2, self.follow_up, self.asked)

    def follow_up(self, number: int) -> None:
        """A hub that is new to us has half a period: a second dead one must not cost the agent its name."""
        if not self.answered and self.asked == number:
            self.go_on(0.0)

    def ask(self) -> None:
        self.answered, self.asked = False, self.asked + 1
        hub = self.fleet.hubs.get(self.homing.at)
        if hub is not None:
            facts = (self.durable + 1, self.last_seq)
            self.world.send(self.name, hub, hub.heartbeat, self, self.life, self.boot, self.asked, self.epoch, facts)

    def reply(self, number: int, hub: str, durable: int, epoch: int, hubs: list[str], away: bool) -> None:
        """An answer; one to an earlier question is dropped, as REQ does."""
        if number != self.asked or hub != self.homing.at:
            return
        self.answered, self.durable = True, min(durable, self.last_seq)
        self.epoch = max(self.epoch, epoch)
        spread = self.world.random.random() * self.period * SPREAD
        self.homing.told(hubs, self.world.now)
        if away:
            self.homing.silent(self.world.now, spread)
        else:
            self.homing.answered()
            self.homing.look(self.world.now, spread)
        self.after(spread, self.move)
        if self.fleet.hubs[hub].may_act():
            self.served_at, self.served_by = self.world.now, hub

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
