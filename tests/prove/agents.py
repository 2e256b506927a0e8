"""10,000 agents, 3 hubs, a Redis Cluster: registered in 25 s, 50 us of hub CPU a heartbeat, a core in all (4 min).

Three real hubds, a real Redis Cluster, and agents of link's own session and sockets with CURVE, their keys made and
kept beforehand.  Measured, with what the claim allows: the seconds from their start until the hubs serve all of them;
the hubs' CPU for each heartbeat, everything else that they do meanwhile included; the hubs' memory for each agent
before any sample; the hubs' cores with heartbeats every 2 s and samples of 10 processes every 5 s; then, for itself,
how many a second are enrolled.  Takes 3 to 4 minutes; needs 20,000 descriptors and 8 GB.

The fault to switch on: agents that register again instead of beating.
"""

from __future__ import annotations

import os
import resource
import secrets
import signal
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from hub.cluster.rendezvous import ranking
from hub.cluster.rows import LeaseRow
from hub.opening import open_place
from hub.store.rows import KeyRow
from tests.support.livehub import LiveHub
from tests.support.livehubs import Crew, LiveHubs
from tests.support.redis import Cluster
from tests.support.thousands import Crowd, Enrolled
from tests.support.waiting import until
from wire.keys import KeyPair
from wire.messages import HubAddress


class Form:
    """How much of it."""

    agents, each, enrolling = 10_000, 1250, 300
    settle, beating, sampling = 5.0, 20.0, 30.0
    period, sample_period = 2.0, 5.0
    patience = 90.0


class Quick(Form):
    """The form that the tests run: one hub on its own store."""

    agents, each, enrolling = 150, 150, 0
    settle, beating, sampling = 0.5, 1.5, 1.5
    period, sample_period = 0.5, 1.0
    patience = 15.0


LIMITS = {"registered_seconds": 25.0, "us_per_heartbeat": 50.0, "kib_per_agent": 150.0, "hub_cores": 1.0}
QUICK_LIMITS = {"registered_seconds": 10.0, "us_per_heartbeat": 1000.0, "kib_per_agent": 170.0, "hub_cores": 0.8}
"""A few agents wake a hub for each of their words, and share its ticks; and tests run beside others."""
TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


class Stage:
    """The hubs, their store, and the keys of a fleet that was enrolled before."""

    def __init__(self, folder: Path, form: type[Form], stack: ExitStack) -> None:
        self.form, self.servers = form, list[int]()
        if form.enrolling:
            cluster = Cluster(folder / "redis")
            stack.callback(cluster.kill)
            self.servers = [node.process.pid for node in cluster.nodes if node.process]
            self.store = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in cluster.nodes)
            many = LiveHubs(folder, self.store, period=form.period, sample_period=form.sample_period)
            self.hubs, self.up, down = many.hubs, many.start, many.stop
        else:
            one = LiveHub(folder, form.period, sample_period=form.sample_period)
            self.hubs, self.up, down, self.store = [one], one.start, one.stop, f"{folder}/state/store"
        stack.callback(down)
        self.up()
        self.join = self.hubs[0].join(cap=2 * form.agents).format()
        self.empty = sum(map(resident, self.hubs))
        for hub in self.hubs:
            hub.kill(signal.SIGTERM)
        self.members = self._enrol()
        self.up()

    def _enrol(self) -> list[Enrolled]:
        """What enrolment leaves behind: keys in the store, and with each agent its key and its hubs in their order."""
        places = {hub: HubAddress(
            *(f"127.0.0.1:{hub.ports[port]}" for port in ("command", "samples", "enrol")),
            KeyPair.load(hub.folder / "state" / "keys" / "hub.json").public,
        ) for hub in self.hubs}  # fmt: skip
        names = {(hub.folder / "state" / "keys" / "hub.id").read_text().strip(): at for hub, at in places.items()}
        rows, pairs = [LeaseRow(name) for name in names], [KeyPair.generate() for _ in range(self.form.agents)]
        ids = [secrets.token_hex(8) for _ in pairs]
        store = open_place(self.store, make=True)
        with store.batch():
            for agent, pair in zip(ids, pairs, strict=True):
                store.put_key(KeyRow(pair.public, "agent", agent, time.time() - 60))
        store.close(time.time())
        orders = [tuple(names[hub] for hub in ranking(agent, 0.0, rows)) for agent in ids]
        return list(zip(ids, pairs, orders, strict=True))


def cpu(pids: Iterable[int]) -> float:
    """CPU seconds of these processes so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / TICKS


def pids(hubs: Sequence[LiveHub]) -> list[int]:
    """Of hubs that run."""
    return [hub.process.pid for hub in hubs if hub.process is not None]


def resident(hub: LiveHub) -> float:
    """KiB of a hub's memory."""
    (pid,) = pids([hub])
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1024


def heartbeats(hubs: Sequence[LiveHub]) -> float:
    """How many the hubs have heard."""
    lines = [line for hub in hubs for line in hub.client.query("metrics").splitlines() if '"Heartbeat"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


class Look:
    """What the hubs, the store and the agents used between two looks."""

    def __init__(self, stage: Stage, crowd: Crowd) -> None:
        self.stage, self.crowd = stage, crowd
        self.begun, self.before = time.monotonic(), self._now()

    def _now(self) -> list[float]:
        stage = self.stage
        return [cpu(pids(stage.hubs)), cpu(stage.servers), self.crowd.tally()["cpu"], heartbeats(stage.hubs)]

    def since(self) -> tuple[float, list[float]]:
        """Seconds, and what was used: hubs, store, agents, and how many heartbeats were heard."""
        seconds = time.monotonic() - self.begun
        return seconds, [now - then for now, then in zip(self._now(), self.before, strict=True)]


def measured(stage: Stage, crowd: Crowd) -> dict[str, float]:
    """The figures, in the order in which they are taken."""
    form, figures = stage.form, dict[str, float]()
    begun, before = time.monotonic(), cpu(pids(stage.hubs))
    crowd.tell("go")
    while crowd.tally()["registered"] < form.agents and time.monotonic() < begun + form.patience:
        time.sleep(0.1)
    figures["registered_seconds"] = time.monotonic() - begun
    figures["hub_cpu_seconds_to_register"] = round(cpu(pids(stage.hubs)) - before, 2)
    time.sleep(form.settle)
    figures["kib_per_agent"] = (sum(map(resident, stage.hubs)) - stage.empty) / form.agents
    look = Look(stage, crowd)
    time.sleep(form.beating)
    _, (hubs, _, _, beats) = look.since()
    figures["us_per_heartbeat"] = 1e6 * hubs / max(beats, 1)
    crowd.tell("loud")
    time.sleep(2 * form.settle)
    look = Look(stage, crowd)
    time.sleep(form.sampling)
    seconds, (hubs, store, agents, beats) = look.since()
    figures["hub_cores"] = hubs / seconds
    figures |= {"store_cores": round(store / seconds, 2), "agents_cores": round(agents / seconds, 2)}
    figures["heartbeats_a_second"] = round(beats / seconds)
    figures["registrations"] = crowd.tally()["registered"]
    lines = [line for hub in stage.hubs for line in hub.log.read_text().splitlines()]
    figures |= {word: sum(f"): {word}," in line for line in lines) for word in ("late", "lost")}
    return figures


def enrolled_a_second(stage: Stage) -> float:
    """A few more, by the enrolment port, beside all others."""
    begun = time.monotonic()
    crew = Crew(stage.join, stage.form.enrolling)
    until(lambda: crew.ask("untold") == 0, 120.0, "all are enrolled")
    crew.close()
    return round(stage.form.enrolling / (time.monotonic() - begun), 1)


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim held."""
    form, most = (Quick, QUICK_LIMITS) if quick else (Form, LIMITS)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        stage = Stage(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agents-"))), form, stack)
        crowd = Crowd(stage.join, stage.members, form.each, mutate)
        stack.callback(crowd.close)
        figures = measured(stage, crowd)
        if form.enrolling:
            figures["enrolled_a_second"] = enrolled_a_second(stage)
    shown = {name: f"{figures.pop(name):.2f} of at most {limit:g}" for name, limit in most.items()}
    held = all(float(text.split()[0]) <= most[name] for name, text in shown.items())
    once = figures["registrations"] <= 1.05 * form.agents and not figures["lost"]
    return {"agents": form.agents, "hubs": len(stage.hubs), **shown, **figures}, held and once
