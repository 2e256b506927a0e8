"""Rolling commands of this hub: judged, claimed, sent unit by unit, kept, told, and taken up again after a restart.

Theory.  A roll is kept as a command of the verb `roll`, so that its id is claimed once and its row outlives the hub:
the plan (who asked, what, for which processes) in its arguments, the progress in its result.  That a roll began, was
resumed or ended is a fact in the book `rolls`, by which it is found again.  Progress is written at most once a second:
a unit whose mark is older than the truth is sent again under its old id, whose claim tells what became of it.

What happens while this hub has no lease changes nothing, and is not lost: the roll is revived with the next lease of
the same life, as after a restart.

The right to give the command is asked anew before each unit: a key that was revoked ends its rolls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.clock import Instant
from hub.commands import rolling
from hub.commands.orders import Orders
from hub.commands.plans import Plan, plan_of, planned, shown
from hub.commands.rolling import ENDED, FAILED, LEFT_OUT, ROLL, Phase, Roll, Step
from hub.commands.router import ENDS, Command
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import AuditRow, CommandRow
from hub.trust.roles import Role, Subject, require_verb
from hub.words import Asked, Effects, Publish, Say, Send, Store
from wire.messages import Answer, Query, Refused, Remote
from wire.model import CommandState, FactKind, Presence

Rows = list[dict[str, Any]]
BOOK = "rolls"
ACTIVE = 20
"""Most rolls under way at one time."""
KEPT = 200
"""Most rolls in memory; older ones that ended are in the store only."""
RESTORED_SECONDS = 2 * 86400.0
"""So long a roll can be taken up again."""
KEEP_SECONDS = 1.0
ERRORS = 20
"""Failures that are told in words."""


@dataclass(slots=True)
class Rolling:
    """One roll with its plan."""

    plan: Plan
    roll: Roll
    changed_at: float
    errors: dict[int, str] = field(default_factory=dict)
    kept: float = 0.0
    """Monotonic time of the last write of its progress."""
    dirty: bool = False
    born: int = 0
    """Epoch of the hub's life that carries it out; 0 where no other hub could."""


class Rolls:
    """All rolls of this hub by id."""

    def __init__(self, fleet: Fleet, orders: Orders) -> None:
        self.fleet, self.orders = fleet, orders
        self.rolls: dict[str, Rolling] = {}
        self.life: Callable[[], int] = lambda: 0
        """Epoch of this hub's present life, 0 where it is alone."""
        self.acts: Callable[[Instant], bool] = lambda now: True
        self._held: set[str] = set()
        """Rolls of which something happened while this hub might not act: they are revived when it may again."""
        orders.listener = self.heard
        self.handlers: dict[str, Callable[[Asked, Query, Subject, Instant], Effects]] = {
            "roll": self.begin,
            "rolls": self.list,
            "roll.cancel": self.cancel,
            "roll.resume": self.resume,
        }

    # -- from clients ------------------------------------------------------------------------------------------------

    def begin(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """A new roll; with `dry_run` only what it would do."""
        require_verb(subject, str(query.args.get("verb", "")))
        plan = plan_of(query.args, subject, self.fleet, self.orders, now.wall)
        first = Rolling(
            plan, Roll(rolling.WAITING * len(plan.units), plan.width, plan.limit), now.wall, born=self.life()
        )
        if query.args.get("dry_run") is True:
            names = [f"{self.fleet.name(agent)}/{program}" for agent, program in plan.units]
            return [Send(asked.route, Answer(query.id, {**self._shown(first, now), "dry_run": True, "names": names}))]
        if plan.id in self.rolls:
            return [self._answer(asked, query, self.rolls[plan.id], now)]
        if sum(one.roll.phase not in ENDED for one in self.rolls.values()) >= ACTIVE:
            raise Refusal("busy", f"{ACTIVE} rolls are under way", "wait for one, or cancel one: hubctl rolls")

        def claimed(taken: Any, error: str, now: Instant) -> Effects:
            if error or not taken:
                words = f"the store refused it: {error}" if error else f"the id {plan.id} is taken"
                return [Send(asked.route, Refused(query.id, "store" if error else "bad-argument", words[:512], ""))]
            self._enter(first)
            effects = self._step(first, rolling.begin(len(plan.units), plan.width, plan.limit), now, begun=True)
            return [self._answer(asked, query, first, now), *effects]

        row = self._audit(first, "accepted", now, asked.peer)
        return [Store("claim_audited", (planned(plan, self.fleet.epoch), row), claimed)]

    def list(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Rolls under way, and with `all` those that ended; `id` names one."""
        return [Send(asked.route, Answer(query.id, self.rows(query.args, subject, now)))]

    def rows(self, args: Mapping[str, Any], subject: Subject, now: Instant) -> Rows:
        """The same, as rows."""
        wanted = args.get("id")
        chosen = [one for one in self.rolls.values() if self._sees(one, subject) and wanted in (None, one.plan.id)]
        everyone = args.get("all") is True or wanted is not None
        return [self._shown(one, now) for one in chosen if everyone or one.roll.phase != Phase.DONE]

    def cancel(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """Nothing more is sent; what was sent is waited for."""
        return self._change(asked, query, subject, now, rolling.cancel)

    def resume(self, asked: Asked, query: Query, subject: Subject, now: Instant) -> Effects:
        """A stopped or cancelled roll goes on."""
        return self._change(asked, query, subject, now, rolling.resume)

    def _change(
        self, asked: Asked, query: Query, subject: Subject, now: Instant, how: Callable[[Roll], Step]
    ) -> Effects:
        one = self.rolls.get(str(query.args.get("id", "")))
        if one is None or not self._sees(one, subject):
            raise Refusal("unknown-command", "no roll has this id", "see hubctl rolls --all")
        if not self._owns(one, now):
            raise Refusal("busy", "this hub has no lease at the moment", "ask again in a few seconds")
        require_verb(subject, one.plan.verb)
        step = how(one.roll)
        if step[0] == one.roll:
            raise Refusal("bad-argument", f"roll {one.plan.id} is {one.roll.phase}")
        if how is rolling.resume:
            one.plan = one.plan._replace(actor=subject.name)
        word = query.op.replace(".", " ")
        row = AuditRow(now.wall, subject.name, word, one.plan.target, "accepted", "", one.plan.id, asked.peer)
        effects = self._step(one, step, now)
        return [self._answer(asked, query, one, now), Store("append_audit", (row,)), *effects]

    def visible(self, roll: str, subject: Subject) -> bool:
        """Whether a roll exists for this subject."""
        return roll in self.rolls and self._sees(self.rolls[roll], subject)

    def _sees(self, one: Rolling, subject: Subject) -> bool:
        """Whether everything that a roll reaches is inside the subject's scope."""
        if not subject.scope:
            return True
        agents = [
            self.fleet.registry.agents.get(agent) for agent in dict.fromkeys(agent for agent, _ in one.plan.units)
        ]
        return all(agent is not None and subject.may_see(self.fleet.labels_of(agent)) for agent in agents)

    def _answer(self, asked: Asked, query: Query, one: Rolling, now: Instant) -> Send:
        return Send(asked.route, Answer(query.id, self._shown(one, now)))

    # -- units -------------------------------------------------------------------------------------------------------

    def heard(self, command: Command, now: Instant) -> Effects:
        """A command ended; perhaps it is a unit's."""
        one = self.rolls.get(command.order)
        number = command.id.rpartition(".")[2]
        if one is None or not number.isdigit():
            return []
        return self._ended(one, int(number) - 1, command.state, command.result, command.error, now)

    def _ended(self, one: Rolling, unit: int, state: CommandState, result: Any, error: str, now: Instant) -> Effects:
        problem = error or str(state) if state != CommandState.DONE else _shortfall(result, bool(one.plan.wait))
        return self._mark(one, unit, FAILED if problem else rolling.DONE, problem, now)

    def _mark(self, one: Rolling, unit: int, mark: str, problem: str, now: Instant) -> Effects:
        if problem and len(one.errors) < ERRORS:
            one.errors[unit] = problem[:200]
        return self._step(one, rolling.ended(one.roll, unit, mark), now)

    def _send(self, one: Rolling, unit: int, now: Instant) -> Effects:
        agent, program = one.plan.units[unit]
        refused = self._refused(one, agent, program)
        if refused:
            return self._mark(one, unit, *refused, now)
        command = self._command(one, unit, now)

        def claimed(taken: Any, error: str, now: Instant) -> Effects:
            if error:
                return self._mark(one, unit, FAILED, f"the store refused it: {error}", now)
            if taken:
                return self.orders.launch(command, now)
            return [Store("command", (command.id,), known)]

        def known(row: CommandRow | None, error: str, now: Instant) -> Effects:
            if row is not None and row.state in ENDS:
                return self._ended(one, unit, row.state, row.result, row.error, now)
            if command.id in self.orders.router.flying:
                return []
            if row is not None and self._may_repeat(row, agent, now):
                return self.orders.launch(command._replace(deadline=now.mono + row.deadline - now.wall), now)
            return self._mark(one, unit, FAILED, "the hub was restarted meanwhile; it may have been executed", now)

        return [self.orders.claim(command, claimed)]

    def _may_repeat(self, row: CommandRow, agent_id: str, now: Instant) -> bool:
        """Whether a command that another hub's life sent may be sent again: its agent remembers it, if it had it."""
        agent = self.fleet.registry.agents.get(agent_id)
        if not self.life() or agent is None or now.wall >= row.deadline:
            return False
        return agent.said.started_at + agent.offset < row.accepted_at

    def _refused(self, one: Rolling, agent_id: str, program: str) -> tuple[str, str] | None:
        """Mark and reason of a unit that cannot be sent."""
        agent = self.fleet.registry.agents.get(agent_id)
        if agent is None or agent.presence is Presence.GONE:
            return LEFT_OUT, "its agent left"
        if not agent.listed:
            return FAILED, "its agent is lost"
        if agent.programs and program not in agent.programs:
            return LEFT_OUT, "there is no such program any more"
        return (FAILED, "it lets a hub observe only") if agent.said.remote is Remote.OBSERVE else None

    def _command(self, one: Rolling, unit: int, now: Instant) -> Command:
        plan = one.plan
        agent, program = plan.units[unit]
        wait = {"wait": plan.wait} if plan.wait else {}
        return Command(
            id=f"{plan.id}.{unit + 1}",
            order=plan.id,
            actor=plan.actor,
            verb=plan.verb,
            args={**plan.args, **wait, "names": (program,)},
            agent=agent,
            engine="",
            container="",
            target=f"{self.fleet.name(agent)}/{program}",
            created_at=now.wall,
            deadline=now.mono + plan.ttl,
            ttl=plan.ttl,
            changed_at=now.wall,
        )

    # -- the roll as a whole -----------------------------------------------------------------------------------------

    def _step(self, one: Rolling, step: Step, now: Instant, begun: bool = False) -> Effects:
        if not self._owns(one, now):
            self._held.add(one.plan.id)
            return []
        before, (one.roll, units) = one.roll.phase, step
        one.changed_at, one.dirty = now.wall, True
        turned = begun or before != one.roll.phase
        effects: Effects = [Publish(f"command/{one.plan.id}", self._shown(one, now))]
        effects += self._turned(one, now) if turned else []
        effects += self._keep(one, now) if turned or now.mono - one.kept >= KEEP_SECONDS else []
        if units and not self._may(one.plan):
            return [*effects, *self._disowned(one, units, now)]
        return [*effects, *(effect for unit in units for effect in self._send(one, unit, now))]

    def _owns(self, one: Rolling, now: Instant) -> bool:
        """Whether this life of this hub carries the roll out, and may."""
        return one.born == self.life() and self.acts(now)

    def drop_foreign(self) -> None:
        """Forgets the rolls of an earlier life of this hub: whoever succeeds reads them from the store."""
        self.rolls = {roll: one for roll, one in self.rolls.items() if one.born == self.life()}

    def _may(self, plan: Plan) -> bool:
        """Whether who asked for it still may."""
        key = self.fleet.client_keys.get(plan.actor)
        if key is None:
            return False
        try:
            require_verb(Subject(key.subject, Role(key.role), key.scope), plan.verb)
        except Refusal:
            return False
        return True

    def _disowned(self, one: Rolling, units: Sequence[int], now: Instant) -> Effects:
        effects = self._step(one, rolling.cancel(one.roll), now)
        words = f"the key {one.plan.actor} may not do this any more"
        return [*effects, *(effect for unit in units for effect in self._mark(one, unit, FAILED, words, now))]

    def _turned(self, one: Rolling, now: Instant) -> Effects:
        """It began, ended, or goes on: a fact, a line, and in the end an audit row."""
        row = self._shown(one, now)
        counts = f"{row['done']} of {row['total']} done, {row['failed']} failed, {row['left_out']} left out"
        names = ("id", "phase", "actor", "verb", "target", "total", "done", "failed", "left_out")
        body = {
            "note": "roll",
            "roll": one.plan.id,
            "words": counts,
            **{name: row[name] for name in names if name != "id"},
        }
        effects: Effects = [Store("record_fact", (BOOK, now.wall, FactKind.NOTE, body)), Publish("notice/rolls", body)]
        if one.roll.phase in ENDED:
            good = one.roll.phase == Phase.DONE and not row["failed"]
            audit = self._audit(one, "done" if good else "failed", now, detail=f"{row['phase']}: {counts}")
            effects.append(Store("append_audit", (audit,)))
        return [*effects, Say(f"roll {one.plan.id} ({one.plan.verb} {one.plan.target}): {one.roll.phase}, {counts}")]

    def _audit(self, one: Rolling, outcome: str, now: Instant, peer: str = "", detail: str = "") -> AuditRow:
        plan = one.plan
        return AuditRow(now.wall, plan.actor, f"roll {plan.verb}", plan.target, outcome, detail, plan.id, peer)

    def _keep(self, one: Rolling, now: Instant) -> Effects:
        one.kept, one.dirty = now.mono, False
        state = CommandState.DONE if one.roll.phase == Phase.DONE else CommandState.DELIVERED
        errors = [[unit, text] for unit, text in one.errors.items()]
        mine = {"hub": self.fleet.settings.hub, "born": one.born}
        progress = {**plain(one.roll), "actor": one.plan.actor, "errors": errors, **mine}
        return [Store("update_command", (one.plan.id, state, now.wall, progress, ""))]

    def tick(self, now: Instant) -> Effects:
        """What waited for the right to act, and progress that waits to be written."""
        effects = [effect for one in self._released(now) for effect in self._revive(one, now)]
        late = [one for one in self.rolls.values() if one.dirty and now.mono - one.kept >= KEEP_SECONDS]
        due = [one for one in late if self._owns(one, now)]
        return effects + [effect for one in due for effect in self._keep(one, now)]

    def _released(self, now: Instant) -> Sequence[Rolling]:
        """Those held back that may go on; whoever succeeded this life has the others."""
        found = [one for one in map(self.rolls.get, self._held) if one is not None and self._owns(one, now)]
        self._held.difference_update([one.plan.id for one in found])
        self._held.intersection_update(self.rolls)
        return found

    def _revive(self, one: Rolling, now: Instant) -> Effects:
        """Go on with it; a unit whose end was not heard meanwhile is asked for under its old id."""
        return self._step(one, rolling.revive(one.roll), now, begun=not one.kept)

    def _enter(self, one: Rolling) -> None:
        self.rolls[one.plan.id] = one
        over = [key for key, known in self.rolls.items() if known.roll.phase in ENDED][: max(len(self.rolls) - KEPT, 0)]
        for key in over:
            del self.rolls[key]

    def _shown(self, one: Rolling, now: Instant) -> dict[str, Any]:
        return shown(one.plan, one.roll, one.errors, one.changed_at, self.fleet, now)

    # -- after a restart of the hub ----------------------------------------------------------------------------------

    def start(self, now: Instant) -> Store:
        """Finds the rolls again that were under way, or can be resumed."""

        def found(rows: Any, error: str, now: Instant) -> Effects:
            if self.fleet.settings.shared:
                return []  # hub.commands.succession
            bodies = [row.body for row in (() if error else rows) if isinstance(row.body, dict)]
            names = dict.fromkeys(str(body.get("roll")) for body in bodies)
            return [Store("command", (name,), self._restored) for name in list(names)[-KEPT:]]

        return Store("facts", (None, BOOK, now.wall - RESTORED_SECONDS, 10_000), found)

    def _restored(self, row: CommandRow | None, error: str, now: Instant) -> Effects:
        if row is None or row.verb != ROLL or row.args.get("hub") != self.fleet.settings.hub:
            return []
        return self.enter(row, now)

    def enter(self, row: CommandRow, now: Instant) -> Effects:
        """Goes on with a roll where its row says that it is."""
        plan = Plan.revived(row)
        progress: Mapping[str, Any] = row.result if isinstance(row.result, dict) else {}
        known = {name: progress[name] for name in Roll._fields if name in progress}
        roll = Roll(**known) if known else Roll(rolling.WAITING * len(plan.units), plan.width, plan.limit)
        errors = {int(unit): str(text) for unit, text in progress.get("errors", ())}
        plan = plan._replace(actor=str(progress.get("actor", plan.actor)), hub=self.fleet.settings.hub)
        one = Rolling(plan, roll, row.updated_at, errors, born=self.life())
        self._enter(one)
        return [] if roll.phase in ENDED else self._step(one, rolling.revive(roll), now)


def _shortfall(result: Any, waited: bool) -> str:
    """What a unit that was carried out still lacks: a process that is not what was asked for, where one waited."""
    processes = result.get("processes") if isinstance(result, Mapping) else None
    good = ("done",) if waited else ("done", "accepted")
    bad = [one for one in processes or () if one.get("outcome") not in good]
    return "; ".join(f"{one.get('outcome')}: {one.get('message') or one.get('state') or ''}" for one in bad)
