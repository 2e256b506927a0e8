"""What the hub knows right now: agents, engines, containers, keys, and the picture that joins them.

Plain state with the few questions every room asks of it (what is it called, which labels count, who holds it); the
rooms change it, each its own part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from hub.clock import Instant
from hub.cluster.overload import Load
from hub.discovery import identity
from hub.discovery.registry import ARCHIVE_SECONDS, Agent, Registry
from hub.engines.reports import ContainerRow, ContainerSample, EngineCommand, EngineState
from hub.store.rows import KeyRow
from hub.trust.rotation import Standing
from hub.words import Effects, Route
from wire._record import Record
from wire.messages import HubAddress

PEER = "hub/"
"""Begins the User-Id of another hub; no agent's or client's name holds a slash."""
COMPOSE_SERVICE = "com.docker.compose.service"


class Settings(Record):
    """What the core needs of the configuration and the keyring."""

    hub: str
    period: float
    sample_period: float
    addresses: tuple[HubAddress, ...]
    """This hub as agents are to dial it, one entry for each advertised name."""
    enrol_addresses: tuple[str, ...]
    """`host:port` of the enrolment port, for join strings."""
    fleet_key: str
    client: str
    """`host:port` of the client port, for key files."""
    feed: str
    admin_key: str
    """Public key of the client key made at the first start."""
    engines: frozenset[str] = frozenset()
    """Names of the engines in the configuration: no relay's engine gets one of them."""
    standing: Standing = Standing()
    """Where the rotation of the hub's key stands."""
    shared: bool = False
    """Other hubs may have the store open too."""
    keep_lost: float = ARCHIVE_SECONDS
    """Seconds that agents stay in history, and their keys after them."""
    capacity: int = 10_000
    """Agents that this hub can hold."""
    link: str = ""
    """Public key under which this hub dials others."""


class Known(Record):
    """One container of one engine."""

    engine: str
    row: ContainerRow
    at: float
    """When the list that shows it was complete."""


class Fleet:
    """The present state of everything."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.load = Load(settings.period, settings.capacity)
        self.registry = Registry(settings.period, settings.keep_lost)
        self.engines: dict[str, EngineState] = {}
        self.containers: dict[str, Known] = {}
        self.samples: dict[str, ContainerSample] = {}
        """Last figures of each container from its engine."""
        self.keys: dict[str, KeyRow] = {}
        """Live keys by public key."""
        self.fresh: dict[str, str] = {}
        """New keys of agents and relays that were not used yet, each with the one it is to replace."""
        self.rekeying: set[str] = set()
        """Agents and relays that are to change their key."""
        self.agent_keys: dict[str, KeyRow] = {}
        """The same, of agents, by agent id."""
        self.client_keys: dict[str, KeyRow] = {}
        """The same, of clients, by name."""
        self.relay_keys: dict[str, KeyRow] = {}
        """The same, of relays, by the name of the key."""
        self.relayed: dict[str, Callable[[EngineCommand, Instant], Effects]] = {}
        """Engine behind a relay -> how an order is given to it; all others get theirs from the loop."""
        self._table: dict[tuple[str, str], str] = {}
        self.hub_keys: dict[str, str] = {}
        """Key -> name of the other hubs that are members now: what they may ask is in hub.trust.roles."""
        self.routes: dict[str, Route] = {}
        """Agent -> way to its command route."""
        self.watched: set[str] = set()
        """Topics of the feed somebody is subscribed to."""
        self.followers = 0
        """Connections that follow by the client port."""
        self.followed: Callable[[str], bool] = lambda topic: False
        """Whether somebody follows a topic by the client port."""
        self.picture = identity.Board()
        self.epoch = 0
        self.store_away: float | None = None
        """Since when (wall time) the store does not answer or cannot write."""
        self.started = Instant(0.0, 0.0)
        self.hubs_of: Callable[[str], tuple[HubAddress, ...]] = lambda agent: self.settings.addresses
        """The hubs in the order in which an agent is to turn to them."""

    def rejoin(self, agents: Iterable[str] = (), containers: Iterable[str] = ()) -> None:
        """Brings the picture up to date after these agents or containers have changed.

        Claims of different containers never touch each other, so only the claims of the same ones are judged again.
        """
        known = self.registry.agents
        touched = {*containers, *(known[agent].said.container for agent in agents if agent in known)}
        again = {agent for agent in (*agents, *self.registry.claiming(touched)) if agent in known}
        claims = [
            identity.Claim(agent.id, agent.said.container, agent.said.started_at, agent.listed)
            for agent in (known[agent_id] for agent_id in again)
        ]
        listed = {key: _listed(key, self.containers[key]) for key in touched if key in self.containers}
        self.picture.absorb(again, touched, identity.join(claims, listed, self.picture))
        self.registry.touched |= again
        for agent_id in again & self.picture.container_of.keys():
            agent, container = known[agent_id], self.picture.container_of[agent_id]
            agent.verified, agent.container_name = container, self.containers[container].row.name

    def archive(self, now: Instant) -> list[str]:
        """Drops the agents that left long ago from memory, and returns them."""
        old = self.registry.archive(now)
        for agent in old:
            self.picture.absorb([agent.id], [], identity.EMPTY)
            self.rejoin(containers=[agent.said.container])
        return [agent.id for agent in old]

    def container_of(self, agent_id: str) -> Known | None:
        """The agent's verified container."""
        return self.containers.get(self.picture.container_of.get(agent_id, ""))

    def ahead(self, engine: str) -> float:
        """Seconds to add to an engine's own times for the hub's."""
        state = self.engines.get(engine)
        return state.clock_ahead if state else 0.0

    def name_of(self, agent: Agent) -> str:
        """Display name: its container's once joined, else what it calls itself, else its host name."""
        return agent.container_name or agent.said.name or agent.said.hostname or agent.id

    def name(self, agent_id: str) -> str:
        """As `name_of`, for an id that may be unknown."""
        agent = self.registry.agents.get(agent_id)
        return self.name_of(agent) if agent else agent_id

    def labels_of(self, agent: Agent) -> dict[str, str]:
        """The labels that count: the token's, and what the engine says of its container."""
        known = self.container_of(agent.id)
        outer = {**container_labels(known.row.labels), **self.relay_labels(known)} if known else {}
        return {**outer, **agent.labels}

    def labels_of_container(self, container: str) -> dict[str, str]:
        """The same for a container, which may have an agent."""
        known = self.containers[container]
        agent = self.registry.agents.get(self.picture.agent_of.get(container, ""))
        return {**container_labels(known.row.labels), **self.relay_labels(known), **(agent.labels if agent else {})}

    def relay_labels(self, known: Known) -> dict[str, str]:
        """The labels of the token that the relay of a container's engine came with; none where there is no relay."""
        state = self.engines.get(known.engine)
        row = self.relay_keys.get(state.via) if state else None
        return dict(row.scope) if row else {}

    def of_token(self, token: str) -> Iterator[Agent]:
        """Listed agents that enrolled with this token."""
        return (agent for agent in self.registry.agents.values() if agent.token == token and agent.listed)

    def admissions(self) -> dict[tuple[str, str], str]:
        """(domain, key) -> User-Id for the gate."""
        hubs = {("clients", public): PEER + hub for public, hub in self.hub_keys.items()}
        return {**self._table, **hubs}

    def add_key(self, row: KeyRow) -> None:
        """A key becomes live."""
        elder = self._by_subject(row).get(row.subject) if row.kind in ("agent", "relay") else None
        if elder is not None and elder.public != row.public:
            self.fresh[row.public] = elder.public
        self.keys[row.public] = row
        self._by_subject(row)[row.subject] = row
        self._table.update(dict.fromkeys(_doors(row), row.subject))

    def drop_key(self, public: str) -> None:
        """One of two keys of an agent or a relay is live no more; it stays, under the other."""
        row = self.keys.pop(public)
        for door in _doors(row):
            self._table.pop(door, None)
        elder = self.fresh.pop(public, "")
        known = self._by_subject(row)
        if known.get(row.subject) == row and elder in self.keys:
            known[row.subject] = self.keys[elder]

    def elder(self, row: KeyRow) -> KeyRow | None:
        """The key that this one is to replace, as long as both are live."""
        return self.keys.get(self.fresh.get(row.public, ""))

    def remove_key(self, public: str) -> KeyRow | None:
        """A key is live no more; what still talks under it is refused from the next message on."""
        row = self.keys.pop(public, None)
        if row is not None:
            if elder := self.elder(row):
                self.drop_key(elder.public)
            self.fresh.pop(public, None)
            self._by_subject(row).pop(row.subject, None)
            for other in self.keys.values():  # each hub makes a key for the admin of its machine
                if row.kind == "client" and (other.kind, other.subject) == (row.kind, row.subject):
                    self.client_keys[row.subject] = other
            if row.kind == "agent":
                self.routes.pop(row.subject, None)
            for door in _doors(row):
                self._table.pop(door, None)
        return row

    def _by_subject(self, row: KeyRow) -> dict[str, KeyRow]:
        return {"agent": self.agent_keys, "relay": self.relay_keys}.get(row.kind, self.client_keys)


def _doors(row: KeyRow) -> list[tuple[str, str]]:
    """What a key opens; a scoped client may not read the feed, which shows everything."""
    domains = {"agent": ("agents",), "relay": ("agents",), "client": ("clients",) if row.scope else ("clients", "feed")}
    return [(domain, row.public) for domain in domains.get(row.kind, ())]


def _listed(key: str, known: Known) -> identity.Listed:
    return identity.Listed(key, known.engine, known.row.state in ("running", "paused"), known.row.started_at)


def container_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """An engine's labels, with compose's service under the short name people type."""
    service = labels.get(COMPOSE_SERVICE)
    return {**labels, **({"service": service} if service else {})}
