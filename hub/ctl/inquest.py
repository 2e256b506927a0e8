"""The verbs that ask why: `exits` searched and grouped, `why`, and `storms`."""

from __future__ import annotations

import argparse
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from hub.ctl.look import EXITS, newest
from hub.ctl.tables import AGE, Column, Row, coloured, field, print_json, render, show, shown
from hub.ctl.text import age, moment, number, safe, since
from wire.client import Client

FIELDS = ("program", "process", "agent", "cause", "end", "who", "expected")
SEARCH = ("program", "cause", "text", "who")
PAINTS: Mapping[str, str] = {"exit": "31", "engine": "31", "storm": "33", "command": "36", "memory": "35"}
"""Kind of an entry -> SGR code."""
STORMS = (
    Column("AGENT", field("name")),
    Column("PROCESS", field("process")),
    Column("EXITS", shown("exits", number), True),
    Column("RATE", lambda row: f"{row['rate']:.1f}/min", True),
    Column("BACK-OFF", shown("backoff", age), True),
    Column("BEGAN", shown("began", moment)),
    Column("ENDED", lambda row: f"{moment(row['ended'])} ({row['reason']})" if row.get("ended") else "goes on"),
    Column("LAST", field("what")),
    Column("AGENTS", lambda row: len(row["members"]) or 1, True),
    AGE,
)


def exits(hub: Client, options: Namespace) -> int:
    """Prints the exit records that are meant, newest last, or their groups."""
    more = {name: getattr(options, name) for name in (*SEARCH, "code", "expected")}
    more |= {"signal": _signal(options.signal), "until": since(options.until)}
    if options.group_by is None:
        return newest(hub, options, "exits", EXITS, more)
    args = {"target": options.target, "since": since(options.since), "group_by": options.group_by, **more}
    found = hub.query("exit_groups", **args)
    if options.json:
        print_json(found)
        return 0
    groups = list(found["groups"])[: options.number]
    columns = [Column(name.upper(), field(name)) for name in options.group_by.split(",")]
    show([*columns, *COUNTS], groups, False, "no exits")
    for words in _left_out(found, len(groups)):
        print(f"hubctl: {words}", file=sys.stderr)
    return 0


COUNTS = (
    Column("COUNT", shown("count", number), True),
    Column("AGENTS", shown("agents", number), True),
    Column("FIRST", shown("first", moment)),
    Column("LAST", shown("last", moment)),
    AGE,
    Column("EXAMPLE", lambda row: _example(row["example"])),
)


def _example(row: Row) -> str:
    last = (row.get("last_lines") or ("",))[-1]
    words = f"{row['agent_name']}: {row['end']}, {row['who']}"
    return f"{words}: {last}" if last else words


def _left_out(found: Row, shown: int) -> list[str]:
    words = [] if found["whole"] else [f"only the newest {found['searched']} exits were searched; narrow it by --since"]
    hidden = len(found["groups"]) - shown + found["left_out"]
    return words + ([f"{hidden} smaller groups are not shown (-n)"] if hidden else [])


def _signal(text: str | None) -> str | int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


def why(hub: Client, options: Namespace) -> int:
    """Prints one timeline, newest last, and a verdict."""
    found = hub.query("why", target=options.target, since=since(options.since))
    if options.json:
        print_json(found)
        return 0
    colour = coloured(sys.stdout)
    for entry in list(found["entries"])[-options.number :]:
        print(line_of(entry, colour))
    print(f"verdict: {safe(found['verdict'])}")
    return 0


def line_of(entry: Row, colour: bool) -> str:
    """One entry of a timeline."""
    kind = f"{entry['kind']:8}"
    about = f"{entry['about']}: " if entry["about"] else ""
    painted = f"\033[{PAINTS[entry['kind']]}m{kind}\033[0m" if colour and entry["kind"] in PAINTS else kind
    return f"{moment(entry['at'])}  {painted}  {safe(about + entry['text'])}"


def storms(hub: Client, options: Namespace) -> int:
    """Prints crash storms, or follows the feed for those that begin and end."""
    rows = list(hub.query("storms", target=options.target, all=options.all or None, since=since(options.since)))
    show(STORMS, rows, options.json and not options.follow, "no crash storms")
    sys.stdout.flush()
    for item in hub.feed(("notice/",)) if options.follow else ():
        body = item.body
        if isinstance(body, dict) and body.get("note") == "storm":
            _more({**body, "at": item.at, "age": max(time.time() - item.at, 0.0)}, options)
    return 0


def _more(row: dict[str, Any], options: Namespace) -> None:
    if options.json:
        print_json(row)
    else:
        print("\n".join(render(STORMS, [row], coloured(sys.stdout))[1:]))
    sys.stdout.flush()


# -- the command line ------------------------------------------------------------------------------------------------

Declare = Callable[..., argparse.ArgumentParser]


def declare(verb: Declare, span: Callable[[argparse.ArgumentParser], None]) -> None:
    """Adds the verbs; `verb` makes a parser, `span` adds --since and -n."""
    parser = verb("exits", exits, "what ended, how, why, and who did it", "hubctl exits service=shop --group-by cause")
    parser.add_argument("target", nargs="?", help="AGENT, AGENT/PROGRAM (globs), or LABEL=VALUE[,program=GLOB]")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what happens next")
    parser.add_argument("--program", metavar="GLOB", help="of these programs")
    parser.add_argument("--cause", metavar="GLOB", help="exit, signal, stopped, oom, 'start failure', probe ...")
    parser.add_argument("--code", type=int, metavar="N", help="with this exit code")
    parser.add_argument("--signal", metavar="SIGNAL", help="by this signal: SEGV, SIGKILL or a number")
    parser.add_argument("--text", metavar="TEXT", help="with this text in the last lines")
    parser.add_argument("--who", metavar="TEXT", help="ended by: a name, a command's id, kernel, initd, itself")
    parser.add_argument(
        "--unexpected", dest="expected", action="store_const", const=False, default=None, help="only unexpected ones"
    )
    parser.add_argument("--until", metavar="TIME", help="only older ones: 90s, 10m, 2h, 3d")
    parser.add_argument("--group-by", metavar="FIELDS", help=f"count them by {','.join(FIELDS)}")
    span(parser)
    parser = verb("why", why, "why it ended: one timeline and a verdict", "hubctl why shop-1/web")
    parser.add_argument("target", help="one AGENT, AGENT/PROGRAM or container")
    span(parser)
    parser = verb("storms", storms, "crash loops, counted by exits", "hubctl storms --all --since 1d")
    parser.add_argument("target", nargs="?", help="AGENT, AGENT/PROGRAM (globs), or LABEL=VALUE")
    parser.add_argument("-a", "--all", action="store_true", help="also those that ended")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with those that begin and end")
    parser.add_argument("--since", metavar="TIME", help="also those that ended since: 90s, 10m, 2h, 3d")
