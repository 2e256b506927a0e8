"""A file of rules read again: what changes, what goes on, and that a bad one changes nothing."""

from __future__ import annotations

from typing import Any

from hub.alerts.reload import changes
from hub.alerts.rules import Book, parse
from tests.support.corehub import CoreHub

MINE = "[alert:mine]\non = agent\nif = presence == lost\nfor = {hold}\nsummary = {{agent}} is away\n"
SINK = "[sink:pager]\ntype = webhook\nurl = https://pager.example/{key}\n"


def book(*parts: str) -> Book:
    return parse("\n".join(parts), "alerts.ini")


def mine(hold: str = "5s") -> str:
    return MINE.format(hold=hold)


def reload(hub: CoreHub, found: Book | None, error: str = "", **args: Any) -> Any:
    """The answer to a reload where the file holds this."""
    hub.rules = (found, error)
    return hub.query("alerts.reload", **args)


def rows(answer: Any) -> list[tuple[str, str, str]]:
    return [(row["kind"], row["name"], row["change"]) for row in answer]


def lose(hub: CoreHub, name: str) -> None:
    """An agent that falls silent while another one stays."""
    hub.agent(name)
    other = hub.agent("stays")
    for _ in range(60):
        hub.wait(1.0)
        hub.beat(other)


def firing(hub: CoreHub) -> set[str]:
    return {alert.rule for alert in hub.core.alerts.machine.alerts.values() if alert.firing}


def test_changes_name_what_is_new_gone_and_other() -> None:
    old, new = book(mine(), SINK.format(key="a")), book(mine("9s"), "[alert:other]\non = agent\nif = age > 9\n")
    found = {(row["name"], row["change"]): row["detail"] for row in changes(old, new)}
    assert found == {("mine", "changed"): "for: 5.0 -> 9.0", ("other", "added"): "", ("pager", "removed"): ""}


def test_an_address_is_not_shown_for_it_may_be_a_key() -> None:
    [row] = changes(book(SINK.format(key="hush")), book(SINK.format(key="quiet")))
    assert row["detail"] == "url: (not shown) -> (not shown)"


def test_a_dry_run_changes_nothing(hub: CoreHub) -> None:
    assert rows(reload(hub, book(mine()), dry=True)) == [("rule", "mine", "added")]
    assert "mine" not in hub.core.alerts.rules
    assert rows(reload(hub, book(mine()))) == [("rule", "mine", "added")]
    assert rows(reload(hub, book(mine()))) == []


def test_a_bad_file_changes_nothing_and_says_so(hub: CoreHub) -> None:
    before = dict(hub.core.alerts.rules)
    answer = reload(hub, None, "alerts.ini:3: no such option")
    assert (answer.code, "alerts.ini:3" in answer.message) == ("bad-file", True)
    assert hub.core.alerts.rules == before
    assert [row["outcome"] for row in hub.query("audit", limit=5) if row["action"] == "alerts reload"] == ["refused"]


def test_a_new_rule_fires_and_one_that_is_gone_is_over(hub: CoreHub) -> None:
    reload(hub, book(mine()))
    lose(hub, "shop")
    assert firing(hub) == {"agent-lost", "mine"}
    reload(hub, book())
    assert firing(hub) == {"agent-lost"}, "what is the same goes on"
    told = [row["rule"] for row in hub.query("alerts")]
    assert told == ["agent-lost"]


def test_sinks_are_told_to_the_loop(hub: CoreHub) -> None:
    reload(hub, book(SINK.format(key="a")))
    assert [sink.name for sink in hub.sinks] == ["pager"]
