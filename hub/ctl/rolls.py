"""Rolling commands: `--at-a-time` of start, stop, restart and signal; `rolls`, `cancel`, `resume`; a progress bar.

The hub carries the roll out: whoever watches it may leave (ctrl-C) and come back.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any, TextIO

from hub.ctl.anyhub import AnyHub
from hub.ctl.following import Absence, say
from hub.ctl.tables import AGE, Column, Row, coloured, field, print_json, render, show
from hub.ctl.text import safe
from wire.client import Client, Unreachable

ENDED = frozenset({"done", "stopped", "cancelled"})
SUCCESSION_SECONDS = 60.0
"""Longest wait for a hub that takes over a roll whose hub is gone: leases end within seconds."""
PAUSE_SECONDS = 0.2
WIDTH = 30
ROLLS = (
    Column("ROLL", field("id")),
    Column("PHASE", field("phase")),
    Column("PROGRESS", lambda row: bar(row, 12)),
    Column("DONE", lambda row: f"{row['done']}/{row['total']}", True),
    Column("FAILED", field("failed"), True),
    Column("LEFT OUT", field("left_out"), True),
    Column("VERB", field("verb")),
    Column("TARGET", field("target")),
    Column("BY", field("actor")),
    AGE,
    Column("LAST ERROR", lambda row: last_error(row)),
)


def bar(row: Row, width: int = WIDTH) -> str:
    """`[####!>.....]`: done, failed, sent, waiting, each at its share."""
    total = max(row["total"], 1)
    ends = [0]
    for name in ("done", "failed", "sent"):
        left_out = row["left_out"] if name == "done" else 0
        ends.append(ends[-1] + row[name] + left_out)
    cells = [round(end * width / total) for end in ends]
    parts = [mark * (high - low) for mark, low, high in zip("#!>", cells, cells[1:], strict=False)]
    return f"[{''.join(parts):.<{width}}]"


def last_error(row: Row) -> str:
    """The last failure in words, with its target."""
    errors = row.get("errors")
    return f"{errors[-1]['target']}: {errors[-1]['error']}" if errors else "-"


def wanted(options: Namespace) -> bool:
    """Whether the command line asks for a roll."""
    given = (options.at_a_time, options.stop_on_failure)
    return any(value is not None for value in given) or options.dry_run or options.detach


def roll(hub: Client, options: Namespace) -> int:
    """Begins a roll and watches it to its end, unless told not to."""
    if options.container:
        raise ValueError("containers cannot be rolled; name programs")
    asked: dict[str, Any] = {
        "targets": ("*/*",) if options.all else tuple(options.target),
        "verb": options.verb,
        "args": {"signal": options.signal} if options.verb == "signal" else {},
        "at_a_time": options.at_a_time or "1",
        "stop_on_failure": 1 if options.stop_on_failure is None else options.stop_on_failure,
        "wait": options.wait or "none",
        "dry_run": options.dry_run or None,
        "id": options.id or secrets.token_hex(8),
    }
    row: Row = hub.query("roll", **asked)
    if options.dry_run:
        return _dry(row, options)
    if options.detach:
        print_json(row) if options.json else print(f"roll {row['id']}: {row['total']} processes; see hubctl rolls")
        return 0
    return watch(hub, row, options)


def _dry(row: Row, options: Namespace) -> int:
    if options.json:
        print_json(row)
        return 0
    width = row["width"]
    for number, name in enumerate(row["names"]):
        print(f"{number // width + 1:4}  {options.verb} {safe(name)}")
    print(f"{row['total']} processes, {width} at a time; nothing was done")
    return 0


def watch(hub: Client, row: Row, options: Namespace) -> int:
    """Shows the progress until the roll has ended; the exit code tells how."""
    shown, anyhub, absence = "", AnyHub(hub), Absence(say)
    try:
        while row["phase"] not in ENDED:
            shown = _progress(row, shown, sys.stderr)
            time.sleep(PAUSE_SECONDS)
            row = _now(anyhub, row, absence)
    except KeyboardInterrupt:
        print(f"\nhubctl: roll {row['id']} goes on; end it with: hubctl cancel {row['id']}", file=sys.stderr)
        return 4
    finally:
        anyhub.close()
    _progress(row, shown, sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if options.json:
        print_json(row)
    else:
        print("\n".join(render(ROLLS, [row], coloured(sys.stdout))))
        for error in row["errors"]:
            print(f"hubctl: {safe(error['target'])}: {safe(error['error'])}", file=sys.stderr)
    return verdict(row)


def _now(hub: AnyHub, row: Row, absence: Absence) -> Row:
    """How it stands; as it stood while its hub is away and no other has taken it over.  Raises Unreachable."""
    try:
        rows = hub.query("rolls", id=str(row["id"]))
        error: Exception = Unreachable(f"no hub knows roll {row['id']} now")
    except Unreachable as unreachable:
        rows, error = [], unreachable
    if rows:
        absence.ended(hub.client.key.command)
        return dict(rows[0])
    absence.began(error)
    if absence.seconds > SUCCESSION_SECONDS:
        raise error
    return row


def _progress(row: Row, shown: str, stream: TextIO) -> str:
    """Draws the bar anew on a terminal; anywhere else nothing is drawn."""
    failed = f", {row['failed']} failed" if row["failed"] else ""
    line = f"{bar(row)} {row['done']}/{row['total']}{failed}, {row['phase']}"
    if line != shown and stream.isatty():
        stream.write(f"\r\033[K{line}")
        stream.flush()
    return line


def verdict(row: Row) -> int:
    """0 all done, 4 some, 1 none."""
    if row["phase"] == "done" and not row["failed"]:
        return 0
    return 4 if row["done"] else 1


def rolls(hub: Client, options: Namespace) -> int:
    """Prints rolls."""
    show(ROLLS, list(hub.query("rolls", all=options.all or None)), options.json, "no rolls")
    return 0


def cancel(hub: Client, options: Namespace) -> int:
    """Sends nothing more; waits for nothing."""
    row = hub.query("roll.cancel", id=options.id)
    print_json(row) if options.json else print(f"roll {row['id']}: {row['phase']}, {row['sent']} are still under way")
    return 0


def resume(hub: Client, options: Namespace) -> int:
    """Goes on with a stopped or cancelled roll and watches it."""
    return watch(hub, hub.query("roll.resume", id=options.id), options)


# -- the command line ------------------------------------------------------------------------------------------------


READY_SECONDS = 60.0
"""A program is RUNNING once its readiness probe says so; so long `--wait ready` waits for it."""


def waiting(text: str) -> float:
    """`--wait`: seconds, or `ready`.  Raises ValueError."""
    return READY_SECONDS if text == "ready" else float(text)


def declare_options(parser: argparse.ArgumentParser) -> None:
    """What makes a command a roll."""
    parser.add_argument("--at-a-time", metavar="N", help="roll: so many at a time, 3 or 10%%; the hub carries it out")
    parser.add_argument(
        "--stop-on-failure", type=int, metavar="N", help="roll: stop after so many failures; 1, 0 never"
    )
    parser.add_argument("--dry-run", action="store_true", help="roll: only say what would be done, in order")
    parser.add_argument("--detach", action="store_true", help="roll: do not watch it")


def declare(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the verbs about rolls."""
    parser = verb("rolls", rolls, "rolling commands that are under way", "hubctl rolls --all")
    parser.add_argument("-a", "--all", action="store_true", help="also those that are done")
    parser = verb("cancel", cancel, "end a rolling command after what is under way", "hubctl cancel 6f1c")
    parser.add_argument("id", metavar="ROLL")
    parser = verb("resume", resume, "go on with a stopped rolling command", "hubctl resume 6f1c")
    parser.add_argument("id", metavar="ROLL")
