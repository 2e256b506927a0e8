"""`hubctl top`: the busiest processes of the fleet, again every second.

While it runs it says so to the hub again and again, which then asks the agents for a sample a second.
"""

from __future__ import annotations

import shutil
import sys
import time
from argparse import Namespace
from contextlib import suppress

from hub.ctl.look import PROCESSES
from hub.ctl.tables import Row, coloured, print_json, render
from hub.ctl.text import share, size
from wire import limits
from wire.client import Client, RefusedError
from wire.frames import Topic, topic

HIDDEN = ("WHY",)
COLUMNS = tuple(column for column in PROCESSES if column.title not in HIDDEN)
WATCH_SECONDS = 5.0
"""A screen may take so long to be made."""
ORDERS = {"cpu": "cpu", "memory": "rss", "threads": "threads", "fds": "fds"}


def top(hub: Client, options: Namespace) -> int:
    """Shows the table until ctrl-C; once, where the output is no terminal or --once is given."""
    once = options.once or not sys.stdout.isatty()
    if once:
        rows = busiest(hub, options)
        print_json(rows) if options.json else print("\n".join(screen(hub, rows, options, 10_000)))
        return 0
    while True:
        _watch(hub, options.interval)
        lines = screen(hub, busiest(hub, options), options, shutil.get_terminal_size().lines - 1)
        width = shutil.get_terminal_size().columns
        body = lines if coloured(sys.stdout) else [line[:width] for line in lines]
        sys.stdout.write("\033[H\033[2J" + "\n".join(body) + "\n")
        sys.stdout.flush()
        time.sleep(options.interval)


def busiest(hub: Client, options: Namespace) -> list[Row]:
    """Processes with the largest figure first; those without one last."""
    key = ORDERS[options.sort]
    rows = hub.ps(tuple(options.target) or None, options.all)
    return sorted(rows, key=lambda row: (row.get(key) is None, -(row.get(key) or 0)))


def screen(hub: Client, rows: list[Row], options: Namespace, lines: int) -> list[str]:
    """Two lines about the fleet, then as many processes as fit."""
    agents = hub.agents()
    live = sum(1 for row in agents if row["presence"] == "live")
    cpu = sum(row["cpu"] or 0 for row in agents)
    memory = sum(row["memory"] or 0 for row in agents)
    stale = sum(1 for row in rows if row["stale"])
    head = f"{time.strftime('%H:%M:%S')}  {live} of {len(agents)} agents live  {len(rows)} processes, {stale} stale"
    table = render(COLUMNS, rows[: max(lines - 3, 1)], coloured(sys.stdout))
    return [head, f"cpu {share(cpu)}  memory {size(memory)}", *table]


def _watch(hub: Client, interval: float) -> None:
    """Until the look after the next one; a hub that does not know how shows what it has."""
    with suppress(RefusedError):
        hub.watch((topic(Topic.SAMPLE).decode(),), min(2 * interval + WATCH_SECONDS, limits.FOLLOW_SECONDS))
