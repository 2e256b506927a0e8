"""The verbs a person types: ask initd, show the answer, leave with a status that a script can use.

Exit status: 0 done, 1 the request failed, 2 usage, 3 cannot reach initd, 4 partly done.  `healthy` knows 0 and 1 only,
because Docker's HEALTHCHECK reserves the rest.
"""

from __future__ import annotations

import json
import os
import sys
import time

from initd.ctl import render
from initd.ctl.client import TIMEOUT, Client, Refused, Unreachable
from initd.ctl.logs import show
from initd.ctl.plain import plain
from initd.errors import DONE, FAILED, PARTLY, UNREACHABLE, USAGE
from wire.model import full_name

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
        print(json.dumps({"error": {"code": code, "message": message, "hint": hint}}))
    text = f"{message} ({hint})" if hint else message
    print(f"initd: {render.clean(text)}", file=sys.stderr)
    return status


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def _status(client: Client, options: Namespace) -> int:
    rows = client.ask("status", names=options.names)
    if options.json:
        _print_json(rows)
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
    why, coming, time_of_it = row["why"].partition("next run ")
    why, age = why.removesuffix("; "), render.span(max(0.0, now - row["since"]))
    when = f"for {age}" if why.startswith("waits for ") else f"{age} ago"
    parts = [why, when if why and row["pid"] is None else "", coming + time_of_it]
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
        _print_json(result)
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


def _tail(client: Client, options: Namespace) -> int:
    names, stream = _streams(options)
    if len(names) > 1 or names[0] == "all" or names[0].endswith(":*"):
        return show(client, options, names, stream)
    args = {"name": names[0], "stream": stream, "bytes": options.bytes}
    if not options.follow:
        result = client.ask("tail", **args)
        result["text"] = _last_lines(result["text"], options.lines)
        _show_text(result, options)
        return DONE
    for number, message in enumerate(client.stream("tail", follow=True, **args)):
        item = message.get("item") or {"gap": message.get("gap")}
        if number == 0:
            item["text"] = _last_lines(item["text"], options.lines)
        _show_text(item, options)
    return DONE


def _streams(options: Namespace) -> tuple[list[str], str]:
    """The names before the stream's, which may stand last."""
    names: list[str] = options.names
    if len(names) > 1 and names[-1] in ("stdout", "stderr"):
        return names[:-1], names[-1]
    return names, options.stream or "stdout"


def _logs(client: Client, options: Namespace) -> int:
    return show(client, options, options.names, options.stream)


def _last_lines(text: str, count: int | None) -> str:
    if count is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[len(lines) - min(count, len(lines)) :])


def _show_text(item: dict[str, Any], options: Namespace) -> None:
    if options.json:
        print(json.dumps(item), flush=True)
    elif "gap" in item:
        print(f"initd: {item['gap']} pieces were left out, this reader was too slow", file=sys.stderr)
    else:
        harmless = options.raw or not sys.stdout.isatty()
        sys.stdout.write(item["text"] if harmless else render.clean_lines(item["text"]))
        sys.stdout.flush()


def _facts_wanted(options: Namespace) -> dict[str, object]:
    return {"names": options.names, "limit": options.limit, "after": options.after}


def _events(client: Client, options: Namespace) -> int:
    if not options.follow:
        facts = client.ask("events", **_facts_wanted(options))
        if options.json:
            _print_json(facts)
        else:
            print("\n".join(map(render.fact_line, facts)) or "nothing has happened yet")
        return DONE
    for message in client.stream("events", follow=True, **_facts_wanted(options)):
        if options.json:
            print(json.dumps(message.get("item") or {"gap": message.get("gap")}), flush=True)
        elif "gap" in message:
            print(f"initd: {message['gap']} events were left out, this reader was too slow", file=sys.stderr)
        else:
            print(render.fact_line(message["item"]), flush=True)
    return DONE


def _exits(client: Client, options: Namespace) -> int:
    facts = client.ask("exits", **_facts_wanted(options))
    if options.json:
        _print_json(facts)
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
    return render.moment(record["ended_at"]), name, record["pid"], ran, render.ending(record), render.reason(record)


def _complaint(row: dict[str, Any]) -> str:
    """A process that is not well; one that runs all the same fails its probe."""
    why = f" ({row['why']})" if row["state"] == "RUNNING" and row["why"] else ""
    return f"{row['name']} {row['state']}{why}"


def _healthy(client: Client, options: Namespace) -> int:
    result = client.ask("healthy", **({"essential": True} if options.essential else {}))
    if options.json:
        _print_json(result)
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
        _print_json({**result, "gone": gone if options.wait else None})
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
    "tail": _tail,
    "logs": _logs,
    "events": _events,
    "exits": _exits,
    "healthy": _healthy,
    "shutdown": _shutdown,
    "reload": _elsewhere("initd.ctl.changes", "reload"),
    "scale": _elsewhere("initd.ctl.changes", "scale"),
    "top": _elsewhere("initd.ctl.top", "top"),
    "metrics": _elsewhere("initd.ctl.metrics", "metrics"),
}
