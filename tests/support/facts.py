"""Facts for tests: small ones, and the largest that PID 1 makes."""

from __future__ import annotations

from wire import limits
from wire.model import Cause, Exit, Fact, FactKind, Rusage, State, StateChange


def change(seq: int, name: str = "web", at: float = 1000.0) -> Fact:
    """A state change with that number."""
    body = StateChange(name, name, State.RUNNING, State.STARTING, 100 + seq, "", "")
    return Fact(seq, at + seq, 10.0 + seq, FactKind.STATE, body)


def exit_record(seq: int, name: str = "web", **changes: object) -> Fact:
    """An exit record with that number."""
    body = Exit(
        name, name, name, 0, 100 + seq, 5000, 1000.0, 1001.0, 1.0, None, 9, False, False, Cause.SIGNAL, "", "",
        None, "", Rusage(0.1, 0.2, 10_000_000, 500, 0), ("first line", "last line"),
    )  # fmt: skip
    return Fact(seq, 1001.0 + seq, 11.0 + seq, FactKind.EXIT, body._replace(**changes))


def fat_exit(seq: int) -> Fact:
    """An exit record with full last lines."""
    return exit_record(seq, last_lines=("x" * limits.LAST_LINE_BYTES,) * limits.LAST_LINES)
