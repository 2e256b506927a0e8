"""`initd reload` and `initd scale`: take over a changed file, or another number of processes.

`initd reload` is the control verb `update`: it touches only what changed.  `--dry-run` tells what it would do, and
`--all` stops everything and starts over, as SIGHUP does.
"""

from __future__ import annotations

import sys

from initd.ctl import render
from initd.errors import DONE, FAILED, PARTLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from initd.ctl.client import Client

STATUS = {"done": DONE, "accepted": DONE, "partly": PARTLY}
EFFECT = {
    "restart": "restarts",
    "live": "goes on running, takes it over at once",
    "next start": "goes on running, takes it over at its next start",
}


def reload(client: Client, options: Namespace) -> int:
    """Carry it out or tell it; returns the exit status."""
    if options.dry_run:
        return _show(client.ask("reread", groups=options.groups), options, "nothing would change")
    if options.all:
        result = client.ask("reload")
        print(render.json_text(result, 2) if options.json else "stopping everything to start over")
        return DONE
    wait = {"wait": options.wait} if options.wait else {}
    result = client.ask("update", groups=options.groups, **wait)
    return max(_show(result, options, "nothing has changed"), _outcomes(result, options))


def scale(client: Client, options: Namespace) -> int:
    """Another number of processes; returns the exit status."""
    wait = {"wait": options.wait} if options.wait else {}
    result = client.ask("scale", program=options.program, count=options.count, **wait)
    if options.json:
        render.print_json(result)
    return _outcomes(result, options)


def _show(diff: dict[str, Any], options: Namespace, nothing: str) -> int:
    if options.json:
        render.print_json(diff)
        return DONE
    for warning in diff.get("warnings", ()):
        print(f"initd: warning: {render.clean(warning)}", file=sys.stderr)
    print("\n".join(map(render.clean, lines(diff))) or nothing)
    return DONE


def lines(diff: dict[str, Any]) -> list[str]:
    """The diff for people: one line a process, one line each option of it."""
    found = []
    for row in diff["differences"]:
        where = f"   {row['file']}:{row['line']}" if row["change"] != "removed" else ""
        effect = f": {EFFECT[row['need']]}" if row["change"] == "changed" else ""
        found.append(f"{row['change']:<8} {row['name']}{effect}{where}")
        found += [f"           {_option(option)}" for option in row["options"]]
    found += [f"group    {option['group']}: {_option(option)}" for option in diff["group_options"]]
    for option in diff["daemon"]:
        later = "" if option["need"] == "live" else f" (needs a {option['need']})"
        found.append(f"initd    {_option(option)}{later}")
    return found


def _option(option: dict[str, Any]) -> str:
    before, after = option["before"], option["after"]
    change = f"{before or 'unset'} -> {after or 'unset'}" if before or not after else after
    return f"{option['option']}: {change}   {option['file']}:{option['line']}"


def _outcomes(result: dict[str, Any], options: Namespace) -> int:
    for row in result["processes"]:
        good = row["outcome"] in ("done", "accepted")
        if not (options.json and good):
            message = f": {row['message']}" if row["message"] else ""
            message += ", not there yet; the wish stands" if row["outcome"] == "timeout" else ""
            line = render.clean(f"{row['name']} is {row['state']}{message}")
            print(line if good else f"initd: {line}", file=sys.stdout if good else sys.stderr)
    return STATUS.get(result["outcome"], FAILED)
