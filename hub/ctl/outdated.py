"""`hubctl agents --outdated`: the agents whose release is older than the hub's, the oldest first.

Theory.  Releases are compared as PEP 440 orders what we ever call one: numbers, then a, b, rc or dev with a number,
which come before the release they lead to.  What cannot be read as that counts as older than everything: somebody
should look at it.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterable

from hub.ctl.tables import AGE, Column, Row, field, show, shown
from hub.ctl.text import age
from wire.client import Client

OLDER = 1
"""Exit status where there are some, for scripts."""
COLUMNS = (
    Column("NAME", field("name")),
    Column("AGENT", lambda row: str(row["agent"])[:12]),
    Column("PRESENCE", field("presence")),
    Column("VERSION", field("version")),
    Column("HUB", field("hub_version")),
    Column("UP", shown("uptime", age), True),
    Column("CONTAINER", lambda row: str(row.get("container") or "-")[:12]),
    AGE,
)
FORM = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})(?:[.-]?(dev|a|b|rc)\.?([0-9]{0,9}))?(?:[+-].*)?", re.ASCII)
STEPS = {"dev": 0, "a": 1, "b": 2, "rc": 3, None: 4}

Order = tuple[tuple[int, ...], int, int]


def order(version: str) -> Order:
    """What sorts releases: `0.9` before `0.10rc1` before `0.10`, and nonsense before all."""
    found = FORM.fullmatch(version)
    if found is None:
        return (), 0, 0
    numbers = [int(part) for part in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()  # 1.0 is 1
    return (0, *numbers), STEPS[found[2]], int(found[3] or 0)


def older(rows: Iterable[Row], hub: str) -> list[Row]:
    """The agents behind this release, the oldest first, by name within one."""
    ours = order(hub)
    behind = [{**row, "hub_version": hub} for row in rows if order(str(row["version"])) < ours]
    return sorted(behind, key=lambda row: (order(str(row["version"])), str(row["name"]), str(row["agent"])))


def outdated(hub: Client, options: Namespace) -> int:
    """Prints them; 1 where there are any."""
    rows = older(hub.agents(options.all), str(hub.about()["version"]))
    show(COLUMNS, rows, options.json, "no agent is older than its hub")
    return OLDER if rows else 0
