"""initd as the methods of the API see it: processes by supervisord's names, refusals as supervisord's faults.

`asking` is anything that asks initd's control API: initd.ctl.client.Client, or the rpc server's end of its socketpair.
"""

from __future__ import annotations

from initd.compat.rpc_words import Fault, join_name, split_name
from initd.ctl.client import Refused
from wire.limits import COMMAND_SECONDS, ROWS_PER_REPLY, RPC_NAME_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    Row = dict[str, Any]

    class Asking(Protocol):
        """Who asks PID 1."""

        def ask(self, verb: str, /, **args: object) -> Any: ...

        def stream(self, verb: str, /, **args: object) -> Iterator[dict[str, Any]]: ...


REFUSALS = {
    "unknown-program": "BAD_NAME",
    "unknown-group": "BAD_NAME",
    "bad-argument": "INCORRECT_PARAMETERS",
    "shutting-down": "SHUTDOWN_STATE",
    "not-running": "NOT_RUNNING",
    "already-there": "ALREADY_ADDED",
    "still-running": "STILL_RUNNING",
    "bad-configuration": "CANT_REREAD",
}
"""Codes of refusals to names of faults; any other is FAILED."""


class Initd:
    """See the module's docstring."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking

    def ask(self, verb: str, /, **args: object) -> Any:
        """The result of a verb.  Raises Fault."""
        try:
            return self.asking.ask(verb, **args)
        except Refused as refused:
            name = REFUSALS.get(refused.code, "FAILED")
            raise Fault(name, None if name == "SHUTDOWN_STATE" else refused.message) from refused

    def check_running(self) -> Row:
        """Who the daemon is; during a shutdown every method answers SHUTDOWN_STATE."""
        found: Row = self.ask("daemon")
        if found["state"] != "running":
            raise Fault("SHUTDOWN_STATE")
        return found

    def pages(self, verb: str, **args: object) -> list[Row]:
        """All rows of a verb that answers in pages."""
        rows: list[Row] = []
        while True:
            more = self.ask(verb, after=len(rows), **args)
            rows += more
            if len(more) < ROWS_PER_REPLY:
                return rows

    def everything(self) -> list[Row]:
        """Every process."""
        return self.pages("details")

    def by_priority(self) -> list[Row]:
        """Every process in the order of supervisord's batches."""
        return sorted(self.everything(), key=lambda row: (row["group_priority"], row["group"], row["priority"]))

    def find(self, name: str) -> Row:
        """The row of one process.  Raises Fault BAD_NAME."""
        rows = self.ask_by_name(name, "details")
        return rows[0]  # type: ignore[no-any-return]

    def ask_by_name(self, name: object, verb: str, **args: object) -> Any:
        """Ask about the one process that a client named.  Raises Fault BAD_NAME with the name as it was given."""
        group, process = split_name(text(name))
        if process is None:
            raise Fault("BAD_NAME", name)
        return self._ask_about(name, verb, join_name(group, process), args)

    def members(self, group: object, name: object = None) -> list[Row]:
        """The rows of a group in order of priority.  Raises Fault BAD_NAME with the name as it was given."""
        rows = [row for row in self.everything() if row["group"] == group]
        if not rows and group not in [one["name"] for one in self.ask("groups")]:
            raise Fault("BAD_NAME", text(group) if name is None else name)
        return sorted(rows, key=lambda row: row["priority"])

    def _ask_about(self, name: object, verb: str, full: str, args: Row) -> Any:
        if not full or len(full) > RPC_NAME_CHARS or not full.isprintable() or full == "all" or "*" in full:
            raise Fault("BAD_NAME", name)
        try:
            return self.ask(verb, names=[full], **args)
        except Fault as fault:
            raise Fault("BAD_NAME", name) if fault.name == "BAD_NAME" else fault from fault

    def command(self, verb: str, rows: list[Row], wait: bool, **args: object) -> list[Row]:
        """Give a command about these processes; its rows, when it is over or at once."""
        if not rows:
            return []
        names = [full_name(row) for row in rows]
        seconds = {"wait": COMMAND_SECONDS} if wait else {}
        return self.ask(verb, names=names, **seconds, **args)["processes"]  # type: ignore[no-any-return]


def full_name(row: Row) -> str:
    """What people type."""
    return join_name(str(row["group"]), row["name"])


def text(value: object) -> str:
    """An argument that has to be text.  Raises Fault."""
    if not isinstance(value, str):
        raise Fault("INCORRECT_PARAMETERS")
    return value


def number(value: object) -> int:
    """An argument that has to be a number, as int() takes it.  Raises Fault."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        raise Fault("INCORRECT_PARAMETERS") from None
