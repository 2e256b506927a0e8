"""From a client's wish to commands that are claimed, delivered and ended: one order may reach many targets.

Theory.  An order is judged as a whole first (role, verb, arguments, targets, what the agents allow); if anything is
wrong nothing is sent.  Then each target gets one command whose id derives from the order's, so that repeating the order
repeats no command.  Every command and every refused order leaves an audit row with who asked, from where, and what came
of it; of output that is followed only beginning and end (hub.commands.trails).  Before a command is sent the store
claims its id and keeps the row that says who asked, both in one write: so nobody waits for the disk twice, and nothing
is carried out that is not in the audit.  How it ended is told at once and written meanwhile; a hub that dies in between
asks the agent again, which repeats the answer.  That it was handed over is written only where it takes long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.clock import Instant
from hub.commands.claims import Claims
from hub.commands.containers import Containers
from hub.commands.rolling import ROLL
from hub.commands.router import ENDS, Command, Router
from hub.commands.selectors import Candidate, Chosen, containers, is_glob, processes
from hub.commands.shown import answered, audit_of_refusal, audit_row, revived, row_of, shown
from hub.commands.trails import Trails, beginning, word_of
from hub.commands.waits import Waits, hold_of
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
from hub.discovery.names import Names
from hub.discovery.registry import Agent
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.plain import plain
from hub.store.rows import CommandRow
from hub.trust.roles import Subject, require_verb
from hub.words import Asked, Effects, Publish, Send, Store, Then
from wire import limits
from wire import messages as M
from wire.model import CommandState, Verb
from wire.shapes import IDENT

REACHED = 1000
"""Most commands one order may become."""
BACK_SECONDS = 2 * 86400.0
"""Commands that were accepted longer ago are not looked for any more."""
SOON = 0.5
"""Seconds after which a command that was handed over and has not ended is noted as delivered."""


class Orders:
    """Serves commands; `new_id` makes an id for orders that bring none."""

    def __init__(self, fleet: Fleet, new_id: Callable[[], str]) -> None:
        self.fleet = fleet
        self.router = Router()
        self.new_id = new_id
        self.foreign: tuple[Candidate, ...] = ()
        """Containers of other hubs' engines that the order being judged may mean."""
        self.boxes: dict[str, str] = {}
        """Container -> the other hub that polls its engine, of those that an order may have meant last."""
        self.names = Names(fleet)
        self.waits = Waits(fleet, self.router)
        self.trails = Trails()
        self.containers = Containers(fleet, self.router, self._told, self._end)
        self.handed: dict[str, float] = {}
        """Delivered commands that the store does not know as such -> monotonic time to tell it."""
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
            require_verb(subject, str(args.get("verb", "")))
            if (word := word_of(args)) and args.get("end") is True:
                ended, kept = self.trails.end(subject, asked.peer, word, now)
                return [Send(asked.route, M.Answer(query.id, {"follow": word, "ended": ended})), *kept]
            order_id = self._identify(args)
            known = self.router.order(order_id)
            hold_of(args)
            if known and self.waits.hold(asked, query, order_id, now):
                return []
            if known:
                rows = [{**shown(command, self.fleet), "repeated": True} for command in known]
                return [answered(asked, query, order_id, rows)]
            made = self._judge(args, order_id, subject, asked.peer, now)
        except Refusal as refusal:
            row = audit_of_refusal(args, subject, asked.peer, refusal, now)
            answer = M.Refused(query.id, refusal.code, refusal.message[: limits.TEXT_CHARS], refusal.hint)
            return [Send(asked.route, answer), Store("append_audit", (row,))]
        return Claims(self, asked, query, order_id, made).start()

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
        made = (
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
                follow=word_of(args),
            )
            for number, draft in enumerate(drafts, 1)
        )
        return [self.trails.admit(command) for command in made]

    def _processes(
        self, verb: str, extra: Mapping[str, object], targets: Sequence[str], subject: Subject
    ) -> list[Draft]:
        check_args(verb, extra, PROCESS_ARGS, "a program")
        if self.fleet.epoch == 0:
            raise Refusal("starting", "the hub is still starting", "try again in a moment")
        reached = processes(targets, self.candidates(subject, targets=targets))
        for one in reached:
            self.check_remote(one, verb)
        return [draft for one in reached for draft in drafts_of(verb, extra, one)]

    def _containers(
        self, verb: str, extra: Mapping[str, object], targets: Sequence[str], subject: Subject
    ) -> list[Draft]:
        check_args(verb, extra, CONTAINER_ARGS, "a container")
        chosen = self._listed(targets, subject)
        engines = {one.key: one.place for one in self.foreign}
        engines |= {
            one.key: self.fleet.containers[one.key].engine for one in chosen if one.key in self.fleet.containers
        }
        return [Draft(extra, one.name, engine=engines[one.key], container=one.key) for one in chosen]

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

    def candidates(
        self, subject: Subject, everyone: bool = False, targets: Sequence[str] = ("*/*",)
    ) -> list[Candidate]:
        """The agents in the live list that exist for this subject, as targets; with `everyone` those that left too.

        Where all `targets` name their agent by a plain word, only the agents that these words may mean.
        """
        registry = self.fleet.registry
        words = [text.partition("/")[0] for text in targets]
        if all("/" in text and not is_glob(word) for text, word in zip(targets, words, strict=True)):
            meant = {one for word in words for one in self.names.find(word)}
            found = (registry.agents[one] for one in meant)
            agents = sorted((a for a in found if everyone or a.listed), key=lambda a: (a.said.name, a.id))
        else:
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
        others = [one for one in self.foreign if one.key not in self.fleet.containers]
        return others + [
            Candidate(key, known.row.name, (key,), "", labels, (), known.engine)
            for key, known, labels in seen
            if subject.may_see(labels)
        ]

    def unlisted(self, subject: Subject) -> list[Candidate]:
        """The agents whose container no engine confirms: its figures are kept under the agent's id."""
        return [one for one in self.candidates(subject) if one.key not in self.fleet.picture.container_of]

    # -- to agents and engines ---------------------------------------------------------------------------------------

    def claim(self, command: Command, claimed: Then) -> Store:
        """Has the store take the command's id, together with the audit row that says who asked for it."""
        row = row_of(command, self.fleet.epoch)
        if command.follow and self.trails.knows(command):
            return Store("claim_command", (row,), claimed)
        told = beginning(command) if command.follow else audit_row(command, Instant(0.0, command.created_at))
        return Store("claim_audited", (row, told), claimed)

    def launch(self, command: Command, now: Instant) -> Effects:
        """A claimed command starts to fly."""
        command = self.router.accept(command)
        told, sent = self._told(command, now), self._send(command, now)
        return [*sent, *told] if command.agent else [*told, *sent]

    def ready(self, agent: str, now: Instant) -> Effects:
        """An agent opened its command route: everything that waits for it, and what may have been lost on the way."""
        waiting = [*self.router.sendable(now.mono, agent), *self.router.unsent(agent)]
        return [effect for command in waiting for effect in self._send(command, now)]

    def _send(self, command: Command, now: Instant) -> Effects:
        if command.engine:
            return self._to_engine(command, now)
        agent, route = self.fleet.registry.agents.get(command.agent), self.fleet.routes.get(command.agent)
        if agent is None or not agent.listed or route is None:
            return self.abroad(command, now)
        if command.boot not in ("", agent.said.boot):
            error = "its container was restarted after the command was sent; it may have been executed"
            return self._end(command.id, CommandState.FAILED, now, error=error)
        self.router.attempted(command.id, agent.said.boot, now.mono)
        left = max(command.deadline - now.mono, 0.0)
        actor = f"hub:{command.actor}"
        message = M.Command(
            command.id, command.verb, dict(command.args), left, actor, self.fleet.epoch, command.nonce, now.wall + left
        )  # fmt: skip
        return [Send(route, message, agent=command.agent)]

    def _to_engine(self, command: Command, now: Instant) -> Effects:
        """Once, here or by the hub that hears of the container."""
        if command.sent_at is not None:
            return []
        self.router.attempted(command.id, "", now.mono)
        elsewhere = command.container in self.boxes and command.container not in self.fleet.containers
        return self.abroad(command, now) if elsewhere else self.containers.give(command, now)

    # -- what became of them -----------------------------------------------------------------------------------------

    def progress(self, asked: Asked, report: M.Progress, now: Instant) -> Effects:
        """An agent's word about one of its own commands; about any other it is ignored."""
        command = self.router.flying.get(report.id)
        if command is None or command.agent != asked.user or asked.user not in self.fleet.agent_keys:
            return []
        error = report.error or {}
        words = ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
        return self._end(report.id, report.state, now, report.result, words)

    def fail(self, command: Command, error: str, now: Instant) -> Effects:
        """It could not be carried out, or nobody knows."""
        return self._end(command.id, CommandState.FAILED, now, error=error)

    def tick(self, now: Instant) -> Effects:
        """Deadlines, and commands that wait to be offered again."""
        looked = self.containers.tick(now)
        expired = [effect for command in self.router.expire(now.mono, now.wall) for effect in self._told(command, now)]
        offered = [effect for command in self.router.sendable(now.mono) for effect in self._send(command, now)]
        return [*looked, *expired, *offered, *self._delivered(now), *self.waits.tick(now), *self.trails.tick(now)]

    def _end(
        self, command_id: str, state: CommandState, now: Instant, result: object = None, error: str = ""
    ) -> Effects:
        moved = self.router.move(command_id, state, now.wall, result, error)
        return self._told(moved, now) if moved else []

    def _told(self, command: Command, now: Instant) -> Effects:
        """A change of a command, for the feed, the store and the audit."""
        effects: Effects = [Publish(f"command/{command.id}", shown(command, self.fleet))]
        if command.state is CommandState.DELIVERED and not command.engine:
            self.handed[command.id] = now.mono + SOON
        if command.state not in ENDS:
            return effects
        self.handed.pop(command.id, None)
        self.ended.update([command.state])
        change = (command.id, command.state, now.wall, plain(command.result), command.error)
        audited = Store("end_audited", (*change, audit_row(command, now)))
        kept = Store("update_command", change) if command.follow else audited
        return [*self.waits.ended(command, now), kept, *effects, *self.listener(command, now)]

    def _delivered(self, now: Instant) -> Effects:
        """What was handed over and takes its time is noted."""
        due = [command_id for command_id, at in self.handed.items() if now.mono >= at]
        for command_id in due:
            del self.handed[command_id]
        return [Store("update_command", (one, CommandState.DELIVERED, now.wall, None, "")) for one in due]

    # -- after a restart of the hub ----------------------------------------------------------------------------------

    def rows(self) -> list[CommandRow]:
        """What is in flight, as the store keeps it."""
        rows = (row_of(command, self.fleet.epoch) for command in self.router.flying.values())
        return [row._replace(result=self.containers.marks.get(row.id)) for row in rows]

    def restore(self, rows: Sequence[CommandRow], now: Instant) -> Effects:
        """Commands that were in flight when the hub stopped fly on; orders to engines are not repeated."""
        effects: Effects = []
        for row in rows:
            if row.state in ENDS or row.verb == ROLL:
                continue
            if row.engine:
                effects += self.containers.inherit(row, now)
            else:
                self.router.accept(revived(row, self.fleet, now))
        return effects
