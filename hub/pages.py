"""Long answers in pages, so that no question holds the loop for longer than ROWS rows take.

Theory.  While an answer is built nobody else is served, heartbeats neither.  So an answer holds at most ROWS rows, and
a question that means more is refused, never cut off in silence.  Who wants all asks with `limit`, and again with
`after`, the key of the last row (the agent's or the container's id), until fewer rows come than asked for.  Things
come in the order of their keys, and what belongs to one of them is never torn apart, so a page may exceed `limit` by
one agent's rows.  Whoever comes or goes in between is shown or not; nobody else is shown twice or left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from hub.errors import Refusal

ROWS = 2000
"""Most rows of one answer: they take the loop a tenth of a second, and 2 MiB."""
KEY_CHARS = 128
"""Longest key of a row."""

Thing = TypeVar("Thing")


def page(found: Iterable[tuple[str, int, Thing]], args: Mapping[str, Any]) -> list[Thing]:
    """The things to show out of (key, rows it makes, thing); raises Refusal where that would be too many."""
    things = sorted(found, key=lambda one: one[0])
    limit, after = _limit(args.get("limit")), _after(args.get("after"))
    if limit is None:
        _bound(sum(rows for _, rows, _ in things))
        return [thing for _, _, thing in things]
    chosen, total = [], 0
    for key, rows, thing in things:
        if total >= limit:
            break
        if key > after:
            chosen.append(thing)
            total += rows
    return chosen


def _bound(rows: int) -> None:
    if rows > ROWS:
        hint = f"ask with limit (at most {ROWS}) and after, or name fewer targets"
        raise Refusal("too-large", f"{rows} rows are more than one answer holds ({ROWS})", hint)


def _limit(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= ROWS:
        raise Refusal("bad-argument", f"limit must be a whole number from 1 to {ROWS}")
    return value


def _after(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > KEY_CHARS:
        raise Refusal("bad-argument", "after must be the key of a row: an agent's or a container's id")
    return value
