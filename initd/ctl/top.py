"""`initd top`: what each program uses now, refreshed until it is interrupted; once where nobody looks."""

from __future__ import annotations

import sys
import time

from initd.ctl import render
from initd.ctl.usage import Usage, usage
from initd.errors import DONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from initd.ctl.client import Client

FIRST_SECONDS = 0.5
"""Between the first two looks: CPU is a difference."""

HOME, CLEAR_BELOW = "\x1b[H", "\x1b[J"
CLEAR = "\x1b[2J"
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def top(client: Client, options: Namespace) -> int:
    """Show it; returns the exit status."""
    once = options.once or options.json or not sys.stdout.isatty()
    before, at = usage(client.ask("status", names=options.names)), time.monotonic()
    time.sleep(FIRST_SECONDS)
    if not once:
        sys.stdout.write(CLEAR)
    while True:
        rows = client.ask("status", names=options.names)
        now, then = usage(rows), time.monotonic()
        found = [measured(row, before, now, then - at) for row in rows]
        if options.json:
            render.print_json(found)
            return DONE
        text = table(found)
        if once:
            print(text)
            return DONE
        sys.stdout.write(f"{HOME}{text}\n{CLEAR_BELOW}")
        sys.stdout.flush()
        before, at = now, then
        time.sleep(options.interval)


def measured(row: dict[str, Any], before: dict[str, Usage], now: dict[str, Usage], seconds: float) -> dict[str, Any]:
    """A row of `status` with what it uses: cpu as a fraction of one core, rss in bytes, both None without a process."""
    name = row["full_name"]
    used, was = now.get(name), before.get(name, Usage())
    keys = ("full_name", "state", "pid", "uptime", "restarts")
    cpu = max(0.0, used.cpu_seconds - was.cpu_seconds) / seconds if used and seconds > 0 else None
    more = {"cpu": cpu, "rss": used.rss if used else None, "processes": used.processes if used else 0}
    return {**{key: row[key] for key in keys}, **more}


def table(rows: list[dict[str, Any]]) -> str:
    """The hungriest first."""
    rows = sorted(rows, key=lambda row: (-(row["cpu"] or 0.0), -(row["rss"] or 0), row["full_name"]))
    header = ("NAME", "STATE", "PID", "CPU", "MEMORY", "PROCS", "UPTIME", "RESTARTS")
    cells = [
        (
            row["full_name"],
            row["state"],
            row["pid"],
            None if row["cpu"] is None else f"{row['cpu'] * 100:.1f}%",
            size(row["rss"]),
            row["processes"],
            render.span(row["uptime"]),
            row["restarts"],
        )
        for row in rows
    ]
    return render.table(header, cells, render.has_colours(), render.terminal_width())


def size(count: int | None) -> str | None:
    """Bytes as a person reads them."""
    if count is None:
        return None
    value, unit = float(count), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit == 0 or value >= 100 else f"{value:.1f} {UNITS[unit]}"
