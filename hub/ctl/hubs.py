"""`hubctl hubs` and `hubctl drain`: which hubs share the store, and sending one's agents to the others."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from hub.ctl.tables import AGE, Column, field, print_json, show, shown
from hub.ctl.text import number
from wire.client import Client

HUBS = (
    Column("HUB", lambda row: str(row["hub"]) + (" *" if row.get("self") else "")),
    Column("STATE", field("state")),
    Column("AGENTS", shown("agents", number), True),
    Column("HOMES", shown("homes", number), True),
    Column("CAPACITY", shown("capacity", number), True),
    Column("EPOCH", shown("epoch", number), True),
    Column("ENGINES", lambda row: ", ".join(row.get("engines") or ()) or "-"),
    Column("VERSION", field("version")),
    Column("ADDRESS", field("peer")),
    AGE,
)

Verb = Callable[..., argparse.ArgumentParser]


def hubs(hub: Client, options: Namespace) -> int:
    """The hubs, as the one that is asked sees them (marked with `*`)."""
    rows: list[dict[str, Any]] = [dict(row) for row in hub.query("hubs")]
    show(HUBS, rows, options.json, "no hubs")
    return 0


def drain(hub: Client, options: Namespace) -> int:
    """Have one hub send its agents to the others and end."""
    found = hub.query("drain", hub=options.hub)
    if options.json:
        print_json(found)
    else:
        print(f"{options.hub} drains: its agents go to the other hubs, then it ends")
    return 0


def declare(verb: Verb) -> None:
    """The command lines of both."""
    verb("hubs", hubs, "the hubs of this fleet", "hubctl hubs --json")
    parser = verb("drain", drain, "send a hub's agents to the others, then end it", "hubctl drain hub-1a2b3c4d")
    parser.add_argument("hub", help="a name that hubctl hubs shows")
