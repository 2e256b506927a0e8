"""`hubctl history`: the figures of one process or one container over time, as a table with an age in every row.

A point is an average of its step, with the most beside it; `-` is unknown, never zero.  What lies between two points
that are too far apart is named (`gap`), and so is a new process or counters that began anew (`restarted`).
"""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from hub.ctl.tables import AGE, Column, Row, print_json, show, shown
from hub.ctl.text import age, duration, moment, number, share, since, size
from wire.client import Client

ROWS = 60
"""Most rows where no step is given: they fit on one screen or two."""
STEPS = (5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 6 * 3600.0, 86400.0)
"""Steps people count in, seconds."""
DEFAULT = "1h"

WHEN = Column("WHEN", shown("at", moment))
NOTE = Column("NOTE", lambda row: row["note"] or "-")
PROCESS = (
    WHEN,
    Column("CPU", shown("cpu", share), True),
    Column("MOST", shown("cpu.max", share), True),
    Column("RSS", shown("rss", size), True),
    Column("MOST", shown("rss.max", size), True),
    Column("MEM", shown("memory_share", share), True),
    Column("THREADS", shown("threads", number), True),
    Column("FDS", shown("fds", number), True),
    Column("READ/S", shown("read_bytes/s", size), True),
    Column("WRITE/S", shown("write_bytes/s", size), True),
    AGE,
    NOTE,
)
CONTAINER = (
    WHEN,
    Column("CPU", shown("cpu", share), True),
    Column("MOST", shown("cpu.max", share), True),
    Column("THROTTLED", shown("throttled_seconds/s", share), True),
    Column("MEMORY", shown("memory", size), True),
    Column("MOST", shown("memory.max", size), True),
    Column("LIMIT", shown("memory_limit", size), True),
    Column("PIDS", shown("pids", number), True),
    Column("OOM KILLS", shown("oom_kills", number), True),
    Column("RX/S", shown("net_rx_bytes/s", size), True),
    Column("TX/S", shown("net_tx_bytes/s", size), True),
    Column("READ/S", shown("read_bytes/s", size), True),
    Column("WRITE/S", shown("write_bytes/s", size), True),
    AGE,
    NOTE,
)


def history(hub: Client, options: Namespace) -> int:
    """Prints the points of one history, oldest first."""
    start, now = since(options.since or DEFAULT) or 0.0, time.time()
    step = step_of(options.step, now - start)
    found = hub.history(options.target, start=start, step=step, container=options.container)
    rows = points(found, hub.about()["at"])
    if options.json:
        print_json({"target": options.target, "container": options.container, "step": step, "points": rows})
        return 0
    columns = [one for one in (CONTAINER if options.container else PROCESS) if step or one.title != "MOST"]
    show(columns, rows, False, f"no samples of {options.target} since then")
    return 0


def step_of(text: str | None, span: float) -> float | None:
    """Seconds of a step: as typed, None for `raw`, else the first usual one that gives at most ROWS rows."""
    if text == "raw":
        return None
    if text is not None:
        return duration(text)
    return next((step for step in STEPS if span / step <= ROWS), STEPS[-1])


def points(found: Row, now: float) -> list[dict[str, Any]]:
    """One row for each point: its columns, `at`, `age` and a note on what lies before it."""
    gaps = {end: end - begin for begin, end in found["gaps"]}
    restarts = set(found["restarts"])
    rows = []
    for index, at in enumerate(found["times"]):
        notes = [f"gap of {age(gaps[at])} before"] if at in gaps else []
        notes += ["restarted"] if _holds(at, found["step"], restarts) else []
        values = {name: column[index] for name, column in found["columns"].items()}
        rows.append({"at": at, "age": max(now - at, 0.0), **values, "note": ", ".join(notes)})
    return rows


def _holds(at: float, step: float | None, restarts: set[float]) -> bool:
    """Whether one of the moments lies in this point."""
    return at in restarts or any(at <= one < at + (step or 0.0) for one in restarts)
