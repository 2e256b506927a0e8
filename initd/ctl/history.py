"""`initd events` and `initd exits`: what has happened, in words."""

from __future__ import annotations

import os
import sys
import time

from initd.ctl import render
from initd.errors import DONE
from initd.signals import name_of
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from initd.ctl.client import Client


def _facts_wanted(options: Namespace) -> dict[str, object]:
    return {"names": options.names, "limit": options.limit, "after": options.after}


def events(client: Client, options: Namespace) -> int:
    """What happened; returns the exit status."""
    if not options.follow:
        facts = client.ask("events", **_facts_wanted(options))
        if options.json:
            render.print_json(facts)
        else:
            print("\n".join(map(fact_line, facts)) or "nothing has happened yet")
        return DONE
    for message in client.stream("events", follow=True, **_facts_wanted(options)):
        if options.json:
            print(render.json_text(message.get("item") or {"gap": message.get("gap")}), flush=True)
        elif "gap" in message:
            print(f"initd: {message['gap']} events were left out, this reader was too slow", file=sys.stderr)
        else:
            print(fact_line(message["item"]), flush=True)
    return DONE


def exits(client: Client, options: Namespace) -> int:
    """What ended, and how; returns the exit status."""
    facts = client.ask("exits", **_facts_wanted(options))
    if options.json:
        render.print_json(facts)
        return DONE
    header = ("ENDED", "NAME", "PID", "RAN", "HOW", "WHY")
    cells = [_exit_cells(fact["body"]) for fact in facts]
    if not options.output:
        print(render.table(header, cells, False, render.terminal_width()))
        return DONE
    for fact, row in zip(facts, cells, strict=True):
        print("  ".join(map(render.clean, row)))
        for line in fact["body"]["last_lines"]:
            print(f"    | {render.clean(line)}")
    return DONE


def _exit_cells(record: dict[str, Any]) -> tuple[object, ...]:
    name = full_name(record["group"], record["name"])
    ran = render.span(record["run_time"] if record["pid"] is not None else None)
    return moment(record["ended_at"]), name, record["pid"], ran, ending(record), reason(record)


def moment(at: float | None) -> str:
    """Wall time, local, to the second."""
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def ending(record: dict[str, Any]) -> str:
    """How a process ended, from its exit record."""
    if record["cause"] == "start failure":
        reason = os.strerror(record["errno"]) if record["errno"] is not None else "see initd's stderr"
        return f"did not start: {record.get('why') or record['step'] + ': ' + reason}"
    how = f"exit {record['code']}" if record["signal"] is None else name_of(record["signal"])
    return how + (", core dumped" if record["core"] else "")


def reason(record: dict[str, Any]) -> str:
    """Why it ended, and whether that was expected."""
    cause, needed = str(record["cause"]), ", needed SIGKILL" if record.get("escalated") else ""
    if cause == "stopped":
        return f"stopped by {record['by']}" + (f" ({record['command']})" if record["command"] else "") + needed
    if cause in ("probe", "renewal", "dependency"):
        return f"{cause}: {record.get('why', '')}{needed}"
    if cause in ("oom", "killed, oom possible"):
        return cause
    return "expected" if record["expected"] else "not expected"


def fact_line(fact: dict[str, Any]) -> str:
    """One fact as one line."""
    body = fact["body"]
    start = f"{moment(fact['at'])}  {fact['seq']:>5}  "
    if fact["kind"] == "state":
        name = full_name(body["group"], body["name"])
        pid = f" (pid {body['pid']})" if body["pid"] else ""
        tail = "".join([f": {body['why']}" if body["why"] else "", f", by {body['by']}" if body["by"] else ""])
        return start + render.clean(f"{name}  {body['previous']} -> {body['state']}{pid}{tail}")
    if fact["kind"] == "exit":
        name = full_name(body["group"], body["name"])
        ran = f" (pid {body['pid']}) after {render.span(body['run_time'])}" if body["pid"] else ""
        return start + render.clean(f"{name}  ended: {ending(body)}{ran}, {reason(body)}")
    return start + render.clean(" ".join(f"{key}={value}" for key, value in body.items()))
