"""The verbs that change something: commands to programs and containers, and waiting for what becomes of them."""

from __future__ import annotations

import secrets
import sys
import time
from argparse import Namespace
from typing import Any

from hub.ctl import rolls
from hub.ctl.anyhub import AnyHub
from hub.ctl.tables import Column, Row, coloured, field, print_json, render
from hub.ctl.text import safe, safe_lines
from wire.client import HOLD_SECONDS, Client

OUTCOMES = (
    Column("TARGET", field("target")),
    Column("COMMAND", field("id")),
    Column("STATE", field("state")),
    Column("DETAIL", lambda row: row.get("error") or _detail(row.get("result"))),
)
FINAL = frozenset({"done", "failed", "expired"})
BAD = frozenset({"failed", "expired", "timeout"})
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.3)
"""Between two questions for a result, seconds; the last one repeats."""


def _detail(result: object) -> str:
    return result if isinstance(result, str) and result else "-"


def outcomes(rows: list[Row]) -> list[Row]:
    """One row for each process that a command was about, where its agent told them apart; else the command's own."""
    return [part for row in rows for part in _parts(row)]


def _parts(row: Row) -> list[Row]:
    result = row.get("result")
    processes = result.get("processes") if isinstance(result, dict) else None
    if not processes:
        return [row]
    agent = str(row["target"]).partition("/")[0]
    return [
        {"target": f"{agent}/{one['name']}", "id": row["id"], "state": one["outcome"], "error": _said(one)}
        for one in processes
    ]


def _said(process: Row) -> str:
    return str(process.get("message") or process.get("state") or "")


def command(hub: Client, options: Namespace) -> int:
    """Gives one order and, unless told not to, waits for all its commands; the exit code says how many were done."""
    if getattr(options, "at_a_time", False) is not False and rolls.wanted(options):
        return rolls.roll(hub, options)
    args: dict[str, Any] = {}
    if options.verb == "signal":
        args["signal"] = options.signal
    if options.container and options.verb in ("stop", "restart") and options.grace is not None:
        args["grace"] = options.grace
    if not options.container and options.verb in ("start", "stop", "restart") and options.wait:
        args["wait"] = options.wait
    order = _order(hub, options, "kill" if options.container and options.verb == "signal" else options.verb, args)
    rows = _commands(order)
    if options.wait:
        rows = finished(hub, order, options.wait + 5.0)
    if options.json:
        print_json({"order": order["order"], "commands": rows})
    else:
        print("\n".join(render(OUTCOMES, outcomes(rows), coloured(sys.stdout))))
    return verdict(outcomes(rows), waited=bool(options.wait))


def tail(hub: Client, options: Namespace) -> int:
    """Prints the last output of programs."""
    args = {"stream": "stderr" if options.stderr else "stdout"}
    if options.bytes is not None:
        args["bytes"] = options.bytes
    order = _order(hub, options, "tail", args)
    rows = finished(hub, order, options.wait + 5.0)
    if options.json:
        print_json({"order": order["order"], "commands": rows})
        return verdict(rows, waited=True)
    for row in rows:
        if len(rows) > 1:
            print(f"==> {safe(row['target'])} <==")
        if row["state"] == "done":
            print(safe_lines(_output(row.get("result"))))
        else:
            print(safe(f"hubctl: {row['target']}: {row['state']}: {row.get('error')}"), file=sys.stderr)
    return verdict(rows, waited=True)


def _output(result: object) -> str:
    """The text of a tail, which the agent gives as text, as bytes, or in a map."""
    if isinstance(result, bytes):
        return result.decode("utf-8", "replace")
    if isinstance(result, dict):
        return _output(next((result[key] for key in ("data", "text", "output") if key in result), ""))
    return str(result or "")


def _order(hub: Client, options: Namespace, verb: str, args: dict[str, Any]) -> Row:
    targets = ("*",) if options.all and options.container else ("*/*",) if options.all else tuple(options.target)
    asked = {
        "targets": targets,
        "verb": verb,
        "args": args,
        "container": options.container,
        "ttl": options.ttl or max(options.wait, 10.0) + 5.0,
        "id": options.id or secrets.token_hex(8),
    }
    hold = min(options.wait, HOLD_SECONDS)
    order: Row = hub.ask("command", asked | ({"hold": hold} if hold else {}), hub.timeout + hold)
    return order


def _commands(order: Row) -> list[Row]:
    return list(order.get("commands") or [order])


def finished(hub: Client | AnyHub, order: Row, seconds: float) -> list[Row]:
    """The commands of an order once all have ended, or as they are after so many seconds."""
    deadline, attempt = time.monotonic() + seconds, 0
    rows = _commands(order)
    while any(row["state"] not in FINAL for row in rows) and time.monotonic() < deadline:
        time.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
        attempt += 1
        rows = _commands(hub.query("command_state", id=order["order"]))
    return rows


def verdict(rows: list[Row], waited: bool) -> int:
    """0 all done (or taken on, where nobody waited), 1 none, 4 some."""
    good = sum(1 for row in rows if row["state"] == "done" or (not waited and row["state"] not in BAD))
    return 0 if good == len(rows) else 4 if good else 1
