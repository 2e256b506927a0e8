"""Faults drawn from a seed: what befalls whom, when, and for how long; a list of them can be shrunk."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.sim.cluster.fleet import Simulation


class Fault(NamedTuple):
    """One fault; `who` are numbers that choose hubs or agents modulo how many there are."""

    kind: str
    at: float
    length: float
    who: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:.1f} for {self.length:.1f} s ({', '.join(map(str, self.who))})"


def draw(seed: int, count: int, first: float, last: float) -> list[Fault]:
    """`count` faults, all of them over by `last`."""
    dice = random.Random(f"faults {seed}")
    found = []
    for _ in range(count):
        at = dice.uniform(first, last)
        length = min(dice.choice((0.6, 2.0, 5.0, 12.0)) * dice.uniform(0.5, 1.5), last - at)
        who = tuple(dice.randrange(10**6) for _ in range(4))
        found.append(Fault(dice.choice(tuple(KINDS)), at, length, who))
    return sorted(found, key=lambda fault: fault.at)


def plan(fleet: Simulation, faults: list[Fault]) -> None:
    """Puts them into the heap."""
    for fault in faults:
        fleet.world.at(fault.at, KINDS[fault.kind], fleet, fault)


def _hub(fleet: Simulation, fault: Fault, which: int = 0):  # type: ignore[no-untyped-def]
    return fleet.hubs[sorted(fleet.hubs)[fault.who[which] % len(fleet.hubs)]]


def _agents(fleet: Simulation, fault: Fault, share: float):  # type: ignore[no-untyped-def]
    dice = random.Random(fault.who[1])
    names = sorted(fleet.agents)
    return dice.sample(names, max(1, int(len(names) * share)))


def _later(fleet: Simulation, fault: Fault, call: Callable[[], None]) -> None:
    fleet.world.at(fleet.world.now + fault.length, call)


def kill_hub(fleet: Simulation, fault: Fault) -> None:
    hub = _hub(fleet, fault)
    if hub.alive:
        fleet.world.tell(f"kill -9 {hub.name}")
        hub.kill()
        _later(fleet, fault, lambda: fleet.restart(hub))


def pause_hub(fleet: Simulation, fault: Fault) -> None:
    hub = _hub(fleet, fault)
    if hub.alive and not hub.paused:
        fleet.world.tell(f"SIGSTOP {hub.name}")
        hub.pause()
        _later(fleet, fault, lambda: fleet.wake(hub))


def drain_hub(fleet: Simulation, fault: Fault) -> None:
    hub = _hub(fleet, fault)
    if hub.alive and not hub.paused and not hub.lease.row.draining:
        fleet.world.tell(f"drain {hub.name}")
        hub.drain()
        hub.after(3 * fleet.period, hub.leave)
        fleet.world.at(fleet.world.now + 3 * fleet.period + 0.5 + fault.length, fleet.restart, hub)


def cut(fleet: Simulation, fault: Fault, words: str, between: Callable[[str, str], bool]) -> None:
    number = fleet.next_cut()
    fleet.world.cuts[number] = between
    fleet.world.tell(f"cut {words}")

    def mend() -> None:
        del fleet.world.cuts[number]
        fleet.world.tell(f"mended: {words}")

    _later(fleet, fault, mend)


def cut_store(fleet: Simulation, fault: Fault) -> None:
    name = _hub(fleet, fault).name
    fleet.unsteady(name, fault.length)
    cut(fleet, fault, f"{name} | store", lambda a, b: a == name and b == "store")


def cut_hubs(fleet: Simulation, fault: Fault) -> None:
    one, two = _hub(fleet, fault).name, _hub(fleet, fault, 1).name
    cut(fleet, fault, f"{one} | {two}", lambda a, b: a == one and b == two)


def cut_agents(fleet: Simulation, fault: Fault) -> None:
    """Some agents from one hub: the others still hear them."""
    name, some = _hub(fleet, fault).name, frozenset(_agents(fleet, fault, 0.3))
    words = f"{len(some)} agents | {name}"
    fleet.hinder(some, fault.length)
    cut(fleet, fault, words, lambda a, b: a == name and b in some)


def isolate_agents(fleet: Simulation, fault: Fault) -> None:
    some = frozenset(_agents(fleet, fault, 0.1))
    fleet.excuse(some, fault.length)
    cut(fleet, fault, f"{len(some)} agents | everybody", lambda a, b: a in some)


def partition(fleet: Simulation, fault: Fault) -> None:
    """One side has some hubs and agents, the other the rest and the store."""
    hubs = sorted(fleet.hubs)
    away = frozenset(hubs[fault.who[0] % len(hubs) :][: max(1, len(hubs) // 3)]) | {*_agents(fleet, fault, 0.3)}
    fleet.excuse(fleet.agents, fault.length)  # of both sides: their hub may be on the other
    for hub in away & set(hubs):
        fleet.unsteady(hub, fault.length)
    cut(fleet, fault, f"{len(away)} processes | the rest", lambda a, b: (a in away) != (b in away))


def lose_store(fleet: Simulation, fault: Fault) -> None:
    store = fleet.store
    fleet.world.tell("the store is away")
    for hub in fleet.hubs:
        fleet.unsteady(hub, fault.length)
    store.up = False

    def back() -> None:
        store.up, store.generation = True, store.generation + 1
        fleet.world.tell("the store is back")

    _later(fleet, fault, back)


def fail_over(fleet: Simulation, fault: Fault) -> None:
    """The replica lags for up to 3 s, then the primary dies."""
    store, lag = fleet.store, min(fault.length, 3.0)
    if store.lagging:
        return
    store.lagging = True
    store.replicate()
    for hub in fleet.hubs:
        fleet.unsteady(hub, lag)

    def turn() -> None:
        store.lagging = False
        store.fail_over()
        fleet.world.tell(f"the store fails over and loses {lag:.1f} s of writes")

    fleet.world.at(fleet.world.now + lag, turn)


def noise(fleet: Simulation, fault: Fault) -> None:
    world = fleet.world
    world.tell("noise: 5 % lost, 5 % doubled, 200 ms of jitter")
    world.loss, world.copies, world.jitter = 0.05, 0.05, 0.2

    def quiet() -> None:
        world.loss, world.copies, world.jitter = 0.0, 0.0, 0.01

    _later(fleet, fault, quiet)


def vanish(fleet: Simulation, fault: Fault) -> None:
    for name in _agents(fleet, fault, 0.02):
        fleet.vanish(name)


def restart_agents(fleet: Simulation, fault: Fault) -> None:
    for name in _agents(fleet, fault, 0.05):
        fleet.reboot(name)
        fleet.excuse_restart(name)


KINDS: dict[str, Callable[[Simulation, Fault], None]] = {
    "kill hub": kill_hub,
    "pause hub": pause_hub,
    "drain hub": drain_hub,
    "cut hub from store": cut_store,
    "cut hub from hub": cut_hubs,
    "cut agents from hub": cut_agents,
    "isolate agents": isolate_agents,
    "partition": partition,
    "lose store": lose_store,
    "fail over": fail_over,
    "noise": noise,
    "vanish": vanish,
    "restart agents": restart_agents,
}
