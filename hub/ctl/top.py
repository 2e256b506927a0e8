"""`hubctl top`: the busiest processes of the fleet, again every second.

While it runs it is subscribed to the samples on the feed, which is how the hub knows that somebody watches and asks
the agents for a sample a second.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

import zmq

from hub.ctl.look import PROCESSES
from hub.ctl.tables import Row, coloured, print_json, render
from hub.ctl.text import share, size
from wire.client import Client
from wire.frames import Topic, topic
from wire.keys import KeyPair
from wire.sockets import FOLLOW, Socket, dial

HIDDEN = ("WHY",)
COLUMNS = tuple(column for column in PROCESSES if column.title not in HIDDEN)
ORDERS = {"cpu": "cpu", "memory": "rss", "threads": "threads", "fds": "fds"}


def top(hub: Client, options: Namespace) -> int:
    """Shows the table until ctrl-C; once, where the output is no terminal or --once is given."""
    once = options.once or not sys.stdout.isatty()
    if once:
        rows = busiest(hub, options)
        print_json(rows) if options.json else print("\n".join(screen(hub, rows, options, 10_000)))
        return 0
    with _watching(hub) as socket:
        while True:
            lines = screen(hub, busiest(hub, options), options, shutil.get_terminal_size().lines - 1)
            width = shutil.get_terminal_size().columns
            body = lines if coloured(sys.stdout) else [line[:width] for line in lines]
            sys.stdout.write("\033[H\033[2J" + "\n".join(body) + "\n")
            sys.stdout.flush()
            time.sleep(options.interval)
            _discard(socket)


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


@contextmanager
def _watching(hub: Client) -> Iterator[Socket]:
    """A subscription to all samples, whose items nobody reads."""
    context: zmq.Context[Socket] = zmq.Context()
    pair = KeyPair(hub.key.public, hub.key.secret)
    socket = dial(context, FOLLOW, hub.key.feed, pair, hub.key.server_key)
    socket.subscribe(topic(Topic.SAMPLE))
    try:
        yield socket
    finally:
        socket.close(0)
        context.destroy(0)
        sys.stdout.write(os.linesep)


def _discard(socket: Socket) -> None:
    while socket.poll(0):
        socket.recv_multipart(zmq.NOBLOCK)
