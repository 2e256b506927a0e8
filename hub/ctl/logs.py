"""`hubctl logs`: the output of many programs in one stream, each line with `agent/program |` before it.

Theory.  The verb `tail` gives the end of what a program wrote, with no position in it.  To follow, it is asked again
and again, and what is new is what stands behind the longest overlap of the old end and the new one; where nothing
overlaps, more was written than an agent keeps, and a line says so.  The selector is read anew each time, so programs
and agents may come and go.  Every tail passes the hub's check of role and scope, agent by agent.

Bounds: the last BYTES of each stream, at most MOST programs, and no more than RATE tails a second.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
import zlib
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.ctl.steer import finished
from hub.ctl.tables import coloured, print_json
from hub.ctl.text import safe
from wire.client import Client, RefusedError, Unreachable

BYTES = 8192
"""Asked of each program: twice a terminal's page of long lines."""
MOST = 100
RATE = 25.0
"""Tails a second: each is a command, with its rows in the store."""
LINES = 10
HEAD = 64
"""Characters by which an overlap is looked for."""
WAIT_SECONDS = 5.0
LOST = "[... more was written than could be followed ...]"
PAINTS = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")


def fresh(before: str, now: str) -> tuple[str, bool]:
    """What `now` holds behind the end of `before`, and whether something may be missing between both."""
    if not before or not now:
        return now, False
    head, at = now[:HEAD], before.find(now[:HEAD])
    while at >= 0:
        if now.startswith(before[at:]):
            return now[len(before) - at :], False
        at = before.find(head, at + 1)
    for size in range(min(len(before), len(now), HEAD), 0, -1):
        if now.startswith(before[-size:]):
            return now[size:], False
    return now, True


class Merged:
    """What was printed of each program so far."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.seen: dict[str, str] = {}
        self.begun: dict[str, str] = {}
        """Lines whose end has not come yet."""

    def take(self, target: str, text: str) -> list[str]:
        """The new whole lines of one program."""
        known = target in self.seen
        new, lost = fresh(self.seen.get(target, ""), text)
        self.seen[target] = text
        *whole, rest = (self.begun.pop(target, "") + new).split("\n")
        if len(rest) < BYTES:
            self.begun[target] = rest
        else:
            whole.append(rest)
        if not known:
            whole = whole[-self.lines :] if self.lines else []
        return [LOST, *whole] if lost else whole

    def rest(self) -> Iterable[tuple[str, str]]:
        """Lines without an end, for whoever does not follow."""
        return [(target, line) for target, line in self.begun.items() if line]


def logs(hub: Client, options: Namespace) -> int:
    """Prints the ends of the programs' output and, with --follow, what comes."""
    merged, colour, away = Merged(options.number), coloured(sys.stdout), False
    while True:
        started = time.monotonic()
        try:
            rows = _tails(hub, options)
            away = False
        except (RefusedError, Unreachable) as error:
            if not options.follow or (not merged.seen and isinstance(error, RefusedError)):
                raise
            if not away:
                print(f"hubctl: {safe(error)}; still trying", file=sys.stderr)
            rows, away = [], True
        for row in rows:
            _print(row, merged, options, colour)
        if not options.follow:
            for target, line in merged.rest():
                _line(target, line, options, colour)
            return 0 if all(row["state"] == "done" for row in rows) else 4
        sys.stdout.flush()
        pause = max(options.interval, len(rows) / RATE)
        time.sleep(max(pause - (time.monotonic() - started), 0.05))


def _tails(hub: Client, options: Namespace) -> list[Mapping[str, Any]]:
    args = {"stream": "stderr" if options.stderr else "stdout", "bytes": BYTES}
    order = hub.query(
        "command", targets=tuple(options.target), verb="tail", args=args, ttl=WAIT_SECONDS, id=secrets.token_hex(8)
    )
    rows = list(order.get("commands") or [order])
    if len(rows) > MOST:
        raise ValueError(f"{len(rows)} programs are more than can be followed together ({MOST}): narrow it down")
    return finished(hub, order, WAIT_SECONDS)


def _print(row: Mapping[str, Any], merged: Merged, options: Namespace, colour: bool) -> None:
    target, result = str(row["target"]), row.get("result")
    if row["state"] != "done" or not isinstance(result, Mapping):
        if not options.follow:
            print(safe(f"hubctl: {target}: {row['state']}: {row.get('error')}"), file=sys.stderr)
        return
    for line in merged.take(target, str(result.get("text", ""))):
        _line(target, line, options, colour)


def _line(target: str, line: str, options: Namespace, colour: bool) -> None:
    if options.json:
        print_json({"target": target, "line": line})
        return
    name = f"{safe(target)} |"
    paint = PAINTS[zlib.crc32(target.encode()) % len(PAINTS)]
    print(f"\033[{paint}m{name}\033[0m {_shown(line)}" if colour else f"{name} {_shown(line)}")


def _shown(line: str) -> str:
    return safe(line.rstrip("\r").replace("\t", "    "))


def declare(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the verb."""
    parser = verb("logs", logs, "the output of many programs in one stream", "hubctl logs -f service=shop,program=web")
    parser.add_argument("target", nargs="+", help="AGENT/PROGRAM, globs, or LABEL=VALUE[,program=GLOB]")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--stderr", action="store_true", help="standard error instead of standard output")
    parser.add_argument("-n", "--number", type=int, default=LINES, metavar="N", help=f"lines of each at first; {LINES}")
    parser.add_argument("--interval", type=float, default=1.0, metavar="S", help="seconds between two looks; 1")
