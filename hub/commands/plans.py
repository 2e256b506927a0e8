"""What a roll is to do: read from a client's wish, kept as a command's row, read again, and shown.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.clock import Instant
from hub.commands import rolling
from hub.commands.orders import Orders
from hub.commands.rolling import ROLL, UNITS, Roll
from hub.commands.selectors import processes
from hub.commands.wishes import PROCESS_ARGS, check_args, extra_of, targets_of
from hub.errors import Refusal
from hub.fleet import Fleet
from hub.store.rows import CommandRow
from hub.trust.roles import Subject
from wire import limits
from wire._record import Record
from wire.model import CommandState, Verb
from wire.shapes import IDENT

VERBS = (Verb.START, Verb.STOP, Verb.RESTART, Verb.SIGNAL)
READY_SECONDS = 60.0
"""How long `wait ready` waits for a unit: RUNNING is what a program with a readiness probe is once it is ready."""
WAIT_SECONDS = 600.0
SPARE_SECONDS = 30.0
"""Added to the wait for a command's deadline: its agent may be late."""


class Plan(Record):
    """A roll as it was asked for."""

    id: str
    actor: str
    verb: str
    args: Mapping[str, Any]
    target: str
    """As typed."""
    units: tuple[tuple[str, str], ...]
    """Agent and full name, in order."""
    width: int
    limit: int
    wait: float
    """Seconds to wait for each unit; 0 = do not."""
    hub: str
    """Who carries it out."""
    created_at: float

    @property
    def ttl(self) -> float:
        """Deadline of a unit's command, seconds."""
        return self.wait + SPARE_SECONDS

    @classmethod
    def revived(cls, row: CommandRow) -> Plan:
        """The plan in a kept row."""
        known: dict[str, Any] = {name: row.args[name] for name in cls._fields if name in row.args}
        units = tuple((str(agent), str(program)) for agent, program in row.args["units"])  # type: ignore[attr-defined]
        return cls(**{**known, "units": units, "id": row.id, "actor": row.actor, "created_at": row.accepted_at})


def plan_of(args: Mapping[str, Any], subject: Subject, fleet: Fleet, orders: Orders, at: float) -> Plan:
    """What a client asks for.  Raises Refusal."""
    verb, extra, targets = str(args["verb"]), extra_of(args), targets_of(args)
    if verb not in VERBS:
        raise Refusal("unknown-verb", f"{verb} cannot be rolled", f"known: {', '.join(sorted(VERBS))}")
    check_args(verb, extra, PROCESS_ARGS, "a program")
    wait = _wait(args.get("wait", extra.pop("wait", None)), verb)
    chosen = processes(targets, orders.candidates(subject, targets=targets))
    for one in chosen:
        orders.check_remote(one, verb)
    units = tuple((one.key, program) for one in chosen for program in one.programs)
    if len(units) > UNITS:
        raise Refusal("too-large", f"{len(units)} processes are more than one roll takes ({UNITS})", "name fewer")
    limit = args.get("stop_on_failure", 1)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= UNITS:
        raise Refusal("bad-argument", f"stop_on_failure must be a whole number from 0 to {UNITS}; 0 = never")
    width = rolling.begin(len(units), rolling.width_of(args.get("at_a_time", 1), len(units)), limit)[0].width
    target, hub = " ".join(targets)[: limits.TEXT_CHARS], fleet.settings.hub
    return Plan(_id(args, orders), subject.name, verb, extra, target, units, width, limit, wait, hub, at)


def _id(args: Mapping[str, Any], orders: Orders) -> str:
    given = args.get("id")
    if given in (None, ""):
        return orders.new_id()
    if not isinstance(given, str) or len(given) > 32 or IDENT.fullmatch(given) is None or "." in given:
        raise Refusal("bad-argument", "id must be 1 to 32 letters, digits, '_' or '-'")
    return given


def _wait(value: object, verb: str) -> float:
    if value in (None, "none", 0) or verb == Verb.SIGNAL:
        return 0.0
    if value == "ready":
        return READY_SECONDS
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= WAIT_SECONDS:
        raise Refusal("bad-argument", f"wait must be ready, none, or seconds up to {WAIT_SECONDS:g}")
    return float(value)


def planned(plan: Plan, epoch: int) -> CommandRow:
    """The row under which a plan is kept."""
    names = ("verb", "args", "target", "width", "limit", "wait", "hub")
    args: dict[str, object] = {name: getattr(plan, name) for name in names}
    args["units"] = [list(unit) for unit in plan.units]
    return CommandRow(
        id=plan.id,
        actor=plan.actor,
        verb=ROLL,
        target=plan.target,
        agent=None,
        container=None,
        engine=None,
        args=args,
        state=CommandState.ACCEPTED,
        accepted_at=plan.created_at,
        deadline=plan.created_at,
        updated_at=plan.created_at,
        epoch=epoch,
    )


def shown(
    plan: Plan, roll: Roll, errors: Mapping[int, str], changed_at: float, fleet: Fleet, now: Instant
) -> dict[str, Any]:
    """A roll as clients see it."""
    counts = {
        "total": len(plan.units),
        "waiting": roll.count(rolling.WAITING),
        "sent": roll.count(rolling.SENT),
        "done": roll.count(rolling.DONE),
        "failed": roll.count(rolling.FAILED),
        "left_out": roll.count(rolling.LEFT_OUT),
    }
    told = [{"target": _name(plan, unit, fleet), "error": text} for unit, text in sorted(errors.items())]
    names = ("id", "actor", "verb", "target", "wait", "hub", "created_at")
    head = {name: getattr(plan, name) for name in names}
    return {
        **head,
        **counts,
        "phase": str(roll.phase),
        "width": roll.width,
        "stop_on_failure": roll.limit,
        "errors": told,
        "at": changed_at,
        "age": max(now.wall - changed_at, 0.0),
    }


def _name(plan: Plan, unit: int, fleet: Fleet) -> str:
    agent, program = plan.units[unit]
    return f"{fleet.name(agent)}/{program}"
