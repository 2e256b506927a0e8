"""Every row that a hub answers with says how old it is, and an old hearing is never shown as a new one."""

from __future__ import annotations

from typing import Any

import pytest

from hub.trust.roles import NEEDS
from tests.support.corehub import CoreHub, container, listing
from tests.support.facts import exit_record
from wire.messages import Facts

ROWS = (
    *("agents", "containers", "hosts", "ps", "exits", "events", "commands", "storms", "rolls", "hubs"),
    *("silence.list", "audit", "token.list", "key.list"),
)
"""Operations that answer with rows (alerts have tests of their own); the others answer with one map."""
SILENCE = {"selector": "service=x", "seconds": 60.0, "reason": "a test"}


def fill(hub: CoreHub) -> str:
    """Something for each operation to show."""
    box = container(1, at=hub.now.wall)
    agent = hub.agent("shop", "web", container=box.id)
    hub.report(*listing(hub.now.wall, box))
    for number in range(1, 12):
        hub.feed_event(agent, exit_record(number, "web"))
    hub.ask("agents", agent, Facts("b1", 1, tuple(exit_record(number, "web") for number in range(1, 12))))
    hub.query("command", verb="restart", target="shop/web", id="o1")
    hub.query("roll", verb="restart", target="*/*", id="r1")
    hub.query("silence.create", **SILENCE)
    hub.wait(2.0)
    return agent


@pytest.mark.parametrize("op", ROWS)
def test_every_row_tells_its_age(hub: CoreHub, op: str) -> None:
    fill(hub)
    rows: Any = hub.query(op, all=True)
    assert rows and all(isinstance(row["age"], (int, float)) and row["age"] >= 0 for row in rows), rows


def test_an_age_grows_as_long_as_nothing_is_heard(hub: CoreHub) -> None:
    fill(hub)
    before = {op: hub.query(op, all=True)[0]["age"] for op in ("agents", "ps", "containers", "hosts", "exits")}
    hub.wait(2.0)
    for op, age in before.items():
        assert hub.query(op, all=True)[0]["age"] == pytest.approx(age + 2.0, abs=0.5), op


def test_the_hub_itself_and_groups_tell_it_too(hub: CoreHub) -> None:
    fill(hub)
    assert hub.query("about")["age"] == 0.0
    [group] = hub.query("exit_groups", group_by="program")["groups"]
    assert group["first"] <= group["last"] <= hub.now.wall and group["example"]["age"] >= 0
    assert set(ROWS) <= set(NEEDS)
