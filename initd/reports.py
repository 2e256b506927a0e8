"""What the observing verbs of the control API tell: plain values for JSON; pure.

Where a row is a record of wire.model, its keys are that record's fields (`name` is the process name within `group`),
and `full_name`, where there is one, is what people type.
"""

from __future__ import annotations

from initd.jsontext import dumps
from initd.replies import ControlError, Rows
from wire._record import Record
from wire.limits import FACTS
from wire.model import Exit, FactKind, State, full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from initd.facts import Journal
    from initd.output import Output
    from initd.process import Process
    from initd.supervisor import Supervisor
    from wire.model import Fact

ALL = "all"
"""The name that means every process."""

UPTIME = '"uptime":null'
"""Where the JSON of a row is cut in two.  Inside of a string its quotes would be escaped."""

SHOWN = 20
"""Unknown names listed in an error, at most."""


def select(processes: dict[str, Process], names: tuple[str, ...]) -> list[Process]:
    """The processes meant by names, `GROUP:*` and `all`, each once, in start order.  Raises ControlError."""
    if names == (ALL,):
        return list(processes.values())
    groups = {process.config.group for process in processes.values()}
    unknown = [name for name in names if not _is_known(name, processes, groups)]
    if unknown:
        raise _unknown(unknown, groups)
    wanted = set(names)
    return [process for process in processes.values() if wanted & {ALL, process.name, f"{process.config.group}:*"}]


def _is_known(name: str, processes: dict[str, Process], groups: set[str]) -> bool:
    return name == ALL or name in processes or (name.endswith(":*") and name[:-2] in groups)


def _unknown(names: list[str], groups: set[str]) -> ControlError:
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    group = next((name for name in names if name in groups), None)
    hint = f"{group} is a group: say {group}:*" if group else "status lists the names; all means every one"
    return ControlError("unknown-program", f"no process is called {shown}", hint)


def fact_row(fact: Fact) -> dict[str, object]:
    """A fact with its body as plain values."""
    return {"seq": fact.seq, "at": fact.at, "mono": fact.mono, "kind": str(fact.kind), "body": body_row(fact.body)}


def body_row(body: object) -> dict[str, object]:
    """The body of a fact; an exit record has its rusage inside, or null."""
    if isinstance(body, dict):
        return body
    row: dict[str, object] = body._asdict()  # type: ignore[attr-defined]
    if isinstance(body, Exit):
        row["rusage"] = body.rusage._asdict() if body.rusage else None
        row["last_lines"] = list(body.last_lines)
    return row


class Shown(Record):
    """A row of `status` but for its uptime, and its JSON before and after that."""

    of: tuple[object, ...]
    """All that it is made of."""
    row: dict[str, object]
    before: str
    after: str


class Reports:
    """Reads supervisor, journal and output; changes nothing."""

    def __init__(self, supervisor: Supervisor, journal: Journal, output: Output) -> None:
        self._sup = supervisor
        self._journal = journal
        self._output = output

    def status(self, names: tuple[str, ...], now: float) -> Rows:
        """One row a process, of all where no name is given."""
        rows, texts = Rows(), []
        for process in select(self._sup.processes, names or (ALL,)):
            shown = self._shown(process)
            uptime = now - process.program.spawned_at if process.program.pid is not None else None
            rows.append({**shown.row, "uptime": uptime})
            texts.append(f"{shown.before}{'null' if uptime is None else repr(uptime)}{shown.after}")
        rows.json = f"[{','.join(texts)}]"
        return rows

    def _shown(self, process: Process) -> Shown:
        """What is shown of it beside its uptime; made anew where any of that has changed."""
        dropped, program = sum(self._output.dropped(process.name)), process.program
        of = (dropped, process.since, process.why, process.run.start_ticks, process.config, program)
        if process.shown is None or process.shown.of != of:
            told = process.status(program.spawned_at)._asdict()
            row = {
                "full_name": process.name,
                **told,
                "next_try": self._next_try(process),
                "autostart": process.config.autostart,
                "dropped": dropped,
            }
            text = dumps({**row, "uptime": None})
            before, mark, after = text.partition(UPTIME)
            process.shown = Shown(of, row, before + mark.removesuffix("null"), after)
        return process.shown

    def _next_try(self, process: Process) -> float | None:
        """Wall time of the next automatic start, None where none is due."""
        program = process.program
        if program.deadline is None or program.pid is not None or program.state not in (State.BACKOFF, State.EXITED):
            return None
        return self._sup.kernel.wall() + program.deadline - self._sup.loop.now()

    def census(self, now: float) -> list[dict[str, object]]:
        """What link needs to know of the programs."""
        fields = ("group", "name", "program", "number", "pid", "start_ticks", "state", "want", "restarts", "since")
        rows = [process.status(now)._asdict() for process in self._sup.processes.values()]
        return [{field: row[field] for field in fields} for row in rows]

    def healthy(self, essential: bool = False) -> dict[str, object]:
        """Whether the container does its job, and who does not; the rule stands in initd.control."""
        counted = [process for process in self._sup.processes.values() if counts(process, essential)]
        ill = [process for process in counted if not is_well(process)]
        rows = [{"name": one.name, "state": str(one.program.state), "why": complaint(one)} for one in ill]
        return {"healthy": not rows and self._sup.state == "running", "state": self._sup.state, "ill": rows[:SHOWN]}

    def events(self, names: tuple[str, ...], after: int | None, limit: int) -> list[dict[str, object]]:
        """Facts after a number, the oldest first; without a number the newest."""
        return self._facts(names, after, limit, tuple(FactKind))

    def exits(self, names: tuple[str, ...], after: int | None, limit: int) -> list[dict[str, object]]:
        """Exit records in the same way."""
        return self._facts(names, after, limit, (FactKind.EXIT,))

    def replay(self, after: int, limit: int) -> dict[str, object]:
        """Facts for link, with where the journal stands."""
        return {"facts": [fact_row(fact) for fact in self._journal.since(after, limit)], **self.journal()}

    def journal(self) -> dict[str, int]:
        """Where the journal stands."""
        journal = self._journal
        return {
            "first": journal.first,
            "last": journal.last,
            "durable": journal.durable,
            "dropped": journal.dropped,
        }

    def concerns(self, names: tuple[str, ...], fact: Fact) -> bool:
        """Whether a fact is about one of the names; about anything where none is given."""
        if not names:
            return True
        group, name = getattr(fact.body, "group", None), getattr(fact.body, "name", None)
        if group is None or name is None:
            return False
        return bool({ALL, full_name(group, name), f"{group}:*"}.intersection(names))

    def _facts(
        self, names: tuple[str, ...], after: int | None, limit: int, kinds: tuple[FactKind, ...]
    ) -> list[dict[str, object]]:
        if names:
            select(self._sup.processes, names)
        found = [fact for fact in self._journal.since(after or 0, FACTS) if fact.kind in kinds]
        found = [fact for fact in found if self.concerns(names, fact)]
        return _rows(found[:limit] if after is not None else found[len(found) - min(limit, len(found)) :])


def _rows(facts: Iterable[Fact]) -> list[dict[str, object]]:
    return [fact_row(fact) for fact in facts]


def counts(process: Process, essential: bool) -> bool:
    """Whether a process matters for health: those with autostart, or the essential ones alone."""
    policy = process.config.policy
    return (policy is not None and policy.essential) if essential else process.config.autostart


def is_well(process: Process) -> bool:
    """RUNNING, with a liveness probe that does not fail if it has one, or EXITED as expected."""
    if process.program.state is State.EXITED:
        return process.last_exit is not None and process.last_exit.expected
    return process.program.state is State.RUNNING and not process.ailing


def complaint(process: Process) -> str:
    """Why a process is not well."""
    return process.ailing or process.why
