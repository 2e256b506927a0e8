"""What the other hubs found out, read from the facts that all hubs keep in one order in the shared store.

Theory.  A position is given under the store's pen, so who has read up to one has missed nothing.  Each hub reads on
from its position every FOLLOW_SECONDS: programs' facts go into its picture and onto its feed, a presence that another
hub told becomes its own, an agent that it does not know is read from its row, a key that was made or forgotten is read
anew.  What a hub writes itself carries its name (`sign`) and is passed over.  What an agent said here later than
another hub's word about it is newer, and stands.  Keys of clients are few, so they are simply read again now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from hub.clock import Instant
from hub.discovery.rows import agent_of
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import AgentRow, FactRow, KeyRow
from hub.words import Admit, Asked, Effects, Publish, Renew, Send, Store
from wire.messages import Answer, Query
from wire.model import Fact, Presence

FOLLOW_SECONDS = 0.25
"""Between two looks: how much later than its own a hub tells of others' agents."""
MOST = 1000
"""Facts in one look; where there are more, the next follows at once."""
KEYS_SECONDS = 2.0
"""Between two looks at the clients' keys: a key that was revoked at another hub is refused here after so long."""
TRIES = 20
"""An agent's row is written just after the first fact about it, and looked for so many times."""
HUB_BOOT = "hub"
"""Boot of what hubs found out (hub.store.base)."""

BOOK = "hubs"
"""Under this name hubs tell each other something that is not about one agent."""

REPLACED = "key replaced"
"""Note of an agent or relay whose new key was used, with the old one."""

MOVED = "moved"
"""Note of an agent that speaks to another hub than before."""

Met = Callable[[Iterable[str], Instant], Effects]
Errand = Callable[[dict[str, object], Instant], Effects]


class Tidings:
    """`met` is told of agents that this hub did not know; `errands`: what another hub may ask for, by its word."""

    def __init__(self, fleet: Fleet, met: Met, errands: Mapping[str, Errand]) -> None:
        self.fleet, self.met, self.errands = fleet, met, errands
        self.moved: Callable[[str, str], object] = lambda agent, hub: None
        """Told of an agent that speaks to another hub now, and of that hub."""
        self.lost: Callable[[], Effects] = list
        """Asked where the store lacks even this hub's own key: what it does not have was lost, not revoked."""
        self.departed: Callable[[str], object] = lambda agent: None
        """Told of an agent that another hub says is gone or lost."""
        self.position: int | None = None
        self.asking = False
        self.follow_at = self.keys_at = float("-inf")
        self.unknown: dict[str, int] = {}
        """Agent -> how often its row was looked for."""

    def sign(self, effects: Effects) -> Effects:
        """The same effects; what they keep about agents carries this hub's name."""
        return [self._signed(effect) if type(effect) is Store else effect for effect in effects]

    def _signed(self, effect: Store) -> Store:
        if effect.method != "record_fact" or not isinstance(effect.args[3], dict):
            return effect
        *head, body = effect.args
        return effect._replace(args=(*head, {**body, "hub": self.fleet.settings.hub}))

    def start(self) -> Store:
        """Where the facts end now; agents and keys are read after that."""

        def found(rows: Sequence[FactRow], error: str, now: Instant) -> Effects:
            self.position = rows[-1].position if rows else 0
            return []

        return Store("facts", (None, None, None, 1), found)

    def again(self) -> Store:
        """The store was away: read all agents, whatever the facts say."""
        return Store("agents", (), self._rows)

    def hasten(self, asked: Asked, query: Query, now: Instant) -> Effects:
        """Another hub says that there is something to read; where a look is under way, another follows it."""
        self.follow_at = now.mono
        return [*self.tick(now), Send(asked.route, Answer(query.id, {}))]

    def tick(self, now: Instant) -> Effects:
        """What is due."""
        effects: Effects = []
        if now.mono >= self.follow_at and not self.asking and self.position is not None:
            self.asking, self.follow_at = True, now.mono + FOLLOW_SECONDS
            effects.append(Store("facts", (self.position, None, None, MOST), self._facts))
            if self.unknown:
                effects.append(Store("agents", (tuple(self.unknown),), self._rows))
        if now.mono >= self.keys_at:
            self.keys_at = now.mono + KEYS_SECONDS
            effects.append(Store("keys", ("client",), self._clients))
        return effects

    # -- facts -------------------------------------------------------------------------------------------------------

    def _facts(self, rows: Sequence[FactRow], error: str, now: Instant) -> Effects:
        self.asking = False
        if error or not rows:
            return []
        self.position = rows[-1].position
        self.follow_at = now.mono if len(rows) >= MOST else self.follow_at
        return [effect for row in rows for effect in self._fact(row, now)]

    def _fact(self, row: FactRow, now: Instant) -> Effects:
        if row.boot == HUB_BOOT:
            return self._note(row, now) if isinstance(row.body, dict) else []
        agent = self.fleet.registry.agents.get(row.agent)
        if agent is None:
            return []
        if row.boot != agent.said.boot:
            if row.agent not in self.fleet.registry.met or row.at > agent.heard_at:
                self.unknown.setdefault(row.agent, 0)
            return []
        if row.seq <= agent.told:
            return []
        fact = Fact(row.seq, row.agent_at, row.mono, row.kind, row.body)
        agent.apply(fact)
        agent.told = row.seq
        return [
            Publish(f"fact/{agent.id}", {"agent": agent.id, "name": self.fleet.name_of(agent), "fact": plain(fact)})
        ]

    def _note(self, row: FactRow, now: Instant) -> Effects:
        body = row.body
        assert isinstance(body, dict)
        if body.get("hub") in (None, self.fleet.settings.hub):
            return []
        what, public = body.get("note"), str(body.get("public", ""))
        if row.agent == BOOK:
            errand = self.errands.get(str(what))
            return errand(body, now) if errand else []
        effects: Effects = [Publish(f"notice/{row.agent}", body)]
        if what == MOVED:
            self.moved(row.agent, str(body.get("hub", "")))
        if what in ("presence", MOVED):
            self._presence(row.agent, {"presence": Presence.LIVE, **body}, now)
        elif what == "enrolled":
            self.fleet.rekeying.discard(row.agent)  # it offered its next key there
            effects = [Store("key", (public,), self._key(public))]
        elif what == REPLACED:
            effects = [Store("key", (public,), self._replaced)]
        elif what in ("key forgotten", "key revoked") and row.agent in self.fleet.agent_keys:
            public = self.fleet.agent_keys[row.agent].public
            effects.append(Store("key", (public,), self._key(public)))
        return effects

    def _presence(self, agent_id: str, body: dict[str, object], now: Instant) -> None:
        """Another hub's word; where the agent spoke here since, it stands for nothing."""
        try:
            presence, at = Presence(str(body.get("presence"))), float(str(body.get("at")))
        except ValueError:
            return
        agent = self.fleet.registry.agents.get(agent_id)
        if agent is None or presence is Presence.LIVE:
            self.unknown.setdefault(agent_id, 0)
        if agent is not None and agent.heard_at <= at:
            self.fleet.registry.adopt(agent_id, presence, str(body.get("reason", "")), at, now)
            if presence in (Presence.GONE, Presence.LOST):
                self.departed(agent_id)

    # -- rows and keys -----------------------------------------------------------------------------------------------

    def _rows(self, rows: Sequence[AgentRow], error: str, now: Instant) -> Effects:
        if error:
            return []
        self.unknown = {agent: tries + 1 for agent, tries in self.unknown.items() if tries < TRIES}
        effects: Effects = []
        for row in rows:
            self.unknown.pop(row.agent, None)
            self._adopt(row, now)
            if row.key and row.key not in self.fleet.keys:
                effects.append(Store("key", (row.key,), self._key(row.key)))
        return [*effects, *self.met([row.agent for row in rows], now)]

    def _adopt(self, row: AgentRow, now: Instant) -> None:
        """Takes an agent over as another hub wrote it, unless it spoke here since."""
        known = self.fleet.registry.agents.get(row.agent)
        if known is None or known.heard_at < row.last_seen:
            fresh = agent_of(row, self.fleet.settings.period)
            if known is not None and known.said.boot == fresh.said.boot:
                fresh.told, fresh.durable = known.told, known.durable
            self.fleet.registry.take_over(fresh, now)
            self.fleet.rejoin([row.agent], [known.said.container] if known else [])

    def _key(self, public: str) -> Callable[[KeyRow | None, str, Instant], Effects]:
        def read(row: KeyRow | None, error: str, now: Instant) -> Effects:
            if error:
                return []
            if row is None or row.revoked_at is not None:
                self.fleet.remove_key(public)
            else:
                self.fleet.add_key(row)
            return [Admit(self.fleet.admissions())]

        return read

    def _replaced(self, row: KeyRow | None, error: str, now: Instant) -> Effects:
        """The new key of an agent or a relay was used at another hub, so the old one is void here, too."""
        if error or row is None or row.revoked_at is None or row.public not in self.fleet.keys:
            return []
        for fresh in [one for one, elder in self.fleet.fresh.items() if elder == row.public]:
            self.fleet.drop_key(row.public)
            del self.fleet.fresh[fresh]
            self.fleet.rekeying.discard(row.subject)
        return [Admit(self.fleet.admissions())]

    def _clients(self, rows: Sequence[KeyRow], error: str, now: Instant) -> Effects:
        if error:
            return []
        if self.fleet.settings.admin_key not in {row.public for row in rows}:
            return self.lost()
        live = {row.public: row for row in rows if row.revoked_at is None}
        mine = {row.public for row in self.fleet.keys.values() if row.kind == "client"}
        for public in mine - set(live):
            self.fleet.remove_key(public)
        for public in set(live) - mine:
            self.fleet.add_key(live[public])
        gone: Effects = [Renew()] if mine - set(live) else []
        return [Admit(self.fleet.admissions()), *gone] if mine != set(live) else []
