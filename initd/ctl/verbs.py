"""The verbs a person types: ask initd, show the answer, leave with a status that a script can use.

Exit status: 0 done, 1 the request failed, 2 usage, 3 cannot reach initd, 4 partly done.  `healthy` knows 0 and 1 only,
because Docker's HEALTHCHECK reserves the rest.
"""

from __future__ import annotations

import os
import sys
import time

from initd.ctl import render
from initd.ctl.client import TIMEOUT, Client, Refused, Unreachable
from initd.ctl.plain import plain
from initd.errors import DONE, FAILED, PARTLY, UNREACHABLE, USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any

HEALTHY_SECONDS = 3.0
"""`healthy` gives up after that; Docker's default timeout of a health check is 30 s."""


def main(argv: list[str]) -> int:
    """Run `initd VERB ...`; `argv` begins with the verb.  Returns the exit status."""
    try:
        options = plain(argv) or _parsed(argv)
    except SystemExit as leaving:
        failed = leaving.code not in (0, None)
        return FAILED if failed and argv[:1] == ["healthy"] else USAGE if failed else DONE
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a locale without these characters is no reason to fail
    try:
        return _run(options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader left; Python must not complain at its exit
        return DONE
    except KeyboardInterrupt:
        return 130


def _parsed(argv: list[str]) -> Namespace:
    from initd.ctl.parser import make_parser

    return make_parser().parse_args(argv)


def _run(options: Namespace) -> int:
    try:
        with Client(options.socket, HEALTHY_SECONDS if options.verb == "healthy" else TIMEOUT) as client:
            code = HANDLERS[options.verb](client, options)
            sys.stdout.flush()
            return code
    except Unreachable as error:
        code = FAILED if options.verb == "healthy" else UNREACHABLE
        return _complain(options, "unreachable", str(error), "", code)
    except Refused as error:
        return _complain(options, error.code, error.message, error.hint, FAILED)


def _complain(options: Namespace, code: str, message: str, hint: str, status: int) -> int:
    if options.json:
        print(render.json_text({"error": {"code": code, "message": message, "hint": hint}}))
    text = f"{message} ({hint})" if hint else message
    print(f"initd: {render.clean(text)}", file=sys.stderr)
    return status


def _status(client: Client, options: Namespace) -> int:
    rows = client.ask("status", names=options.names)
    if options.json:
        render.print_json(rows)
        return DONE
    now = time.time()
    header = ("NAME", "STATE", "PID", "UPTIME", "RESTARTS", "INFO")
    cells = [
        (row["full_name"], row["state"], row["pid"], render.span(row["uptime"]), row["restarts"], _info(row, now))
        for row in rows
    ]
    print(render.table(header, cells, render.has_colours(), render.terminal_width()))
    return DONE


def _info(row: dict[str, Any], now: float) -> str:
    """What the other columns do not say: why it is down and since when, what it says itself, what output was lost."""
    if not row["why"] and not row["dropped"]:
        return " "
    why, coming, time_of_it = row["why"].partition("next run ")
    why, age = why.removesuffix("; "), render.span(max(0.0, now - row["since"]))
    when = f"for {age}" if why.startswith("waits for ") else f"{age} ago"
    parts = [why, when if why and row["pid"] is None else "", coming + time_of_it]
    due = row.get("next_try")
    if due is not None and not coming:
        parts.append(f"next try in {render.span(max(0.0, due - now))}")
    if row["dropped"]:
        parts.append(f"{row['dropped']} bytes of output dropped")
    return ", ".join(filter(None, parts)) or " "


def _wish(client: Client, options: Namespace) -> int:
    wait = {"wait": options.wait} if options.wait else {}
    return _show_command(client.ask(options.verb, names=options.names, **wait), options)


def _signal(client: Client, options: Namespace) -> int:
    return _show_command(client.ask("signal", names=options.names, signal=options.signal), options)


def _show_command(result: dict[str, Any], options: Namespace) -> int:
    if options.json:
        render.print_json(result)
    for row in result["processes"]:
        good = row["outcome"] in ("done", "accepted")
        if not (options.json and good):
            print(f"{'' if good else 'initd: '}{_command_line(row, options)}", file=sys.stdout if good else sys.stderr)
    return {"done": DONE, "accepted": DONE, "partly": PARTLY}.get(result["outcome"], FAILED)


def _command_line(row: dict[str, Any], options: Namespace) -> str:
    if options.verb == "signal" and row["outcome"] == "done":
        return render.clean(f"{row['name']} (pid {row['pid']}) got {options.signal}")
    pid = f" (pid {row['pid']})" if row["pid"] else ""
    message = f": {row['message']}" if row["message"] else ""
    if row["outcome"] == "timeout":
        message = f"{message}, not there yet; the wish stands"
    return render.clean(f"{row['name']} is {row['state']}{pid}{message}")


def _complaint(row: dict[str, Any]) -> str:
    """A process that is not well; one that runs all the same fails its probe."""
    why = f" ({row['why']})" if row["state"] == "RUNNING" and row["why"] else ""
    return f"{row['name']} {row['state']}{why}"


def _healthy(client: Client, options: Namespace) -> int:
    result = client.ask("healthy", **({"essential": True} if options.essential else {}))
    if options.json:
        render.print_json(result)
    elif result["healthy"]:
        print("healthy")
    else:
        ill = ", ".join(_complaint(row) for row in result["ill"]) or result["state"]
        print(render.clean(f"not healthy: {ill}"))
    return DONE if result["healthy"] else FAILED


def _shutdown(client: Client, options: Namespace) -> int:
    result = client.ask("shutdown")
    gone = client.wait_for_end(options.wait) if options.wait else True
    if options.json:
        render.print_json({**result, "gone": gone if options.wait else None})
    elif options.wait:
        print("initd is gone" if gone else f"initd is still stopping after {options.wait:g} s")
    else:
        print("initd is stopping everything")
    return DONE if gone else FAILED


def _elsewhere(name: str, verb: str) -> Callable[[Client, Namespace], int]:
    """A verb of another module, which only its users load."""

    def ask(client: Client, options: Namespace) -> int:
        code: int = getattr(__import__(name, fromlist=[verb]), verb)(client, options)
        return code

    return ask


HANDLERS = {
    "status": _status,
    "start": _wish,
    "stop": _wish,
    "restart": _wish,
    "signal": _signal,
    "tail": _elsewhere("initd.ctl.logs", "tail"),
    "logs": _elsewhere("initd.ctl.logs", "logs"),
    "events": _elsewhere("initd.ctl.history", "events"),
    "exits": _elsewhere("initd.ctl.history", "exits"),
    "healthy": _healthy,
    "shutdown": _shutdown,
    "reload": _elsewhere("initd.ctl.changes", "reload"),
    "scale": _elsewhere("initd.ctl.changes", "scale"),
    "top": _elsewhere("initd.ctl.top", "top"),
    "metrics": _elsewhere("initd.ctl.metrics", "metrics"),
}
