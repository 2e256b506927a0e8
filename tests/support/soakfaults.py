"""The faults of the soak: what befalls whom, and how it ends; `Chaos` begins them, and ends them in time.

A fault is a table row: whom it may befall (kind), how it begins, how it ends, how long it may last.  One hub and one
Redis node are at fault at most, each container has one fault at a time.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from tests.support.ownengine import OwnEngine
from tests.support.redis import Server
from tests.support.soakfleet import Box, Fleet, Row, WiredHub
from tests.support.soakwatch import Facts, Homes, Log
from wire.client import WireError

PAUSE = (1.0, 6.0)
"""Seconds between two faults that are drawn."""
MOST = 4
"""Faults at a time."""
STOP_SECONDS = 20.0


class Fault(NamedTuple):
    """One kind of fault."""

    name: str
    kind: str
    """hub, box, redis or engine."""
    begin: Callable[[Chaos, Any], object]
    end: Callable[[Chaos, Any], object]
    least: float
    most: float
    kills: bool = False
    """It ends a process: not done to those whose memory is measured."""
    excuses: bool = False
    """Nobody can hear the container meanwhile."""


class Chaos:
    """Begins faults and ends them; `sparing` the processes whose memory is measured."""

    def __init__(self, fleet: Fleet, facts: Facts, homes: Homes, log: Log, dice: random.Random) -> None:
        self.fleet, self.facts, self.homes, self.log, self.dice = fleet, facts, homes, log, dice
        self.active: list[tuple[float, Fault, Any]] = []
        self.done: list[tuple[float, str]] = []
        self.sparing = False
        self.next_at, self.hub_ended = 0.0, float("-inf")

    # -- choosing ----------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Perhaps one more fault."""
        now = time.monotonic()
        if now < self.next_at or len(self.active) >= MOST:
            return
        self.next_at = now + self.dice.uniform(*PAUSE)
        fault = self.dice.choice(list(FAULTS.values()))
        self.begin(fault, self.dice.uniform(fault.least, fault.most))

    def begin(self, fault: Fault, seconds: float) -> None:
        """Befalls one of those that it may befall now, if there is one."""
        able = [one for one in self.targets(fault.kind) if not (fault.kills and self.spared(one))]
        busy = [one for _, _, one in self.active]
        if fault.kind != "box" and any(one in busy for one in self.targets(fault.kind)):
            return
        able = [one for one in able if one not in busy]
        if able:
            self.befall(fault, self.dice.choice(able), seconds)

    def befall(self, fault: Fault, whom: Any, seconds: float) -> None:
        """This one."""
        self.log.tell(f"{fault.name} {name(whom)} for {seconds:.1f} s")
        if fault.kind == "hub":
            self.homes.well[name(whom)] = False
        if fault.excuses or (fault is SHUNNED and self.hub_at_fault()):
            self.facts.excuse(whom.name, seconds)
        elif fault.kind == "box":
            self.facts.touched[whom.name] += 1
        for _, other, box in self.active if fault.kind == "hub" else ():
            if other is SHUNNED:  # a dead hub and a deaf one: no third was to be found in time
                self.facts.excuse(box.name, seconds)
        fault.begin(self, whom)
        self.active.append((time.monotonic() + seconds, fault, whom))
        self.done.append((time.monotonic(), fault.name))

    def tick(self, over: bool = False) -> bool:
        """Ends what is due, or all; True while faults go on."""
        now = time.monotonic()
        for one in [one for one in self.active if over or one[0] <= now]:
            _, fault, whom = one
            if fault.excuses:
                self.facts.excuse(whom.name, 0.0)
            fault.end(self, whom)
            if fault.kind == "hub":
                self.homes.well[name(whom)] = True
                self.hub_ended = now
            self.active.remove(one)
            self.log.tell(f"  ended: {fault.name} {name(whom)}")
        for hub in self.fleet.hubs:
            if hub.process is not None and hub.process.poll() is not None and self.homes.well.get(name(hub), True):
                self.log.tell(f"{name(hub)} ended by itself and is started again, as by a service manager")
                hub.launch()
        return bool(self.active)

    def hub_at_fault(self) -> bool:
        """Whether a hub is at fault, or was lately."""
        lately = time.monotonic() - 5 * self.fleet.period
        return self.hub_ended > lately or any(fault.kind == "hub" for _, fault, _ in self.active)

    def targets(self, kind: str) -> list[Any]:
        """Whom a fault of this kind may befall."""
        every: dict[str, list[Any]] = {
            "hub": list(self.fleet.hubs),
            "box": list(self.fleet.boxes),
            "redis": list(self.fleet.nodes),
            "engine": [self.fleet.engine] if self.fleet.engine else [],
        }
        return every[kind]

    def spared(self, whom: Any) -> bool:
        """Whether its memory is measured."""
        if not self.sparing:
            return False
        return whom in self.fleet.hubs[:2] or whom in self.fleet.boxes[::2]

    # -- the end -----------------------------------------------------------------------------------------------------

    def lose_a_shelf(self, mutate: bool) -> None:
        """A container is cut off, an end happens, it is stopped and started: its volume keeps what nobody heard."""
        box = self.fleet.boxes[0]
        for fault, whom in [(one[1], one[2]) for one in self.active if one[2] is box]:
            fault.end(self, whom)
        self.active = [one for one in self.active if one[2] is not box]
        self.facts.excuse(box.name, 60.0)
        box.host.cut()
        before, deadline = len(box.ended()), time.monotonic() + 30.0
        while len(box.ended()) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        terminate(self, box)
        _reap(box)
        box.host.hush()
        if mutate:
            box.forget()
        box.host.mend()
        box.start()

    def problems(self) -> list[str]:
        """What is not as it should be at the end: who is not live, what an engine's containers are said to be."""
        found = []
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline and (found := list(self._problems())):
            time.sleep(0.5)
        return found

    def _problems(self) -> Iterator[str]:
        for hub in self.fleet.hubs:
            try:
                rows = {row["name"]: row["presence"] for row in hub.client.agents()}
            except WireError as error:
                yield f"{name(hub)}: {error}"
                continue
            for box in self.fleet.boxes:
                if rows.get(box.name) != "live":
                    yield f"{hub.folder.name} says {box.name} is {rows.get(box.name, 'unknown')}"
        if self.fleet.engine:
            said = {row["id"]: row["state"] for row in self._containers()}
            for ident, state in self.fleet.engine.states().items():
                if said.get(ident) != state:
                    yield f"container {ident[:12]} is {state}, the hubs say {said.get(ident)}"

    def _containers(self) -> Iterator[Row]:
        """As the hub shows them that polls the engine."""
        for hub in self.fleet.hubs:
            with suppress(WireError):
                rows = [row for row in hub.client.query("hubs") if row["self"]]
                yield from hub.client.containers() if rows[0]["engines"] else ()


def name(whom: Any) -> str:
    """For people."""
    if isinstance(whom, WiredHub):
        return whom.folder.name
    return f"redis {whom.port}" if isinstance(whom, Server) else str(whom.name)


# -- what is done ----------------------------------------------------------------------------------------------------


def _signal(number: int) -> Callable[[Chaos, Any], None]:
    def send(chaos: Chaos, whom: Any) -> None:
        with suppress(ProcessLookupError):
            os.kill(whom.process.pid, number)

    return send


def _link(number: int) -> Callable[[Chaos, Box], None]:
    def send(chaos: Chaos, box: Box) -> None:
        pid = box.link_pid()
        with suppress(ProcessLookupError):
            if pid:
                os.kill(pid, number)

    return send


def _reap(box: Box) -> None:
    assert box.process is not None
    box.process.wait(STOP_SECONDS)


def kill_hub(chaos: Chaos, hub: WiredHub) -> None:
    """SIGKILL."""
    hub.kill()


def start_hub(chaos: Chaos, hub: WiredHub) -> None:
    """Again, on its state."""
    hub.launch()


def kill_box(chaos: Chaos, box: Box) -> None:
    """All its processes at once."""
    box.kill()
    chaos.facts.box_died(box)


def terminate(chaos: Chaos, box: Box) -> None:
    """SIGTERM to PID 1."""
    assert box.process is not None
    box.process.send_signal(signal.SIGTERM)


def start_box(chaos: Chaos, box: Box) -> None:
    """Again, on its volume."""
    _reap(box)
    box.start()


def shun(chaos: Chaos, box: Box) -> None:
    """One hub and the container do not hear each other."""
    box.shunned = chaos.dice.choice(chaos.fleet.hubs).host
    box.host.shun(box.shunned)


def heed(chaos: Chaos, box: Box) -> None:
    """As it was."""
    assert box.shunned is not None
    box.host.heed(box.shunned)


def _cut(chaos: Chaos, whom: Any) -> None:
    whom.host.cut()


def _mend(chaos: Chaos, whom: Any) -> None:
    whom.host.mend()


def _nothing(chaos: Chaos, whom: Any) -> None:
    """It mends itself."""


def _kill(chaos: Chaos, whom: Server | OwnEngine) -> None:
    whom.kill()


def _start(chaos: Chaos, whom: Server | OwnEngine) -> None:
    whom.start()


STOP, GO = signal.SIGSTOP, signal.SIGCONT
FAULTS = {
    fault.name: fault
    for fault in (
        Fault("kill hub", "hub", kill_hub, start_hub, 0.5, 12.0, kills=True),
        Fault("stop hub", "hub", _signal(STOP), _signal(GO), 1.0, 12.0),
        Fault("cut hub", "hub", _cut, _mend, 1.0, 15.0),
        Fault("kill redis", "redis", _kill, _start, 0.3, 8.0),
        Fault("stop redis", "redis", _signal(STOP), _signal(GO), 0.5, 6.0),
        Fault("kill link", "box", _link(signal.SIGKILL), _nothing, 2.0, 2.0, kills=True),
        Fault("stop link", "box", _link(STOP), _link(GO), 1.0, 10.0, kills=True, excuses=True),
        Fault("cut container", "box", _cut, _mend, 1.0, 20.0, excuses=True),
        Fault("cut container from one hub", "box", shun, heed, 2.0, 40.0),
        Fault("kill container", "box", kill_box, start_box, 0.5, 10.0, kills=True, excuses=True),
        Fault("terminate container", "box", terminate, start_box, 1.0, 10.0, kills=True, excuses=True),
        Fault("kill engine", "engine", _kill, _start, 1.0, 5.0),
        Fault("stop engine", "engine", _signal(STOP), _signal(GO), 2.0, 20.0),
    )
}
SHUNNED = FAULTS["cut container from one hub"]
QUICK = {
    "kill hub": 1.0, "stop redis": 0.5, "kill link": 1.0, "cut container from one hub": 2.0,
}  # fmt: skip
"""Faults of the quick form, seconds of each."""
