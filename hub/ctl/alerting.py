"""`hubctl alerts` and `hubctl silence`: what is wrong now, whether sinks can be reached, and what is not to be told.

`alerts check FILE` needs no hub: it reads rules and sinks as hubd does.
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Callable

from hub.alerts import rules
from hub.ctl.tables import AGE, Column, Row, field, print_json, show, shown
from hub.ctl.text import age, duration, moment, safe
from wire.client import Client

TEST_SECONDS = 70.0
"""A sink may take 60 s, and a hub has patience with it."""
ALERTS = (
    Column("SINCE", shown("since", moment)),
    Column("SEVERITY", field("severity")),
    Column("STATE", field("state")),
    Column("RULE", field("rule")),
    Column("WHERE", field("host")),
    Column("ALERTS", field("count"), True),
    AGE,
    Column("WHAT", field("summary")),
)
TESTS = (
    Column("SINK", field("sink")),
    Column("TYPE", field("kind")),
    Column("OUTCOME", lambda row: "done" if row["ok"] else "failed"),
    Column("TOOK", lambda row: f"{row['seconds']:.2f}s", True),
    Column("DETAIL", field("detail")),
)
CHANGES = (
    Column("WHAT", field("kind")),
    Column("NAME", field("name")),
    Column("CHANGE", field("change")),
    Column("DETAIL", field("detail")),
)
SILENCES = (
    Column("SILENCE", field("id")),
    Column("SELECTOR", lambda row: told(row)),
    Column("LEFT", shown("left", age), True),
    Column("HIDES", field("alerts"), True),
    Column("BY", field("by")),
    AGE,
    Column("REASON", field("reason")),
)


def declare(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the verbs to the command line."""
    words, example = (
        "what is wrong now",
        "hubctl alerts --all  |  hubctl alerts test  |  hubctl alerts check FILE  |  hubctl alerts reload --dry-run",
    )
    parser = verb("alerts", alerts, words, example)
    parser.add_argument(
        "action", nargs="?", choices=("test", "check", "reload"),
        help="test: send a test notice to each sink; check: read a file of rules here, without a hub; "
        "reload: have this hub read its file again",
    )  # fmt: skip
    parser.add_argument("-n", "--dry-run", action="store_true", help="reload: only say what would change")
    parser.add_argument("file", nargs="?", help="check: the file")
    parser.add_argument("-a", "--all", action="store_true", help="also what is pending or silenced")
    parser.set_defaults(alone=alone)
    words = "do not tell of some alerts for a while"
    example = "hubctl silence service=shop --for 2h --reason 'moving house'  |  hubctl silence list | end ID"
    parser = verb("silence", silence, words, example)
    parser.add_argument("selector", help="AGENT, AGENT/PROGRAM, NAME=GLOB[,...] over names and labels; or list, or end")
    parser.add_argument("id", nargs="?", help="end: the silence")
    parser.add_argument("--for", dest="span", metavar="TIME", help="how long: 90s, 10m, 2h, 3d; at most 30d")
    parser.add_argument("--reason", metavar="TEXT", help="why, for those who wonder")


def alone(options: Namespace) -> int | None:
    """`alerts check FILE`; None for what a hub is asked."""
    if options.action != "check":
        if options.file is not None:
            raise ValueError(f"alerts {options.action or ''} takes no file; see hubctl alerts --help")
        return None
    if options.file is None:
        raise ValueError("alerts check needs a file: hubctl alerts check alerts.ini")
    try:
        book = rules.load(options.file)
    except rules.RuleError as error:
        print("\n".join(map(safe, str(error).splitlines())), file=sys.stderr)
        return 2
    names, sinks = [rule.name for rule in book.rules], [sink.name for sink in book.sinks]
    if options.json:
        print_json({"rules": names, "sinks": sinks})
    else:
        print(f"{safe(options.file)}: fine: rules {', '.join(names) or 'none'}; sinks {', '.join(sinks) or 'none'}")
    return 0


def alerts(hub: Client, options: Namespace) -> int:
    """Prints what is wrong, or tests the sinks."""
    if options.action == "test":
        return _test(hub, options)
    if options.action == "reload":
        rows = list(hub.query("alerts.reload", dry=options.dry_run or None))
        show(CHANGES, rows, options.json, "nothing changes" if options.dry_run else "nothing has changed")
        return 0
    rows = list(hub.query("alerts", all=options.all or None))
    show(ALERTS, rows, options.json, "nothing is wrong")
    return 0


def _test(hub: Client, options: Namespace) -> int:
    """0 where every sink took it, 4 where some did, 1 where none did, 2 where there is none."""
    rows = list(hub.ask("alerts.test", {}, TEST_SECONDS))
    show(TESTS, rows, options.json, "no sinks; add [sink:NAME] to the file of hubd's option alerts")
    good = sum(1 for row in rows if row["ok"])
    return 2 if not rows else 0 if good == len(rows) else 4 if good else 1


def silence(hub: Client, options: Namespace) -> int:
    """Makes, lists or ends silences."""
    if options.selector == "list" and options.id is None:
        show(SILENCES, list(hub.query("silence.list")), options.json, "no silences")
        return 0
    if options.selector == "end":
        if options.id is None:
            raise ValueError("which one? hubctl silence end ID; see hubctl silence list")
        return _said(hub.query("silence.end", id=options.id), options, "ended; it hid")
    if options.id is not None:
        raise ValueError(f"{options.id!r} is one word too many; quote the selector")
    if options.span is None or options.reason is None:
        raise ValueError("a silence needs --for TIME and --reason TEXT")
    made = {"selector": options.selector, "seconds": duration(options.span), "reason": options.reason}
    return _said(hub.query("silence.create", **made), options, f"until {options.span} from now; it hides")


def _said(row: Row, options: Namespace, words: str) -> int:
    if options.json:
        print_json(row)
    else:
        what = "alert" if row["alerts"] == 1 else "alerts"
        print(f"silence {safe(row['id'])} of {safe(told(row))}: {words} {row['alerts']} {what}")
    return 0


def told(row: Row) -> str:
    """The selector, with what the scope of its maker added."""
    own = str(row["selector"])
    pairs = [f"{name}={glob}" for name, glob in row["pairs"].items()]
    added = [
        pair for pair in pairs if pair.partition("=")[0] not in ("agent", "program", "subject", "*") and pair not in own
    ]
    return own + (f" ({','.join(added)})" if added else "")
