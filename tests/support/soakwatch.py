"""What is looked at all the time while the soak goes on; every breach is a line in `Log.breaches`.

`Facts` follows the facts in the store through whichever hub answers; `Homes` asks every hub whose home it is;
`Orders` gives commands, one at a time; `Memory` measures.  Each is a thread with clients of its own.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress

from tests.support.soakfleet import BEGUN, Box, Fleet, Row, WiredHub, rss
from wire.client import Client, WireError

SLACK = 12.0
"""Periods after a fault of its own in which an agent may still be on its way to a hub, and be called lost."""
TOGETHER = 0.2
"""Answers of all hubs within so many seconds are of one moment: an expiring lease leaves as much."""
OVERDUE = 120.0
"""Seconds after which an end must be known, whatever goes on."""
NEAR = 6.0
"""Seconds between an end that a program wrote down and the one in its record, at most."""
TTL = 6.0


class Log:
    """What was done and what broke, with seconds since the begin."""

    def __init__(self, path: str = "") -> None:
        self.begun, self.path = BEGUN, path
        self.actions: list[str] = []
        self.breaches: list[str] = []

    def tell(self, text: str) -> None:
        """An action."""
        self.actions.append(f"{time.monotonic() - self.begun:7.1f}  {text}")
        if self.path:
            with open(self.path, "a") as file:
                file.write(self.actions[-1] + "\n")

    def breach(self, text: str) -> None:
        """An invariant is broken."""
        self.breaches.append(f"{time.monotonic() - self.begun:7.1f}  {text}")
        self.tell(f"BROKEN: {text}")


class Watch(threading.Thread):
    """A thread that asks hubs until `ending`."""

    def __init__(self, fleet: Fleet, log: Log) -> None:
        super().__init__(daemon=True)
        self.fleet, self.log, self.ending = fleet, log, threading.Event()
        self.clients: dict[str, Client] = {}

    def client(self, hub: WiredHub) -> Client:
        """This thread's client of a hub."""
        if hub.folder.name not in self.clients:
            self.clients[hub.folder.name] = hub.asking()
        return self.clients[hub.folder.name]

    def ask(self, call: Callable[[Client], object], tries: int = 6) -> object:
        """The answer of any hub that gives one; None where none does."""
        for _ in range(tries):
            with suppress(WireError):
                return call(self.client(random.choice(self.fleet.hubs)))
        return None

    def run(self) -> None:
        """Until it is ended."""
        while not self.ending.wait(0.3):
            self.look()
        for client in self.clients.values():
            client.close()

    def look(self) -> None:
        """One look."""
        raise NotImplementedError

    def end(self) -> None:
        """Ends it."""
        self.ending.set()
        self.join(30)


class Facts(Watch):
    """Nobody is lost falsely, no end is unknown, none is known twice."""

    def __init__(self, fleet: Fleet, log: Log) -> None:
        super().__init__(fleet, log)
        self.position = 0
        self.names: dict[str, str] = {}
        """Agent -> box; a hub that has not met an agent yet shows it by its id."""
        self.exits: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        """Agent -> pid -> when it ended, by each record."""
        self.called: list[tuple[str, float]] = []
        """Losses to be judged."""
        self.seen: set[tuple[object, ...]] = set()
        self.count = self.losses = 0
        self.touched: Counter[str] = Counter()
        """Box -> how many faults it had that excuse nothing."""
        self.excused: dict[str, list[tuple[float, float]]] = defaultdict(list)
        """Box -> spans of wall time in which a fault of its own may make it look lost."""
        self.died: dict[str, set[tuple[int, float]]] = defaultdict(set)
        """Box -> ends that it had not told when it died as a whole."""
        self.lock = threading.Lock()

    def look(self) -> None:
        rows = self.ask(lambda hub: hub.query("events", after=self.position, limit=1000))
        with self.lock:
            for row in rows or ():  # type: ignore[attr-defined]
                self.position = row["position"]
                self.take(row)
            judged = [one for one in self.called if one[0] in self.names]
            self.called = [one for one in self.called if one not in judged]
        for agent, at in judged:
            self.lost(self.names[agent], at)

    def take(self, row: Row) -> None:
        """One fact or notice."""
        if row["agent_name"] != row["agent"]:
            self.names[row["agent"]] = row["agent_name"]
        if row.get("note") == "presence" and row.get("presence") == "lost":
            self.called.append((row["agent"], float(row["at"])))
        if row["kind"] != "exit":
            return
        key = (row["agent"], row["boot"], row["seq"])
        if key in self.seen:
            self.log.breach(f"{row['agent_name']}: exit {key[1]} {key[2]} stands twice in the store")
        self.seen.add(key)
        same = self.exits[row["agent"]][row["pid"] or 0]
        if any(abs(at - row["ended_at"]) < 0.5 for at in same) and row["pid"]:
            self.log.breach(f"{row['agent_name']}: the end of pid {row['pid']} is known twice")
        same.append(row["ended_at"])
        self.count += 1

    def lost(self, name: str, at: float) -> None:
        """Somebody was called lost."""
        self.losses += 1
        slack = SLACK * self.fleet.period
        if not any(begin <= at <= end + slack for begin, end in self.excused[name]):
            self.log.breach(f"{name} was called lost and had no fault of its own")

    def excuse(self, name: str, seconds: float) -> None:
        """From now on for so long it cannot be heard."""
        self.excused[name].append((time.time(), time.time() + seconds))

    def faults(self, box: Box) -> int:
        """How many it had."""
        return len(self.excused[box.name]) + self.touched[box.name]

    def unknown(self, box: Box, older: float) -> list[tuple[int, float]]:
        """Ends older than so many seconds that are not known, and should be."""
        late = time.time() - older
        with self.lock:
            mine = [times for agent, times in self.exits.items() if self.names.get(agent) == box.name]
            known = {pid: [at for one in mine for at in one.get(pid, ())] for times in mine for pid in times}
        lines = [line for line in box.ended() if line[1] < late and line not in self.died[box.name]]
        return [(pid, at) for pid, at in lines if not any(abs(one - at) < NEAR for one in known.get(pid, ()))]

    def box_died(self, box: Box) -> None:
        """What it had not told is lost with it."""
        self.died[box.name].update(self.unknown(box, -5.0))

    def check(self, older: float = OVERDUE) -> int:
        """How many ends are unknown; each that is older is a breach, once."""
        missing = 0
        for box in self.fleet.boxes:
            for pid, at in self.unknown(box, older):
                missing += 1
                self.died[box.name].add((pid, at))
                self.log.breach(f"{box.name}: nothing is known of the end of pid {pid}, {time.time() - at:.0f} s ago")
        return missing


class Homes(Watch):
    """No two acting hubs count one agent, or poll one engine; epochs only grow."""

    def __init__(self, fleet: Fleet, log: Log) -> None:
        super().__init__(fleet, log)
        self.well: dict[str, bool] = {}
        """Hub -> whether it can be asked: a fault that is on makes it False."""
        self.epochs: dict[str, int] = {}
        self.rounds = 0

    def look(self) -> None:
        begun = time.monotonic()
        rows = list(self.rows())
        if time.monotonic() - begun > TOGETHER:
            return
        self.rounds += 1
        acting = [row for row in rows if row["state"] == "acting"]
        if sum(row["homes"] for row in acting) > len(self.fleet.boxes):
            self.log.breach(f"homes counted twice: {[(row['hub'], row['homes']) for row in acting]}")
        polled = [engine for row in acting for engine in row["engines"]]
        if len(polled) != len(set(polled)):
            self.log.breach(f"an engine is polled twice: {polled}")
        for row in rows:
            if row["epoch"] and row["epoch"] < self.epochs.get(row["hub"], 0):
                self.log.breach(f"epoch of {row['hub']} fell from {self.epochs[row['hub']]} to {row['epoch']}")
            self.epochs[row["hub"]] = max(row["epoch"], self.epochs.get(row["hub"], 0))

    def rows(self) -> Iterator[Row]:
        """Each hub's word about itself."""
        for hub in self.fleet.hubs:
            if self.well.get(hub.folder.name, True):
                with suppress(WireError):
                    yield from (row for row in self.client(hub).query("hubs") if row["self"])


class Orders(Watch):
    """Each command is carried out once, or not at all; what is done was done."""

    def __init__(self, fleet: Fleet, log: Log, facts: Facts, ttl: float = TTL) -> None:
        super().__init__(fleet, log)
        self.facts, self.ttl = facts, ttl
        self.given = self.done = 0
        self.expected = {box.name: 0 for box in fleet.boxes}

    def look(self) -> None:
        box = random.choice(self.fleet.boxes)
        before, faults = box.signals(), self.facts.faults(box)
        self.given += 1
        id = f"soak-{self.given}"
        wish = {"targets": [f"{box.name}/counting"], "verb": "signal", "args": {"signal": "USR1"}, "id": id}
        asked = self.ask(lambda hub: hub.query("command", ttl=self.ttl, **wish), 3)
        state = self.state(id) if asked else ""
        if not state or state == "done":
            self.ending.wait(0.5)
        more = box.signals() - before
        if more > 1:
            self.log.breach(f"{id} to {box.name} was carried out {more} times")
        calm = faults == self.facts.faults(box)
        if state == "done" and not more and calm:
            self.log.breach(f"{id} to {box.name} is called done and was not")
        self.done += state == "done"

    def state(self, id: str) -> str:
        """How it ended; "" where that is not known in time."""
        deadline = time.monotonic() + self.ttl + 6.0
        while time.monotonic() < deadline and not self.ending.wait(0.1):
            row = self.ask(lambda hub: hub.query("command_state", id=id), 1)
            if isinstance(row, dict) and row["state"] in ("done", "failed", "expired"):
                return str(row["state"])
        return ""


class Memory(Watch):
    """Resident memory of every process, now and then."""

    def __init__(self, fleet: Fleet, log: Log, every: float) -> None:
        super().__init__(fleet, log)
        self.every, self.points = every, defaultdict[tuple[int, str], list[tuple[float, int]]](list)

    def look(self) -> None:
        for pid, name in self.fleet.processes().items():
            self.points[pid, name].append((time.monotonic(), rss(pid)))
        self.ending.wait(self.every)

    def slopes(self, since: float, until: float) -> dict[str, float]:
        """Process -> growth in % of its mean in ten minutes; of those that lived all that time."""
        found = {}
        for (_, name), points in self.points.items():
            inside = [(at, size) for at, size in points if since <= at <= until and size]
            if len(inside) > 5 and inside[-1][0] - inside[0][0] > 0.9 * (until - since):
                found[name] = round(slope(inside) * 600.0 * 100.0, 2)
        return found


def slope(points: list[tuple[float, int]]) -> float:
    """Least squares: growth a second as a part of the mean."""
    count = len(points)
    middle, mean = sum(at for at, _ in points) / count, sum(size for _, size in points) / count
    spread = sum((at - middle) ** 2 for at, _ in points)
    return sum((at - middle) * (size - mean) for at, size in points) / spread / mean
