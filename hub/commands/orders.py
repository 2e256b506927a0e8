"""From a client's wish to commands that are claimed, delivered and ended: one order may reach many targets.

Theory.  An order is judged as a whole first (role, verb, arguments, targets, what the agents allow); if anything is
wrong nothing is sent.  Then each target gets one command whose id derives from the order's, so that repeating the order
repeats no command.  The store claims each id before it is sent; every command and every refused order leaves an audit
row with who asked, from where, and what came of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.clock import Instant
from hub.commands.rolling import ROLL
from hub.commands.router import ENDS, Command, Router
from hub.commands.selectors import Candidate, Chosen, containers, processes
from hub.commands.shown import answered, audit, audit_of_refusal, row_of, shown
from hub.commands.wishes import (
    CONTAINER_ARGS,
    PROCESS_ARGS,
    Draft,
    check_args,
    drafts_of,
    extra_of,
    targets_of,
    ttl_of,
)
from hub.discovery.registry import Agent
from hub.engines.reports import EngineCommand, OrderResult
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import CommandRow
from hub.trust.roles import Subject, require_verb
from hub.words import Asked, Effect, Effects, Order, Publish, Send, Store
from wire import limits
from wire import messages as M
from wire.model import CommandState, Verb
from wire.shapes import IDENT

REACHED = 1000
"""Most commands one order may become."""


class Orders:
    """Serves commands; `new_id` makes an id for orders that bring none."""

    def __init__(self, fleet: Fleet, new_id: Callable[[], str]) -> None:
        self.fleet = fleet
        self.router = Router()
        self.new_id = new_id
        self.ended: Counter[CommandState] = Counter()
        """Commands by their end, since the start."""
        self.listener: Callable[[Command, Instant], Effects] = lambda command, now: []
        """Hears of every command that ended."""
        self.abroad: Callable[[Command, Instant], Effects] = lambda command, now: []
        """Has another hub send a command whose agent is not here."""

    # -- from clients ------------------------------------------------------------------------------------------------

    def take(self, asked: Asked, query: M.Query, subject: Subject, now: Instant) -> Effects:
        """One order; a refused one is audited too."""
        args = query.args
        try:
            order_id = self._identify(args)
            require_verb(subject, str(args.get("verb", "")))
            known = self.router.order(order_id)
            if known:
                rows = [{**shown(command, self.fleet), "repeated": True} for command in known]
                return [answered(asked, query, order_id, rows)]
            made = self._judge(args, order_id, subject, asked.peer, now)
        except Refusal as refusal:
            row = audit_of_refusal(args, subject, asked.peer, refusal, now)
            answer = M.Refused(query.id, refusal.code, refusal.message[: limits.TEXT_CHARS], refusal.hint)
            return [Send(asked.route, answer), Store("append_audit", (row,))]
        return _Claims(self, asked, query, order_id, made).start()

    def _identify(self, args: Mapping[str, Any]) -> str:
        given = args.get("id")
        if given in (None, ""):
            return self.new_id()
        if not isinstance(given, str) or len(given) > 40 or IDENT.fullmatch(given) is None:
            raise Refusal("bad-argument", "id must be 1 to 40 letters, digits, '_', '.' or '-'")
        return given

    def _judge(
        self, args: Mapping[str, Any], order_id: str, subject: Subject, peer: str, now: Instant
    ) -> list[Command]:
        verb, extra, targets, ttl = str(args["verb"]), extra_of(args), targets_of(args), ttl_of(args)
        reach = self._containers if args.get("container") is True else self._processes
        drafts = reach(verb, extra, targets, subject)
        if self.router.full(len(drafts)) or len(drafts) > REACHED:
            raise Refusal("busy", f"{len(drafts)} commands are too many now", "name fewer targets, or try again later")
        return [
            Command(
                id=order_id if len(drafts) == 1 else f"{order_id}.{number}",
                order=order_id,
                actor=subject.name,
                verb=verb,
                args=draft.args,
                agent=draft.agent,
                engine=draft.engine,
                container=draft.container,
                target=draft.target,
                created_at=now.wall,
                deadline=now.mono + ttl,
                ttl=ttl,
                changed_at=now.wall,
                peer=peer,
            )
            for number, draft in enumerate(drafts, 1)
        ]

    def _processes(
        self, verb: str, extra: Mapping[str, object], targets: Sequence[str], subject: Subject
    ) -> list[Draft]:
        check_args(verb, extra, PROCESS_ARGS, "a program")
        if self.fleet.epoch == 0:
            raise Refusal("starting", "the hub is still starting", "try again in a moment")
        reached = processes(targets, self.candidates(subject))
        for one in reached:
            self.check_remote(one, verb)
        return [draft for one in reached for draft in drafts_of(verb, extra, one)]

    def _containers(
        self, verb: str, extra: Mapping[str, object], targets: Sequence[str], subject: Subject
    ) -> list[Draft]:
        check_args(verb, extra, CONTAINER_ARGS, "a container")
        chosen = self._listed(targets, subject)
        return [
            Draft(extra, one.name, engine=self.fleet.containers[one.key].engine, container=one.key) for one in chosen
        ]

    def _listed(self, targets: Sequence[str], subject: Subject) -> tuple[Chosen, ...]:
        """The containers; where only an agent whose container no engine lists is called so, the refusal says that."""
        try:
            return containers(targets, self.container_candidates(subject))
        except Refusal as refused:
            try:
                alone = containers(targets, self.unlisted(subject))[0]
            except Refusal:
                raise refused from None
        text = f"no engine lists the container of {alone.name}: container verbs are unavailable there"
        raise Refusal("unavailable", text, "process verbs work; hubctl hosts shows the engines")

    def check_remote(self, one: Chosen, verb: str) -> None:
        """Raises Refusal where the agent lets a hub observe only."""
        agent = self.fleet.registry.agents[one.key]
        if agent.said.remote is M.Remote.OBSERVE and verb != Verb.TAIL:
            hint = "set remote=operate in [initd] of that container"
            raise Refusal("observe-only", f"{one.name} lets a hub observe only", hint)

    def candidates(self, subject: Subject, everyone: bool = False) -> list[Candidate]:
        """The agents in the live list that exist for this subject, as targets; with `everyone` those that left too."""
        registry = self.fleet.registry
        agents = list(registry.agents.values()) if everyone else registry.live()
        seen = ((agent, self.fleet.labels_of(agent)) for agent in agents)
        return [self._candidate(agent, labels) for agent, labels in seen if subject.may_see(labels)]

    def _candidate(self, agent: Agent, labels: Mapping[str, str]) -> Candidate:
        container = self.fleet.picture.container_of.get(agent.id)
        ids = (agent.id, *([container] if container else []))
        return Candidate(agent.id, self.fleet.name_of(agent), ids, agent.said.hostname, labels, tuple(agent.programs))

    def container_candidates(self, subject: Subject) -> list[Candidate]:
        """The containers that exist for this subject, as targets."""
        seen = ((key, known, self.fleet.labels_of_container(key)) for key, known in self.fleet.containers.items())
        return [
            Candidate(key, known.row.name, (key,), "", labels, (), known.engine)
            for key, known, labels in seen
            if subject.may_see(labels)
        ]

    def unlisted(self, subject: Subject) -> list[Candidate]:
        """The agents whose container no engine confirms: its figures are kept under the agent's id."""
        return [one for one in self.candidates(subject) if one.key not in self.fleet.picture.container_of]

    # -- to agents and engines ---------------------------------------------------------------------------------------

    def launch(self, command: Command, now: Instant) -> Effects:
        """A claimed command starts to fly."""
        command = self.router.accept(command)
        return [*self._told(command, now), *self._send(command, now)]

    def ready(self, agent: str, now: Instant) -> Effects:
        """An agent opened its command route: everything that waits for it, and what may have been lost on the way."""
        waiting = [*self.router.sendable(now.mono, agent), *self.router.unsent(agent)]
        return [effect for command in waiting for effect in self._send(command, now)]

    def _send(self, command: Command, now: Instant) -> Effects:
        if command.engine:
            return self._order(command, now)
        agent, route = self.fleet.registry.agents.get(command.agent), self.fleet.routes.get(command.agent)
        if agent is None or not agent.listed or route is None:
            return self.abroad(command, now)
        if command.boot not in ("", agent.said.boot):
            error = "its container was restarted after the command was sent; it may have been executed"
            return self._end(command.id, CommandState.FAILED, now, error=error)
        self.router.attempted(command.id, agent.said.boot, now.mono)
        left = max(command.deadline - now.mono, 0.0)
        actor = f"hub:{command.actor}"
        message = M.Command(command.id, command.verb, dict(command.args), left, actor, self.fleet.epoch, command.nonce)
        return [Send(route, message, agent=command.agent)]

    def _order(self, command: Command, now: Instant) -> Effects:
        if command.sent_at is not None:
            return []
        self.router.attempted(command.id, "", now.mono)
        deadline = now.wall + command.deadline - now.mono
        order = EngineCommand(command.id, command.verb, command.container, command.args, deadline)
        moved = self.router.move(command.id, CommandState.DELIVERED, now.wall)
        told = self._told(moved, now) if moved else []
        by_relay = self.fleet.relayed.get(command.engine)
        return [*told, *(by_relay(order, now) if by_relay else [Order(command.engine, order)])]

    # -- what became of them -----------------------------------------------------------------------------------------

    def progress(self, asked: Asked, report: M.Progress, now: Instant) -> Effects:
        """An agent's word about one of its own commands; about any other it is ignored."""
        command = self.router.flying.get(report.id)
        if command is None or command.agent != asked.user or asked.user not in self.fleet.agent_keys:
            return []
        error = report.error or {}
        words = ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
        return self._end(report.id, report.state, now, report.result, words)

    def ordered(self, result: OrderResult, now: Instant) -> Effects:
        """An engine's word about one of its orders."""
        state = CommandState.DONE if result.ok else CommandState.FAILED
        words = "" if result.ok else f"{result.error}: {result.detail}"
        return self._end(result.id, state, now, result.detail if result.ok else None, words)

    def tick(self, now: Instant) -> Effects:
        """Deadlines, and commands that wait to be offered again."""
        expired = [effect for command in self.router.expire(now.mono, now.wall) for effect in self._told(command, now)]
        return [*expired, *(e for command in self.router.sendable(now.mono) for e in self._send(command, now))]

    def _end(
        self, command_id: str, state: CommandState, now: Instant, result: object = None, error: str = ""
    ) -> Effects:
        moved = self.router.move(command_id, state, now.wall, result, error)
        return self._told(moved, now) if moved else []

    def _told(self, command: Command, now: Instant) -> Effects:
        """A change of a command, for the feed, the store and the audit."""
        effects: Effects = [Publish(f"command/{command.id}", shown(command, self.fleet))]
        self.ended.update([command.state] if command.state in ENDS else [])
        if command.state is not CommandState.ACCEPTED:
            change = (command.id, command.state, now.wall, plain(command.result), command.error)
            effects.append(Store("update_command", change))
        if command.state in ENDS or command.state is CommandState.ACCEPTED:
            effects.append(audit(command, now))
        return [*effects, *(self.listener(command, now) if command.state in ENDS else [])]

    # -- after a restart of the hub ----------------------------------------------------------------------------------

    def restore(self, rows: Sequence[CommandRow], now: Instant) -> Effects:
        """Commands that were in flight when the hub stopped fly on; orders to engines are not repeated."""
        effects: Effects = []
        for row in rows:
            if row.state in ENDS or row.verb == ROLL:
                continue
            self.router.accept(self._revived(row, now))
            if row.engine:
                error = "the hub was restarted meanwhile; it may have been executed"
                effects += self._end(row.id, CommandState.FAILED, now, error=error)
        return effects

    def _revived(self, row: CommandRow, now: Instant) -> Command:
        agent = self.fleet.registry.agents.get(row.agent or "")
        return Command(
            id=row.id,
            order=row.id.partition(".")[0],
            actor=row.actor,
            verb=row.verb,
            args=row.args,
            agent=row.agent or "",
            engine=row.engine or "",
            container=row.container or "",
            target=row.target,
            created_at=row.accepted_at,
            deadline=now.mono + row.deadline - now.wall,
            ttl=row.deadline - row.accepted_at,
            state=row.state,
            boot=agent.said.boot if agent else "",
        )


class _Claims:
    """Claims the commands of one order one after the other, then answers the client."""

    def __init__(self, orders: Orders, asked: Asked, query: M.Query, order_id: str, made: list[Command]) -> None:
        self.orders, self.asked, self.query, self.order_id = orders, asked, query, order_id
        self.waiting = {command.id: command for command in made}
        self.answers: list[dict[str, object]] = []

    def start(self) -> Effects:
        """One claim for each command."""
        return [self._claim(command) for command in self.waiting.values()]

    def _claim(self, command: Command) -> Effect:
        def claimed(taken: Any, error: str, now: Instant) -> Effects:
            return self._claimed(command, taken, error, now)

        return Store("claim_command", (row_of(command, self.orders.fleet.epoch),), claimed)

    def _claimed(self, command: Command, taken: Any, error: str, now: Instant) -> Effects:
        if error:
            failed = command._replace(state=CommandState.FAILED, error=f"the store refused it: {error}")
            return self._done(command, shown(failed, self.orders.fleet), [])
        if not taken:
            return [Store("command", (command.id,), lambda row, error, now: self._known(command, row))]
        effects = self.orders.launch(command, now)
        return self._done(command, shown(command, self.orders.fleet), effects)

    def _known(self, command: Command, row: CommandRow | None) -> Effects:
        known = plain(row) if row is not None else shown(command, self.orders.fleet)
        return self._done(command, {**known, "repeated": True}, [])

    def _done(self, command: Command, answer: dict[str, object], effects: Effects) -> Effects:
        self.waiting.pop(command.id, None)
        self.answers.append(answer)
        if self.waiting:
            return effects
        return [answered(self.asked, self.query, self.order_id, self.answers), *effects]
