"""Output that is followed: two rows in the audit, however often it is looked at, and every look is judged."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from hub.commands.trails import MOST_OF_ACTOR, SILENT_SECONDS, Trails
from hub.store.rows import AuditRow
from tests.support.corehub import CoreHub
from wire import messages as M
from wire.keys import KeyPair
from wire.model import CommandState

NUMBERS = count(1)


def look(hub: CoreHub, target: str = "shop/web", user: str = "admin", word: str = "f1", **more: Any) -> Any:
    """One look, answered by its agents."""
    args = {"verb": "tail", "target": target, "follow": word, "id": f"{word}-{next(NUMBERS)}", **more}
    before, answer = len(hub.sent), hub.query("command", user, **args)
    for send in hub.sent[before:]:
        if isinstance(send.message, M.Command):
            hub.ask("agents", send.agent, M.Progress(send.message.id, CommandState.DONE, {"text": "x"}, None, 0.0))
    return answer


def wait(hub: CoreHub, seconds: float) -> None:
    """Time passes; the agents live."""
    for _ in range(round(seconds)):
        hub.wait(1.0)
        for agent in hub.core.fleet.routes:
            hub.beat(agent)


def audit(hub: CoreHub) -> list[AuditRow]:
    return [row for row in hub.store.audit(limit=1000) if row.action == "tail"]


def outcomes(hub: CoreHub) -> list[str]:
    return [row.outcome for row in audit(hub)]


@pytest.fixture
def shop(hub: CoreHub) -> str:
    agent = hub.agent("shop", "web", "worker")
    hub.hello(agent)
    return agent


def end(hub: CoreHub, word: str = "f1", user: str = "admin", peer: str = "1.2.3.4") -> Any:
    return hub.ask("clients", user, M.Query("q", "command", {"verb": "tail", "follow": word, "end": True}), peer)


def test_a_follow_is_in_the_audit_when_it_begins_and_when_it_is_over(hub: CoreHub, shop: str) -> None:
    for _ in range(60):
        assert look(hub)["follow"] == "f1"
        wait(hub, 1.0)
    assert outcomes(hub) == ["following"] and len(hub.commands()) == 60
    assert end(hub).result == {"follow": "f1", "ended": 1}
    begun, over = audit(hub)
    assert (begun.actor, begun.target, begun.peer, begun.command) == ("admin", "shop/web", "1.2.3.4", "f1")
    assert (over.outcome, over.detail, over.command) == ("ended", "60 looks in 59 s", "f1")


def test_its_looks_carry_its_word_and_are_kept_as_commands(hub: CoreHub, shop: str) -> None:
    for _ in range(3):
        look(hub)
    rows = hub.query("commands")
    assert len(rows) == 3 and all(row["id"].startswith("f1-") and row["state"] == "done" for row in rows)
    assert look(hub, id="other-1").code == look(hub, id="").code == "bad-argument"


def test_who_falls_silent_lapses(hub: CoreHub, shop: str) -> None:
    look(hub)
    wait(hub, SILENT_SECONDS - 1)
    look(hub)
    wait(hub, SILENT_SECONDS - 1)
    assert outcomes(hub) == ["following"]
    wait(hub, 2.0)
    row = audit(hub)[-1]
    assert (row.outcome, row.detail) == ("lapsed", f"2 looks in {SILENT_SECONDS - 1:.0f} s, then silent")
    look(hub)
    assert outcomes(hub)[-1] == "following", "who comes back begins anew"


def test_each_program_person_and_place_has_a_row_of_its_own(hub: CoreHub, shop: str) -> None:
    look(hub, "shop/*")
    look(hub, "shop/*")
    assert [row.target for row in audit(hub)] == ["shop/web", "shop/worker"]
    public = KeyPair.generate().public
    hub.query("key.create", name="eve", role="viewer", public=public)
    look(hub, user="eve")
    args = {"verb": "tail", "target": "shop/web", "follow": "f1", "id": "f1-elsewhere"}
    hub.ask("clients", "admin", M.Query("q", "command", args), peer="9.9.9.9")
    assert [(row.actor, row.peer) for row in audit(hub)[2:]] == [("eve", "1.2.3.4"), ("admin", "9.9.9.9")]
    assert end(hub, user="eve").result["ended"] == 1 and end(hub, peer="8.8.8.8").result["ended"] == 0


def test_two_agents_of_one_name_are_two(hub: CoreHub) -> None:
    for boot in ("b1", "b2"):
        hub.hello(hub.agent("shop", "web", boot=boot), boot)
    look(hub, "*/web")
    look(hub, "*/web")
    assert outcomes(hub) == ["following"] * 2


def test_a_right_that_was_taken_away_is_missed_at_the_next_look(hub: CoreHub, shop: str) -> None:
    public = KeyPair.generate().public
    hub.query("key.create", name="eve", role="viewer", public=public)
    look(hub, user="eve")
    hub.query("key.revoke", name="eve")
    assert look(hub, user="eve").code == "unknown-key" and len(hub.commands()) == 1
    wait(hub, SILENT_SECONDS + 1)
    assert outcomes(hub) == ["following", "lapsed"]


def test_what_is_out_of_scope_is_refused_and_audited_each_time(hub: CoreHub, shop: str) -> None:
    hub.query("key.create", name="eve", role="viewer", public=KeyPair.generate().public, scope={"team": "a"})
    assert [look(hub, user="eve").code for _ in range(2)] == ["unknown-agent"] * 2
    assert outcomes(hub) == ["refused"] * 2


def test_nothing_but_tail_can_be_followed(hub: CoreHub, shop: str) -> None:
    assert look(hub, verb="restart").code == look(hub, container=True).code == "bad-argument"
    assert [look(hub, word=word).code for word in ("x" * 21, "a b", 7)] == ["bad-argument"] * 3
    assert hub.commands() == []


def test_a_look_whose_beginning_could_not_be_kept_is_not_carried_out_and_the_next_tries_again(
    hub: CoreHub, shop: str
) -> None:
    hub.broken = "claim_audited"
    assert look(hub)["state"] == "failed" and hub.commands() == []
    hub.broken = ""
    look(hub)
    assert outcomes(hub) == ["following"] and len(hub.commands()) == 1


def test_where_too_many_are_followed_a_look_is_audited_like_any_command(hub: CoreHub, shop: str) -> None:
    trails = hub.core.orders.trails
    look(hub)
    trails._of["admin"] = MOST_OF_ACTOR
    look(hub)
    look(hub, word="f2")
    assert outcomes(hub) == ["following", "accepted", "done"]


def test_what_is_over_leaves_nothing_behind(hub: CoreHub, shop: str) -> None:
    look(hub, "shop/*")
    trails: Trails = hub.core.orders.trails
    assert len(trails.known) == trails._of["admin"] == 2
    wait(hub, SILENT_SECONDS + 1)
    assert not trails.known and not trails._of
