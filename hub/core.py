"""The hub's core: takes one event, asks the room it belongs to, and returns what is to be done.  Pure.

    agents   ->  discovery.desk        samples, live events -> discovery.desk
    enrol    ->  discovery.enrolment   engines' reports     -> discovery.witness
    relays   ->  discovery.relays
    clients  ->  queries (from memory), recall and forensics (from the store), commands.orders, trust.admin

It only joins these rooms: it checks roles, answers refusals, and hands time around.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.alerts.room import Alerts
from hub.alerts.rules import Book
from hub.alerts.rules import parse as rules_of
from hub.clock import Instant
from hub.cluster.gather import Gather
from hub.cluster.rhythm import Rhythm
from hub.cluster.room import Cluster
from hub.commands.orders import BACK_SECONDS, Orders
from hub.commands.rolls import Rolls
from hub.commands.succession import Succession
from hub.discovery.desk import Desk
from hub.discovery.enrolment import Enrolment
from hub.discovery.notices import keep, tell
from hub.discovery.pulse import Pulse
from hub.discovery.relays import Relays
from hub.discovery.rows import agent_of
from hub.discovery.witness import Witness
from hub.errors import Refusal
from hub.fleet import PEER, Fleet, Settings
from hub.forensics import Forensics, Weather
from hub.gauges import count_exit, count_messages, own_values, read_alerts, read_fleet, read_store
from hub.monitor.metrics import Metrics
from hub.plain import plain
from hub.queries import Queries
from hub.recall import Recall
from hub.store.rows import AgentRow, AuditRow, CommandRow, KeyRow, TokenRow
from hub.trust.admin import Admin
from hub.trust.behalf import BEHALF, on_behalf
from hub.trust.following import Following
from hub.trust.kept import FLEET, Kept
from hub.trust.refusals import audited, refused
from hub.trust.rekeying import REKEY, Rekeying
from hub.trust.roles import HUB_OPS, Role, Subject, require
from hub.trust.turning import Turning
from hub.words import (
    Admit,
    Asked,
    Beaten,
    Effects,
    Event,
    Garbled,
    Publish,
    Published,
    Replied,
    Reported,
    Sampled,
    Say,
    Send,
    Store,
    Stored,
    StoreNews,
    Tick,
    Undelivered,
    Watched,
)
from wire import limits
from wire import messages as M
from wire.model import PROTOCOL
from wire.openmetrics import PLAIN

NO_RIGHT = frozenset({"forbidden", "unknown-operation"})
"""Refusals that say something about who asks; they are audited, as all refusals of what only an admin may do."""

UPKEEP_SECONDS = 60.0
"""Pause between two looks for agents and keys to forget; after a restart ages are wrong by this at most."""


class Core:
    """Everything the hub decides.  `new_id` makes an id nobody had before (hex); `book` the alerts."""

    def __init__(self, settings: Settings, version: str, new_id: Callable[[], str], book: Book | None = None) -> None:
        self.fleet = Fleet(settings)
        self.version = version
        self.orders = Orders(self.fleet, new_id)
        self.enrolment = Enrolment(self.fleet, new_id)
        self.weather = Weather(self.fleet)
        self.desk = Desk(self.fleet, self.orders.ready, self.weather.hear)
        self.witness = Witness(self.fleet, self.orders, self.enrolment)
        self.relays = Relays(self.fleet, self.witness, self.enrolment.relays)
        self.queries = Queries(self.fleet, self.orders)
        self.recall = Recall(self.fleet, self.orders)
        self.forensics = Forensics(self.fleet, self.orders, self.recall, self.weather)
        self.rolls = Rolls(self.fleet, self.orders)
        self.admin = Admin(self.fleet, self.enrolment)
        self.asking = {**self.recall.handlers, **self.admin.handlers, "command": self._command}
        self.asking |= self.forensics.handlers | self.rolls.handlers
        self.asking |= {"about": self._about, "metrics": self._metrics, "hubs": self._hubs, "drain": self._drain}
        self.asking[BEHALF] = on_behalf(self._judge)
        self.turning = Turning(self.fleet)
        self.rekeying = Rekeying(self.fleet)
        self.desk.handlers[M.Rekey] = self.relays.rekey = self.rekeying.take
        self.admin.own_keys = self.turning.rows
        self.metrics, self.upkeep_at, self.garbled = Metrics(), 0.0, 0
        self.kept = Kept(self.fleet, self.orders.rows)
        self.alerts = Alerts(self.fleet, self.weather, new_id, self._own, book or rules_of("", "(none)"))
        self.following = Following(self.fleet, self.recall, self.rolls, lambda: self.turning.moved)
        self.asking |= self.alerts.handlers | self.turning.handlers | self.rekeying.handlers | self.following.handlers
        self.cluster = Cluster(self.fleet, self.orders, version) if settings.shared else None
        self.desk.compass = self.relays.compass = self.witness.compass = self.cluster
        self.ports: dict[str, Callable[[Asked, Instant], Effects]] = {
            "agents": self._from_agent,
            "clients": self._from_client,
            "enrol": self.enrolment.take,
        }
        self.handlers: dict[type, Callable[[Any, Instant], Effects]] = {
            Asked: self._asked,
            Beaten: Pulse(self.desk, self._asked, Rhythm(self.cluster) if self.cluster else None).take,
            Garbled: self._garbled,
            Published: self.desk.hear,
            Sampled: self.desk.sample,
            Watched: self._watched,
            Reported: lambda event, now: self.witness.take(event.report, now),
            Stored: self._stored,
            StoreNews: self._store_news,
            Undelivered: lambda event, now: self.desk.undelivered(event),
            Tick: self._tick,
        }
        if self.cluster is not None:
            self._join(self.cluster)

    def _join(self, cluster: Cluster) -> None:
        """The rooms that know of other hubs."""
        links = cluster.near.links
        self.handlers[Replied] = lambda event, now: links.replied(event.hub, event.message, now)
        cluster.errands.listen()
        cluster.tidings.errands = {**cluster.tidings.errands, REKEY: self.rekeying.wished}
        cluster.tidings.lost = self.kept.look
        self.alerts.things.mine = cluster.serves
        self.rolls.acts = cluster.acts
        cluster.near.succession = Succession(self.rolls, cluster.name, cluster.near.carrier)
        self.gather = Gather(self.fleet, self.queries, self.rolls, links, cluster.near.at)
        self.asking |= self.gather.handlers

    def handle(self, event: Event, now: Instant) -> Effects:
        """The effects of one event, in the order in which they are to be carried out."""
        count_messages(self.metrics, event)
        effects = self.kept.hear(self.turning.stamp(self.handlers[type(event)](event, now)))
        if self.cluster is not None:
            effects = self.cluster.tidings.sign(effects)
        self.alerts.hear(effects, now)
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.message, M.Refused):
                self.metrics.count("pidone_refused_total", effect.message.code)
            elif isinstance(effect, Publish) and effect.topic.startswith("fact/"):
                count_exit(self.metrics, effect.body)
        return self.following.tell(effects, now)

    # -- start -------------------------------------------------------------------------------------------------------

    def start(self, now: Instant) -> Effects:
        """What must be read from the store before anybody is let in."""
        self.fleet.started = now
        since = now.wall - BACK_SECONDS
        return [
            *(self.cluster.start(now) if self.cluster else []),
            Store("keys", (), self._loaded(self._take_keys)),
            Store("tokens", (), self._loaded(self._take_tokens)),
            Store("agents", (), self._loaded(self._take_agents)),
            Store("commands", (since, 10_000), self._loaded(self._take_commands)),
            self.weather.start(now),
            Store("next_epoch", (0,), self._loaded(self._take_epoch)),
            self.rolls.start(now),
            *self.alerts.start(now),
        ]

    def _loaded(self, take: Callable[[Any, Instant], Effects]) -> Callable[[Any, str, Instant], Effects]:
        def arrived(found: Any, error: str, now: Instant) -> Effects:
            if error:
                raise Refusal("store", f"the store cannot be read: {error}")
            return take(found, now)

        return arrived

    def _take_keys(self, rows: Sequence[KeyRow], now: Instant) -> Effects:
        for row in rows:
            if row.revoked_at is None and row.kind != FLEET:
                self.fleet.add_key(row)
        effects: Effects = self._same_fleet(rows, now) if self.cluster else []
        if self.fleet.settings.admin_key not in self.fleet.keys:
            admin = KeyRow(self.fleet.settings.admin_key, "client", "admin", now.wall, role=Role.ADMIN.value)
            self.fleet.add_key(admin)
            effects.append(Store("put_key", (admin,)))
        return [*effects, Admit(self.fleet.admissions())]

    def _same_fleet(self, rows: Sequence[KeyRow], now: Instant) -> Effects:
        """Join strings pin the fleet key: hubs of one store must have one.  Raises Refusal."""
        mine = self.fleet.settings.fleet_key
        known = {row.public for row in rows if row.kind == FLEET}
        if known and mine not in known:
            hint = "copy keys/fleet.json from the state_dir of another hub into that of this one"
            raise Refusal("fleet-key", f"the hubs of this store have another fleet key: {hint}", hint)
        return [] if known else [Store("put_key", (KeyRow(mine, FLEET, FLEET, now.wall),))]

    def _take_tokens(self, rows: Sequence[TokenRow], now: Instant) -> Effects:
        self.enrolment.restore(rows)
        self.kept.know(rows)
        return []

    def _take_agents(self, rows: Sequence[AgentRow], now: Instant) -> Effects:
        known = [agent_of(row, self.fleet.settings.period) for row in rows]
        if self.cluster is None:
            self.fleet.registry.restore(known, now)
        else:
            for agent in known:
                self.fleet.registry.take_over(agent, now)
            self.cluster.met([agent.id for agent in known if agent.listed], now)
        listed = sum(1 for agent in known if agent.listed)
        return [Say(f"{listed} agents are expected back")] if listed else []

    def _take_commands(self, rows: Sequence[CommandRow], now: Instant) -> Effects:
        return [] if self.cluster else self.orders.restore(rows, now)

    def _take_epoch(self, epoch: int, now: Instant) -> Effects:
        self.fleet.epoch = max(self.fleet.epoch, epoch)
        return []

    # -- events ------------------------------------------------------------------------------------------------------

    def _asked(self, asked: Asked, now: Instant) -> Effects:
        try:
            return self.ports[asked.route.port](asked, now)
        except Refusal as refusal:
            return [Send(asked.route, refused(asked, refusal))]

    def _from_agent(self, asked: Asked, now: Instant) -> Effects:
        if isinstance(asked.message, M.Progress):
            return self.orders.progress(asked, asked.message, now)
        if self.relays.hears(asked):
            return self.relays.take(asked, now)
        effects = self.desk.take(asked, now)
        if self.cluster is not None and asked.user in self.fleet.registry.met:
            effects = [*effects, *self.cluster.hear(asked.user, now)]
        return effects

    def _from_client(self, asked: Asked, now: Instant) -> Effects:
        query = asked.message
        if not isinstance(query, M.Query):
            raise Refusal("unexpected", "only Query is heard here")
        if asked.user.startswith(PEER):
            return self._from_hub(asked, query, now)
        return self._judge(asked, query, self._subject(asked.user), now)

    def _judge(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        try:
            require(subject, query.op)
            return self._serve(asked, query, subject, now)
        except Refusal as refusal:
            if refusal.code not in NO_RIGHT and query.op not in self.admin.handlers:
                raise
            row = audited(asked, query, subject, refusal, now)
            return [Send(asked.route, refused(asked, refusal)), Store("append_audit", (row,))]

    def _from_hub(self, asked: Asked, query: M.Query, now: Instant) -> Effects:
        """Another hub asks: nothing but what hubs may, and only in its present life."""
        cluster = self.cluster
        if cluster is None or query.op not in HUB_OPS:
            raise Refusal("forbidden", "a hub's key asks nothing but what hubs ask each other")
        if not cluster.near.is_member(asked.user.removeprefix(PEER), query.args.get("born")):
            raise Refusal("stale-hub", "this is not the present life of a member")
        return cluster.asked.get(query.op, self.gather.tell)(asked, query, now)

    def _serve(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        if query.op in self.queries.handlers and self.cluster is None:
            rows = self.queries.handlers[query.op](query.args, subject, now)
            return [Send(asked.route, M.Answer(query.id, rows))]
        return self.asking[query.op](asked, query, subject, now)

    def _subject(self, name: str) -> Subject:
        key = self.fleet.client_keys.get(name)
        if key is None:
            raise Refusal("unknown-key", "this key was revoked", "ask an admin for a new one")
        return Subject(key.subject, Role(key.role), key.scope)

    def _command(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        return self.orders.take(asked, query, subject, now)

    def _about(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        fleet = self.fleet
        seen = [agent for agent in fleet.registry.agents.values() if self.queries.sees(agent, subject)]
        agents = [agent.presence.value for agent in seen]
        result: dict[str, Any] = {
            "hub": fleet.settings.hub,
            "version": self.version,
            "protocol": PROTOCOL,
            "epoch": fleet.epoch,
            "started_at": fleet.started.wall,
            "uptime": now.mono - fleet.started.mono,
            "period": fleet.settings.period,
            "sample_period": fleet.settings.sample_period,
            "agents": {presence: agents.count(presence) for presence in sorted(set(agents))},
            "containers": len(self.queries.listed(subject)),
            "engines": {host["engine"]: host["up"] for host in self.queries.hosts({}, subject, now)},
            "commands_in_flight": len(self.orders.router.flying),
            "garbled": self.garbled,
            "keys": self.turning.about(now),
            "key": {"name": subject.name, "role": subject.role.value, "scope": dict(subject.scope)},
            "at": now.wall,
            "age": 0.0,
        }

        def arrived(stats: Any, error: str, now: Instant) -> Effects:
            store = {"error": error} if error else plain(stats)
            store["away_since"] = fleet.store_away
            return [Send(asked.route, M.Answer(query.id, {**result, "store": store}))]

        return [Store("stats", (), arrived)]

    def _metrics(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        if subject.scope:
            raise Refusal("forbidden", "metrics are of the whole fleet", "ask for a key without a scope")

        def arrived(stats: Any, error: str, now: Instant) -> Effects:
            self._weighed(stats, error, now)
            return [Send(asked.route, M.Answer(query.id, self.exposed(PLAIN)))]

        return [Store("stats", (), arrived)]

    def _hubs(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        alone = {"hub": self.fleet.settings.hub, "state": "alone", "version": self.version, "self": True, "age": 0.0}
        return [Send(asked.route, M.Answer(query.id, self.cluster.rows(now) if self.cluster else [alone]))]

    def _drain(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        if self.cluster is None:
            raise Refusal("bad-argument", "this hub is alone: its agents have nowhere to go", "stop it instead")
        wanted = str(query.args.get("hub", ""))[: limits.NAME_CHARS]
        if self.cluster.members.get(wanted) is None:
            raise Refusal("bad-argument", f"there is no hub {wanted!r}", "see hubctl hubs")
        row = AuditRow(now.wall, subject.name, "drain", wanted, "accepted", "", "", asked.peer)
        answer = Send(asked.route, M.Answer(query.id, {"hub": wanted}))
        return [answer, Store("append_audit", (row,)), *self.cluster.ask_to_drain(wanted, now)]

    def _weighed(self, stats: Any, error: str, now: Instant) -> Effects:
        if not error:
            read_store(self.metrics, stats)
        return []

    def exposed(self, dialect: str) -> str:
        """This hub's own metrics as text, for a scrape; what its store holds as of the last look."""
        read_fleet(self.metrics, self.fleet, self.orders.ended)
        read_alerts(self.metrics, self.alerts.machine.alerts.values())
        return self.metrics.render(dialect)

    def _own(self, now: Instant) -> dict[str, Any]:
        return own_values(self.metrics, self.fleet, self.garbled)

    def _garbled(self, event: Garbled, now: Instant) -> Effects:
        self.garbled += 1
        return [Send(event.route, M.Refused("", "garbled", event.reason[: limits.TEXT_CHARS]))]

    def _watched(self, event: Watched, now: Instant) -> Effects:
        (self.fleet.watched.add if event.on else self.fleet.watched.discard)(event.topic)
        return []

    def _stored(self, event: Stored, now: Instant) -> Effects:
        return event.then(event.value, event.error, now)

    def _store_news(self, event: StoreNews, now: Instant) -> Effects:
        self.fleet.store_away = event.away_since
        self.metrics.set("pidone_store_away", int(event.away_since is not None))
        if self.cluster is not None:
            self.cluster.resync = True
        return [*self.desk.doubt(event.renewed), *self.kept.look()] if event.renewed else []

    def _tick(self, event: Tick, now: Instant) -> Effects:
        cluster = self.cluster
        effects = tell(self.fleet.registry.tick(now), self.fleet) if cluster is None else cluster.tick(now)
        effects += self.relays.tick(now) + self.desk.tick(event.busy, now) + self.orders.tick(now)
        effects += self.turning.tick(now) + self.weather.tick(now) + self.rolls.tick(now) + self.alerts.tick(now)
        if now.mono >= self.upkeep_at:
            self.upkeep_at = now.mono + UPKEEP_SECONDS
            effects += self.enrolment.tick(now)
            live = [a for a in self.fleet.registry.live() if cluster is None or cluster.serves(a.id, now)]
            effects += [keep(agent, self.fleet) for agent in live]
            archived = self.fleet.archive(now)
            if cluster is not None:
                cluster.forget(archived)
                effects.append(Store("tokens", (), self.kept.refresh))
            effects.append(Store("stats", (), self._weighed))
        return [*effects, *self.following.tick(now), *self.kept.tell()]
