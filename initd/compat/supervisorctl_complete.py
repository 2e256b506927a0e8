"""What the tab key offers in supervisorctl's shell: actions, groups, processes."""

from __future__ import annotations

from initd.compat.rpc_words import Fault
from initd.compat.supervisorctl_reach import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from initd.compat.supervisorctl_shell import Shell

GROUPED = ("add", "remove", "update")
NAMED = ("clear", "fg", "pid", "restart", "signal", "start", "status", "stop", "tail")


def completer(shell: Shell, line: Callable[[], str]) -> Callable[[str, int], str | None]:
    """A function for readline; `line()` is what is typed so far.  Processes are asked for at each first offer."""
    offers: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            offers[:] = matches(
                line(), text, [name for name in shell.actions if name != "EOF"], lambda: _processes(shell)
            )
        return offers[state] if state < len(offers) else None

    return complete


def matches(
    line: str, text: str, vocabulary: Iterable[str], processes: Callable[[], list[dict[str, Any]]]
) -> list[str]:
    """What can stand in place of `text`, the last word of the line; `vocabulary` are the actions."""
    words = line.split()
    if not words or (len(words) == 1 and not line.endswith(" ")) or words[0] == "help":
        found = list(vocabulary)
    elif words[0] in GROUPED:
        found = list(dict.fromkeys(str(one["group"]) for one in processes()))
    else:
        found = _names(processes(), text) if words[0] in NAMED else []
    return [f"{one} " for one in found if one.startswith(text)]


def _names(processes: list[dict[str, Any]], text: str) -> list[str]:
    found: dict[str, None] = {}
    for one in processes:
        if ":" in text or one["name"] != one["group"]:
            found[f"{one['group']}:{one['name']}"] = None
            found[f"{one['group']}:*"] = None
        else:
            found[one["name"]] = None
    return list(found)


def _processes(shell: Shell) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = shell.call("getAllProcessInfo")
    except (Fault, HttpError, OSError):
        return []
    return rows
