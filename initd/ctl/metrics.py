"""`initd metrics`: what PID 1 counted and what programs use, as OpenMetrics text (openmetrics.io, 1.0)."""

from __future__ import annotations

import sys

from initd.ctl.usage import usage
from initd.errors import DONE
from wire.openmetrics import family

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

    from initd.ctl.client import Client
    from initd.ctl.usage import Usage

COUNTED = (
    ("reaped", "initd_reaped_processes", "counter", "processes whose end was collected"),
    ("orphans", "initd_orphans", "counter", "of these, those that belonged to no program"),
    ("output_dropped", "initd_output_dropped_bytes", "counter", "output that did not reach one of its places"),
    ("caught", "initd_exceptions_caught", "counter", "errors of initd's own that were caught"),
    ("signals_ignored", "initd_signals_ignored", "counter", "signals that came in vain"),
    ("fds", "initd_open_fds", "gauge", "file descriptors that PID 1 has open"),
    ("longest_stall", "initd_longest_stall_seconds", "gauge", "longest pass of the loop"),
)
"""Counters of `about`: key, family, type, help."""


def metrics(client: Client, options: Namespace) -> int:
    """Print it; returns the exit status."""
    sys.stdout.write(text(client))
    return DONE


def text(client: Client) -> str:
    """The whole exposition.  Raises Unreachable or Refused."""
    about, rows = client.ask("about"), client.ask("status")
    return "\n".join([*_own(about), *_programs(rows, usage(rows)), "# EOF", ""])


def _own(about: dict[str, Any]) -> Iterator[str]:
    yield from family("initd", "info", "this init", [({"version": about["version"], "boot": about["boot"]}, 1)])
    yield from family("initd_start_time_seconds", "gauge", "when it started", [({}, about["started_at"])])
    yield from family("initd_stopping", "gauge", "1 while everything is stopped", [({}, about["state"] != "running")])
    for key, name, kind, help in COUNTED:
        if about["counters"].get(key) is not None:
            yield from family(name, kind, help, [({}, about["counters"][key])])
    facts = about["facts"]
    yield from family("initd_facts", "counter", "state changes, exits and notes so far", [({}, facts["last"])])
    yield from family(
        "initd_facts_dropped", "counter", "of these, lost before a hub had them", [({}, facts["dropped"])]
    )


def _programs(rows: list[dict[str, Any]], used: dict[str, Usage]) -> Iterator[str]:
    named = [({"name": row["full_name"], "group": row["group"]}, row) for row in rows]
    with_use = [(labels, used[row["full_name"]]) for labels, row in named if row["full_name"] in used]
    state = [({**labels, "state": row["state"]}, 1) for labels, row in named]
    running = [(labels, row["state"] == "RUNNING") for labels, row in named]
    begun = [(labels, row["since"]) for labels, row in named]
    restarts = [(labels, row["restarts"]) for labels, row in named]
    yield from family("initd_program_state", "gauge", "1 with the present state", state)
    yield from family("initd_program_running", "gauge", "1 while it is RUNNING", running)
    yield from family("initd_program_state_since_seconds", "gauge", "when it entered its state", begun)
    yield from family("initd_program_restarts", "counter", "processes after its first", restarts)
    for name, kind, help, values in (
        ("cpu_seconds", "gauge", "CPU its living processes have used", [one.cpu_seconds for _, one in with_use]),
        ("resident_bytes", "gauge", "memory its processes have resident", [one.rss for _, one in with_use]),
        ("processes", "gauge", "its processes", [one.processes for _, one in with_use]),
    ):
        samples = [(labels, value) for (labels, _), value in zip(with_use, values, strict=True)]
        yield from family(f"initd_program_{name}", kind, help, samples)
