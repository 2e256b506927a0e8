"""`hubctl logs`: the output of many programs in one stream, each line with `agent/program |` before it.

Theory.  The verb `tail` gives the end of what a program wrote, and at which byte that end is.  To follow, it is asked
again and again: what is new are the bytes from the last place to the present one, and what of these the agent does not
have any more was written too fast to be followed, which a line says in bytes.  Agents of earlier releases tell no
place; there what is new stands behind the longest overlap of the old end and the new one.  The selector is read anew
each time, so programs and agents may come and go.  Every tail passes the hub's check of role and scope, agent by
agent.  All tails of one run name it, so that the audit has a row of its beginning and one of its end in place of two
of each (hub.commands.trails); where looks are rarer than the hub waits for the next, each is audited.

Bounds: the last BYTES of each stream, at most MOST programs, no more than RATE tails a second, and of programs that
went nothing is kept once twice MOST were seen.  Where the hub does not answer another one is asked (hub.ctl.anyhub).
"""

from __future__ import annotations

import argparse
import itertools
import secrets
import sys
import time
import zlib
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

from hub.ctl.anyhub import AnyHub
from hub.ctl.following import Absence, say
from hub.ctl.steer import finished
from hub.ctl.tables import coloured, print_json
from hub.ctl.text import safe
from wire.client import Client, RefusedError, Unreachable

BYTES = 8192
"""Asked of each program: twice a terminal's page of long lines."""
MOST = 100
RATE = 25.0
"""Tails a second: each is a command, with its rows in the store."""
RARE_SECONDS = 10.0
"""Looks that are so far apart do not name their run: the hub may take it for over between two of them."""
END_SECONDS = 1.0
"""Longest time that a hub may take to hear that it is over; else it finds out by itself."""
LINES = 10
HEAD = 64
"""Characters by which an overlap is looked for."""
WAIT_SECONDS = 5.0
FINAL = frozenset({"forbidden", "unknown-key"})
"""Refusals that do not pass: all others may be of a program or a hub that comes back."""
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


class Run:
    """The ids of the tails of one `hubctl logs`."""

    def __init__(self, named: bool) -> None:
        self.word = secrets.token_hex(6) if named else ""
        self.heard = False
        """The hub keeps account of it."""
        self._numbers = itertools.count(1)

    def look(self) -> dict[str, str]:
        """What the next tail is called."""
        if not self.word:
            return {"id": secrets.token_hex(8)}
        return {"id": f"{self.word}-{next(self._numbers)}", "follow": self.word}

    def end(self, hub: AnyHub) -> None:
        """Tell the hub, if it answers."""
        if self.heard:
            with suppress(RefusedError, Unreachable):
                hub.client.ask("command", {"verb": "tail", "follow": self.word, "end": True}, END_SECONDS)


class Seen(NamedTuple):
    """The end of one program's output at the last look."""

    text: str = ""
    end: int | None = None
    """Its place in bytes; None where the agent tells none."""
    begun: str = ""
    """A line whose end has not come yet."""


class Merged:
    """What was printed of each program so far."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.seen: OrderedDict[str, Seen] = OrderedDict()

    def take(self, target: str, text: str, end: int | None = None, size: int | None = None) -> list[str]:
        """The new whole lines of one program: `text` are the last `size` bytes of the `end` that it ever wrote."""
        before = self.seen.get(target)
        new, lost = _since(before or Seen(), text, end, size)
        *whole, rest = ((before.begun if before and not lost else "") + new).split("\n")
        if len(rest) >= BYTES:
            whole.append(rest)
            rest = ""
        self.seen[target] = Seen(text, end, rest)
        self.seen.move_to_end(target)
        if len(self.seen) > 2 * MOST:
            self.seen.popitem(last=False)
        if before is None:
            return whole[-self.lines :] if self.lines else []
        return [lost, *whole] if lost else whole

    def rest(self) -> Iterable[tuple[str, str]]:
        """Lines without an end, for whoever does not follow."""
        return [(target, one.begun) for target, one in self.seen.items() if one.begun]


def _since(before: Seen, text: str, end: int | None, size: int | None) -> tuple[str, str]:
    """What is new, and a line on what is missing before it."""
    if end is None or before.end is None or end < before.end:
        new, lost = fresh(before.text if end is None else "", text)
        return new, "[... more was written than could be followed ...]" if lost else ""
    written, raw = end - before.end, text.encode()
    if written == 0 or size is None:
        return "", ""
    missing = max(0, written - size)
    if len(raw) != size:  # not all of it was text: places in it cannot be counted
        new = text if missing else fresh(before.text, text)[0]
    else:
        new = raw[max(0, size - written) :].decode("utf-8", "replace")
    return new, f"[... {missing} bytes were not shown: more was written than could be followed ...]" if missing else ""


def logs(hub: Client, options: Namespace) -> int:
    """Prints the ends of the programs' output and, with --follow, what comes."""
    merged, colour, anyhub = Merged(options.number), coloured(sys.stdout), AnyHub(hub)
    if options.follow:
        run = Run(options.interval <= RARE_SECONDS)
        try:
            _follow(anyhub, options, merged, colour, run)
        finally:
            run.end(anyhub)
            anyhub.close()
    rows = _tails(anyhub, options, Run(False))
    for row in rows:
        _print(row, merged, options, colour)
    for target, line in merged.rest():
        _line(target, line, options, colour)
    return 0 if all(row["state"] == "done" for row in rows) else 4


def _follow(hub: AnyHub, options: Namespace, merged: Merged, colour: bool, run: Run) -> NoReturn:
    absence, answered = Absence(say), False
    while True:
        started, rows = time.monotonic(), list[Mapping[str, Any]]()
        try:
            rows = _tails(hub, options, run)
            answered, run.heard = True, any(row.get("follow") for row in rows)
            absence.ended(hub.client.key.command)
        except (RefusedError, Unreachable) as error:
            if not answered or (isinstance(error, RefusedError) and error.code in FINAL):
                raise
            run.heard = False  # here; it is not waited for at the end
            absence.began(error)
        for row in rows:
            _print(row, merged, options, colour)
        sys.stdout.flush()
        pause = max(options.interval, len(rows) / RATE)
        time.sleep(max(pause - (time.monotonic() - started), 0.05))


def _tails(hub: AnyHub, options: Namespace, run: Run) -> list[Mapping[str, Any]]:
    args = {"stream": "stderr" if options.stderr else "stdout", "bytes": BYTES}
    order = hub.query("command", targets=tuple(options.target), verb="tail", args=args, ttl=WAIT_SECONDS, **run.look())
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
    end, size = (result.get(name) if isinstance(result.get(name), int) else None for name in ("end", "bytes"))
    for line in merged.take(target, str(result.get("text", "")), end, size):
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
