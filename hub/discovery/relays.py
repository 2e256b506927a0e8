"""Relays: engines that the hub cannot reach, told of by a small process beside them that dials out.  Pure.

Theory.  A relay's key *is* its engine: the name was given at enrolment, no report carries one.  What it sends becomes
the same reports that an engine of our own gives (hub.engines.relayed) and goes the same way from there on.  Three rules
keep a relay that lies to its own host: it lists no container that another live engine holds, an engine of our own
takes its containers back at any time, and of a container that it did not list it is not heard.

A relay that is silent for LOST periods (of attention, hub.clock) makes its engine unreachable and nothing else: its
containers keep what was last known of them, marked stale, and are dead only when somebody says so.  An order is sent
once to each connection of the same start of the relay, which knows the ids it has carried out; a relay that was started
anew is not asked again, since the order may have been carried out before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.clock import Instant
from hub.discovery.desk import Compass
from hub.discovery.doubles import Doubles
from hub.discovery.relay_names import LOST, Relay, RelayNames, Waiting
from hub.discovery.witness import Witness
from hub.engines.relayed import heard_event, heard_row, heard_sample, heard_state
from hub.engines.reports import ContainerList, ContainerSample, EngineCommand, EngineState, OrderResult
from hub.engines.values import text
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.words import Asked, Effects, Publish, Say, Send, Store
from wire import limits
from wire import messages as M
from wire import relay as R
from wire.shapes import IDENT

SAMPLES = 0.2
"""Shortest time between two samples of a container that are taken, seconds."""
EPOCH_MAX = 2**53
"""As for agents: beyond it one liar could use the numbers up."""


class Relays:
    """Serves the relays of a fleet."""

    def __init__(self, fleet: Fleet, witness: Witness, names: RelayNames) -> None:
        self.fleet, self.witness, self.relays = fleet, witness, names.relays
        self.doubles = Doubles()
        self.handlers: dict[type, Callable[[Relay, Any, Instant], Effects]] = {
            R.RelayState: self._state,
            R.RelayList: self._list,
            R.RelayEvent: self._event,
            R.RelaySamples: self._samples,
            R.RelayResult: self._result,
        }
        self.compass: Compass | None = None
        """Where other hubs are, if there may be any."""
        self.rekey: Callable[[Asked, M.Rekey, Instant], Effects] = lambda asked, said, now: []
        """Takes the next key of a relay."""

    def hears(self, asked: Asked) -> bool:
        """Whether this is for relays: only they say it, or one of them does."""
        own = isinstance(asked.message, R.RelayBeat) or type(asked.message) in self.handlers
        return own or (isinstance(asked.message, M.Rekey) and asked.user in self.fleet.relay_keys)

    def take(self, asked: Asked, now: Instant) -> Effects:
        """The effects of one message; raises Refusal for what no relay may say."""
        if asked.user not in self.fleet.relay_keys:
            raise Refusal("unknown-key", "this relay's key is not valid any more", "enrol again")
        relay = self._known(asked.user, now)
        if isinstance(asked.message, R.RelayBeat):
            return self._beat(relay, asked, asked.message, now)
        if isinstance(asked.message, M.Rekey):
            return self.rekey(asked, asked.message, now)
        if relay.route != asked.route:  # it has not presented itself on this connection
            return []
        relay.heard = now.attention
        return self.handlers[type(asked.message)](relay, asked.message, now)

    def _known(self, key: str, now: Instant) -> Relay:
        relay = self.relays.get(key)
        if relay is None:
            engine = key.partition(".")[2]
            relay = self.relays[key] = Relay(key, engine, now.attention)
            self.fleet.relayed[engine] = lambda order, now: self._order(relay, order, now)
        return relay

    # -- beats -------------------------------------------------------------------------------------------------------

    def _beat(self, relay: Relay, asked: Asked, beat: R.RelayBeat, now: Instant) -> Effects:
        self._check(relay, beat)
        copy = self.doubles.register(relay.key, relay.boot or None, beat.boot, now.mono)
        if copy:
            body = {"note": "two relays with one key", "engine": relay.engine, "boot": copy, "peer": asked.peer}
            line = f"two relays use the key {relay.key}; the later one is refused"
            effects: Effects = [Publish(f"notice/{relay.engine}", body), Say(line)]
            return [*effects, *([self._doubled(asked)] if copy == beat.boot else [])]
        effects = self._met(relay, asked, beat, now)
        if beat.leaving:
            effects += self._lose(relay, f"its relay was stopped: {text(beat.leaving, 200)}", now)
        return [Send(asked.route, self._answer(relay, now)), *effects, *self._dropped(relay, beat.dropped)]

    def _dropped(self, relay: Relay, dropped: int) -> Effects:
        """What the relay had to drop since its last beat, as a notice."""
        more, relay.dropped = dropped - relay.dropped, dropped
        if more <= 0:
            return []
        body = {"note": "relay dropped reports", "engine": relay.engine, "count": more}
        return [Publish(f"notice/{relay.engine}", body), Say(f"the relay of {relay.engine} had to drop {more} reports")]

    def _check(self, relay: Relay, beat: R.RelayBeat) -> None:
        if self.doubles.is_refused(relay.key, beat.boot):
            raise Refusal("double", "another relay with this key is at work", "enrol with a key of its own")
        if relay.engine in self.fleet.settings.engines:
            hint = f"remove [engine:{relay.engine}] there, or give the relay another name= and enrol it again"
            raise Refusal("name-taken", f"the hub asks an engine {relay.engine!r} of its configuration itself", hint)
        if beat.epoch > EPOCH_MAX:
            raise Refusal("bad-epoch", "the reported epoch is out of range")

    def _doubled(self, asked: Asked) -> Send:
        words = ("another relay with this key is at work", "enrol with a key of its own")
        return Send(asked.route, M.Refused("", "double", *words))

    def _met(self, relay: Relay, asked: Asked, beat: R.RelayBeat, now: Instant) -> Effects:
        """Takes down who and where it is; orders that another connection may have swallowed go out again."""
        effects = self._anew(relay, now) if beat.boot != relay.boot else []
        moved, relay.route = relay.route != asked.route, asked.route
        relay.boot, relay.heard = beat.boot, now.attention
        relay.verbs = frozenset(beat.verbs)
        relay.offsets.append(now.wall - beat.wall)
        if moved:
            again = [one for one in relay.orders.values() if one.deadline > now.mono]
            effects += [self._sent(relay, one, now) for one in again]
        return [*effects, *self._raise_epoch(beat.epoch)]

    def _anew(self, relay: Relay, now: Instant) -> Effects:
        relay.number, relay.parts, relay.listed, relay.dropped = 0, [], False, 0
        relay.offsets.clear()
        relay.had.clear()
        lost, relay.orders = relay.orders, {}
        words = "its relay was started anew meanwhile; it may have been carried out"
        results = [OrderResult(relay.engine, key, False, "timeout", words) for key in lost]
        return [effect for result in results for effect in self.witness.take(result, now)]

    def _raise_epoch(self, reported: int) -> Effects:
        """As for agents: it has seen a higher epoch than ours, so ours rises beyond it."""
        if reported <= self.fleet.epoch:
            return []

        def taken(epoch: Any, error: str, now: Instant) -> Effects:
            self.fleet.epoch = max(self.fleet.epoch, 0 if error else int(epoch))
            return [Say(f"epoch is {self.fleet.epoch}: a relay had seen {reported}")]

        return [Store("next_epoch", (reported,), taken)]

    def _answer(self, relay: Relay, now: Instant) -> R.Relayed:
        settings = self.fleet.settings
        results = tuple(relay.had)
        relay.had.clear()  # where this answer is lost the relay tells them once more
        return R.Relayed(
            engine=relay.engine,
            hub=settings.hub,
            epoch=self.fleet.epoch,
            period=settings.period,
            sample_period=settings.sample_period,
            wall=now.wall,
            want=not relay.listed,
            results=results,
            hubs=self._hubs(relay),
            elsewhere=self.compass is not None and self.compass.elsewhere(now),
            rekey=relay.key in self.fleet.rekeying,
        )

    def _hubs(self, relay: Relay) -> tuple[M.HubAddress, ...]:
        """The hubs, home first, where this connection was not told of them yet."""
        hubs = self.fleet.hubs_of(relay.key)
        if relay.told == (relay.route, hubs):
            return ()
        relay.told = (relay.route, hubs)
        return hubs

    # -- reports -----------------------------------------------------------------------------------------------------

    def _state(self, relay: Relay, said: R.RelayState, now: Instant) -> Effects:
        state = heard_state(relay.engine, said, relay.key, relay.clock(now))
        return self.witness.take(state, now)

    def _list(self, relay: Relay, said: R.RelayList, now: Instant) -> Effects:
        if said.part == 0 and relay.lists.admit(now.mono):
            relay.number, relay.parts = said.number, []
        elif said.part == 0 or said.number != relay.number or said.part != len(relay.parts):
            return []
        relay.parts.append(said.containers)
        if sum(map(len, relay.parts)) > limits.ENGINE_CONTAINERS:
            relay.number, relay.parts = 0, []
        if not relay.parts or len(relay.parts) < said.parts:
            return []
        clock = relay.clock(now)
        rows = {row.id: heard_row(row, clock) for part in relay.parts for row in part}
        own = tuple(row for key, row in rows.items() if self._may_list(relay, key))
        relay.parts, relay.listed = [], True
        told = self._refuse(relay, len(rows) - len(own))
        return [*told, *self.witness.take(ContainerList(relay.engine, clock.of(said.at), own), now)]

    def _may_list(self, relay: Relay, container: str) -> bool:
        """Unless another engine holds it; one that is lost gives it up to a relay of the same token, enrolled anew."""
        known = self.fleet.containers.get(container)
        if known is None or known.engine == relay.engine:
            return True
        holder = self.fleet.engines.get(known.engine)
        return holder is None or (not holder.up and self._token(holder.via) == self._token(relay.key))

    def _token(self, key: str) -> str | None:
        row = self.fleet.relay_keys.get(key)
        return row.token if row else None

    def _refuse(self, relay: Relay, refused: int) -> Effects:
        """Once where it begins: the same engine reached twice, or a lie."""
        before, relay.refused = relay.refused, refused
        if before or not refused:
            return []
        words = f"{refused} containers that the relay of {relay.engine} lists belong to another engine; not shown there"
        body = {"note": "containers listed twice", "engine": relay.engine, "count": refused}
        return [Publish(f"notice/{relay.engine}", body), Say(words)]

    def _holds(self, relay: Relay, container: str) -> bool:
        known = self.fleet.containers.get(container)
        return known is not None and known.engine == relay.engine

    def _event(self, relay: Relay, said: R.RelayEvent, now: Instant) -> Effects:
        event = heard_event(relay.engine, said, relay.clock(now))
        if event is None or not self._holds(relay, said.container) or not relay.events.admit(now.mono):
            return []
        return self.witness.take(event, now)

    def _samples(self, relay: Relay, said: R.RelaySamples, now: Instant) -> Effects:
        clock = relay.clock(now)
        mine = (heard_sample(relay.engine, one, clock) for one in said.samples if self._holds(relay, one.container))
        newer = [sample for sample in mine if sample and self._is_newer(sample)]
        return [effect for sample in newer for effect in self.witness.take(sample, now)]

    def _is_newer(self, sample: ContainerSample) -> bool:
        before = self.fleet.samples.get(sample.container)
        return before is None or before.engine != sample.engine or sample.at > before.at + SAMPLES

    # -- orders ------------------------------------------------------------------------------------------------------

    def _order(self, relay: Relay, order: EngineCommand, now: Instant) -> Effects:
        """Sends an order, or says at once why not; exactly one result follows, or its deadline passes."""
        problem = self._hindrance(relay, order)
        if problem:
            return self.witness.take(OrderResult(relay.engine, order.id, False, *problem), now)
        left = min(max(order.deadline - now.wall, 0.0), limits.COMMAND_SECONDS)
        message = R.ContainerOrder(order.id, order.verb, order.container, dict(order.args), left, self.fleet.epoch)
        waiting = relay.orders[order.id] = Waiting(message, now.mono + left)
        return [self._sent(relay, waiting, now)]

    def _hindrance(self, relay: Relay, order: EngineCommand) -> tuple[str, str] | None:
        if relay.route is None:
            return "unreachable", f"the relay of {relay.engine} is not there"
        if order.verb not in relay.verbs:
            return "refused", f"the relay of {relay.engine} does not allow {order.verb}: verbs= in its [relay]"
        if len(relay.orders) >= limits.RELAY_RESULTS:
            return "busy", f"{len(relay.orders)} orders wait for this relay already"
        return None

    def _sent(self, relay: Relay, one: Waiting, now: Instant) -> Send:
        assert relay.route is not None
        return Send(relay.route, one.message._replace(ttl=max(one.deadline - now.mono, 0.0)))

    def _result(self, relay: Relay, said: R.RelayResult, now: Instant) -> Effects:
        if relay.orders.pop(said.id, None) is None:
            relay.had.extend([said.id] if said.id not in relay.had else [])  # of before the hub's start, or expired
            return []
        relay.had.append(said.id)
        error = said.error if IDENT.fullmatch(said.error) else "failed"
        result = OrderResult(relay.engine, said.id, said.ok, "" if said.ok else error, text(said.detail))
        return self.witness.take(result, now)

    # -- silence -----------------------------------------------------------------------------------------------------

    def tick(self, now: Instant) -> Effects:
        """Silence, deadlines, and relays whose key is no more."""
        effects: Effects = []
        for key in [key for key in self.fleet.relay_keys if key not in self.relays]:
            effects += self._expect(self._known(key, now), now)
        for relay in list(self.relays.values()):
            relay.orders = {key: one for key, one in relay.orders.items() if one.deadline > now.mono}
            silence = now.attention - relay.heard
            if relay.key not in self.fleet.relay_keys:
                effects += self._forget(relay, now)
            elif relay.route is not None and silence > LOST * self.fleet.settings.period:
                effects += self._lose(relay, f"its relay is silent for {silence:.1f} s", now)
        return effects

    def _expect(self, relay: Relay, now: Instant) -> Effects:
        """A relay that is known from before the hub's start, or new: its engine is shown from the first moment on."""
        words = "its relay has not been heard yet"
        return self.witness.take(EngineState(relay.engine, now.wall, False, words, via=relay.key), now)

    def _lose(self, relay: Relay, words: str, now: Instant) -> Effects:
        relay.route, relay.listed = None, False
        state = self.fleet.engines.get(relay.engine) or EngineState(relay.engine, now.wall, False, via=relay.key)
        return self.witness.take(state._replace(at=now.wall, up=False, error=words), now) if state.up else []

    def _forget(self, relay: Relay, now: Instant) -> Effects:
        del self.relays[relay.key]
        self.fleet.relayed.pop(relay.engine, None)
        self.doubles.forget(relay.key)
        return self.witness.forget(relay.engine)
