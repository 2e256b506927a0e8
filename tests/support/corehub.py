"""A hub without sockets: the real core and a real store, carried out at once in virtual time."""

from __future__ import annotations

import itertools
from array import array
from pathlib import Path
from typing import Any

from hub import words
from hub.alerts.rules import Book, Sink
from hub.clock import Instant
from hub.core import Core
from hub.engines.reports import ContainerList, ContainerRow, EngineState, Report
from hub.fleet import Settings
from hub.store.chained import chained
from hub.store.embedded import Embedded
from hub.store.errors import StoreError
from wire import messages as M
from wire.keys import JoinString, KeyPair
from wire.messages import HubAddress
from wire.model import Fact, RosterRow, State, Status, Want

START = 1_800_000_000.0
KEY = KeyPair.generate()
SETTINGS = Settings(
    "hub-1", 2.0, 5.0, (HubAddress("h:7401", "h:7402", "h:7403", KEY.public),), ("h:7403",), KEY.public, "h:7404",
    "h:7405", "A" * 40,
)  # fmt: skip


def register(boot: str = "b1", name: str = "shop", at: float = START, **changes: Any) -> M.Register:
    """A registration of an agent whose clock agrees with the hub's."""
    first = M.Register(
        boot, "", "none", name, ("10.0.0.1",), at, at, 0.0, "0", M.Remote.OPERATE, {}, 0, 0, 1, "ipc:///x", name
    )
    return first._replace(**changes)


class CoreHub:
    """Drives a core; what it sends, publishes and orders is collected."""

    def __init__(self, folder: Path, mono: float = 1000.0) -> None:
        self.folder, self.mono = folder, mono
        self.sent: list[words.Send] = []
        self.published: list[words.Publish] = []
        self.orders: list[words.Order] = []
        self.says: list[words.Say] = []
        self.admitted: dict[tuple[str, str], str] = {}
        self.broken = ""
        self.rules: tuple[Book | None, str] = (None, "alerts.ini: no such file")
        """What the file of alert rules holds where it is read again, or its problems."""
        self.sinks: tuple[Sink, ...] = ()
        self.start()

    def start(self) -> None:
        """A new core over the same store, as after a restart of the hub; its attention begins anew."""
        self.store, self.attention = chained(Embedded(str(self.folder)), 365 * 86400.0), 0.0
        ids = itertools.count(len(self.store.agents()) + 1)
        self.core = Core(SETTINGS, "0", lambda: f"id{next(ids):06d}")
        self.carry_out(self.core.start(self.now))

    def restart(self) -> None:
        """The hub stops and starts."""
        self.store.close(self.now.wall)
        self.start()

    @property
    def now(self) -> Instant:
        """This moment."""
        return Instant(self.mono, START + self.mono - 1000.0, self.attention)

    def wait(self, seconds: float, ticks: float = 0.2) -> None:
        """Time passes with a tick as often as the loop makes one."""
        for _ in range(round(seconds / ticks)):
            self.mono += ticks
            self.attention += ticks
            self.feed(words.Tick())

    def feed(self, event: words.Event) -> None:
        """One event and everything that follows from it."""
        self.carry_out(self.core.handle(event, self.now))

    def carry_out(self, effects: words.Effects) -> None:
        for effect in effects:
            if isinstance(effect, words.Store):
                self._store(effect)
            elif isinstance(effect, words.Answer):
                self.sent += [words.Send(route, effect.beat._replace(durable=kept)) for route, kept in effect.routes]
            elif isinstance(effect, words.Admit):
                self.admitted = dict(effect.table)
            elif isinstance(effect, words.Rotate):
                self.rotate(effect)
            elif isinstance(effect, words.Reread):
                self.feed(words.Stored(effect.then, *self.rules))
            elif isinstance(effect, words.Employ):
                self.sinks = effect.sinks
            else:
                kinds = {words.Send: self.sent, words.Publish: self.published, words.Order: self.orders}
                kinds[words.Say] = self.says
                kinds.get(type(effect), []).append(effect)  # type: ignore[arg-type]

    def rotate(self, effect: words.Rotate) -> None:
        """There are no sockets that could listen under another key."""
        self.feed(words.Stored(effect.then, None, "no sockets"))

    def _store(self, effect: words.Store) -> None:
        try:
            if effect.method == self.broken:
                raise StoreError("the disk is full")
            value, error = getattr(self.store, effect.method)(*effect.args), ""
        except StoreError as fault:
            value, error = None, str(fault)
        if effect.then is not None:
            self.feed(words.Stored(effect.then, value, error))
        else:
            assert effect.method == self.broken or not error, f"{effect.method}{effect.args}: {error}"

    # -- peers -------------------------------------------------------------------------------------------------------

    def ask(self, port: str, user: str, message: Any, peer: str = "1.2.3.4") -> Any:
        """A request and its answer (None where there is none)."""
        route = words.Route(port, (user.encode(), b""))
        before = len(self.sent)
        self.feed(words.Asked(route, user, peer, message))
        answers = [send.message for send in self.sent[before:] if send.route == route]
        return answers[0] if answers else None

    def query(self, op: str, user: str = "admin", /, **args: Any) -> Any:
        """A client's question: the result, or Refused."""
        answer = self.ask("clients", user, M.Query("q", op, args))
        return answer.result if isinstance(answer, M.Answer) else answer

    def token(self, **args: Any) -> JoinString:
        """A join string."""
        return JoinString.parse(self.query("token.create", **{"kind": "service", **args})["join"])

    def enrol(self, join: JoinString, public: str | None = None) -> Any:
        """The answer to an enrolment with this key."""
        message = M.Enrol(join.token, join.secret, "", "host", "0")
        return self.ask("enrol", public or KeyPair.generate().public, message)

    def agent(self, name: str = "shop", *programs: str, join: JoinString | None = None, **changes: Any) -> str:
        """An enrolled and registered agent with a roster; its id."""
        agent = self.enrol(join or self.token()).agent
        self.ask("agents", agent, register(name=name, at=self.now.wall, **changes))
        self.ask("agents", agent, roster(self.now.wall, *programs, boot=changes.get("boot", "b1")))
        return str(agent)

    def hello(self, agent: str, boot: str = "b1") -> words.Route:
        """Its command route; commands appear in `sent` under it."""
        route = words.Route("agents", (f"dealer-{agent}".encode(),))
        self.feed(words.Asked(route, agent, "1.2.3.4", M.Hello(boot)))
        return route

    def beat(self, agent: str, boot: str = "b1", **changes: Any) -> Any:
        """A heartbeat and its answer."""
        return self.ask("agents", agent, M.Heartbeat(boot, 0, 1, self.now.wall, 0.0, 1, 0, 0.0)._replace(**changes))

    def feed_event(self, agent: str, fact: Fact, boot: str = "b1") -> None:
        """A live event."""
        self.feed(words.Published(agent, M.Event(boot, fact)))

    def sample(self, agent: str, *cpu: float, roster: int = 1, boot: str = "b1", rss: float = 1e6) -> None:
        """One sample of all rows of the roster."""
        packed = {"cpu": array("f", cpu).tobytes(), "rss": array("f", [rss] * len(cpu)).tobytes()}
        values = array("d", [1.0] * 14).tobytes()
        self.feed(words.Published(agent, M.Sample(boot, roster, self.now.wall, 0.0, 1.0, packed, values)))

    def watch(self, topic: str, on: bool = True) -> None:
        """Somebody subscribes to the feed, or leaves it."""
        self.feed(words.Watched(topic, on))

    def report(self, *reports: Report) -> None:
        """What an engine says."""
        for report in reports:
            self.feed(words.Reported(report))

    def commands(self) -> list[M.Command]:
        """Commands sent to agents so far."""
        return [send.message for send in self.sent if isinstance(send.message, M.Command)]

    def presence(self, agent: str) -> str:
        """Where it stands."""
        return str(self.core.fleet.registry.agents[agent].presence)

    def notices(self) -> list[Any]:
        """Presences told on the feed."""
        told = [item.body for item in self.published if item.topic.startswith("notice/")]
        return [body["presence"] for body in told if body["note"] == "presence"]


def roster(at: float, *programs: str, boot: str = "b1", number: int = 1, last_seq: int = 0) -> M.Roster:
    """A roster with these programs running as pids 100, 101, ..."""
    rows = tuple(RosterRow(100 + n, 7, 1, "program", name, name, 0) for n, name in enumerate(programs))
    parts = [(name.partition(":")[0], name.rpartition(":")[2]) for name in programs]
    states = tuple(
        Status(group, name, name, 0, State.RUNNING, Want.UP, 100 + n, 7, at, 5.0, 0, "")
        for n, (group, name) in enumerate(parts)
    )
    return M.Roster(boot, number, last_seq, at, 0.0, ("cpu",), rows, states, ())


def container(number: int = 1, at: float = START, **changes: Any) -> ContainerRow:
    """A running container `box-N`."""
    row = ContainerRow(f"{number:064x}", f"box-{number}", "image", "running", "Up", started_at=at, created_at=at)
    return row._replace(**changes)


def listing(at: float, *rows: ContainerRow, engine: str = "e1") -> tuple[EngineState, ContainerList]:
    """An engine that answers with these containers."""
    return EngineState(engine, at, True, version="26", host="vm", seen_at=at), ContainerList(engine, at, rows)
