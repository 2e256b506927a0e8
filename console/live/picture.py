"""The fleet as a page shows it, and what changes from one look to the next; pure.

A picture is tables of rows by key.  A patch holds, for each table, the rows that are new or otherwise, and null for
those that are gone; applied to the picture before it gives the one after it.  Ages grow by themselves and so are no
change: a row says `at` instead, and the page counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["TABLES", "Patch", "Picture", "applied", "difference", "picture"]

Row = Mapping[str, Any]
Picture = dict[str, dict[str, Row]]
Patch = dict[str, dict[str, Row | None]]

AGENT = (
    "agent name presence reason hostname container engine labels cpu memory memory_limit since programs running stale"
)
PROGRAM = "agent agent_name process state want why pid restarts since cpu rss memory_share threads fds stale presence"
CONTAINER = (
    "id name state health exit_code oom_killed oom_kills engine agent agent_name image cpu memory stale presence"
)

TABLES: dict[str, tuple[str, dict[str, Any], tuple[str, ...], str]] = {
    "agents": ("agents", {"all": True}, ("agent",), AGENT),
    "programs": ("ps", {}, ("agent", "process"), PROGRAM),
    "hosts": ("hosts", {}, ("engine",), "engine up error version containers agents seen_at"),
    "containers": ("containers", {}, ("id",), CONTAINER),
    "storms": ("storms", {}, ("agent", "process", "began"), "agent agent_name process exits rate backoff began ended"),
    "alerts": ("alerts", {}, ("rule", "host"), "rule host severity state summary count since"),
}
"""Table -> the hub's operation, its arguments, the fields that are a row's key, and those that are shown."""


def picture(found: Mapping[str, Iterable[Row]]) -> Picture:
    """The picture of the hub's answers, table by table."""
    return {
        table: {"/".join(str(row[name]) for name in key): _shown(row, columns.split()) for row in found.get(table, ())}
        for table, (_, _, key, columns) in TABLES.items()
    }


def difference(before: Picture, after: Picture) -> Patch:
    """What leads from one to the other; empty where nothing does."""
    patch: Patch = {}
    for table in TABLES:
        old, new = before.get(table, {}), after.get(table, {})
        rows: dict[str, Row | None] = {key: row for key, row in new.items() if old.get(key) != row}
        rows |= dict.fromkeys(old.keys() - new.keys())
        if rows:
            patch[table] = rows
    return patch


def applied(before: Picture, patch: Patch) -> Picture:
    """What a page does with a patch."""
    after = {table: dict(rows) for table, rows in before.items()}
    for table, rows in patch.items():
        for key, row in rows.items():
            if row is None:
                after.setdefault(table, {}).pop(key, None)
            else:
                after.setdefault(table, {})[key] = row
    return after


def _shown(row: Row, columns: Iterable[str]) -> Row:
    """What is unknown is left out.  Uptime grows by itself: its beginning stands for it, to the second."""
    found = {name: row[name] for name in columns if row.get(name) is not None}
    if row.get("uptime") is not None and row.get("at") is not None:
        found["born"] = round(float(row["at"]) - float(row["uptime"]))
    return found
