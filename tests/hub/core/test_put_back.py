"""A store that lost tokens, keys and commands gets them back from the hub that still knows them."""

from __future__ import annotations

from typing import Any

import pytest

from hub import words
from hub.trust import kept
from tests.support.corehub import CoreHub
from wire.model import CommandState

LOST = words.StoreNews(None, "another server took over")


def forget(hub: CoreHub, *tables: str) -> None:
    """The store lost all rows of these."""
    database: Any = hub.store._database
    with database.write() as connection:
        for table in tables:
            connection.execute(f"DELETE FROM {table}")


def said(hub: CoreHub) -> list[str]:
    hub.feed(words.Tick())
    return [say.line for say in hub.says if "put back" in say.line]


def names(hub: CoreHub) -> tuple[set[str], set[str]]:
    """Public keys and tokens in the store."""
    return {row.public for row in hub.store.keys(None)}, {row.id for row in hub.store.tokens()}


def test_keys_and_tokens_are_put_back_and_that_is_said(hub: CoreHub) -> None:
    hub.agent("shop")
    before = names(hub)
    forget(hub, "keys", "tokens")
    hub.feed(LOST)
    assert names(hub) == before
    assert said(hub) == [f"store: it had lost what this hub still knew and put back: {len(before[0])} keys, 1 token"]
    assert not said(hub)[1:]


def test_nothing_is_said_where_nothing_was_lost(hub: CoreHub) -> None:
    hub.agent("shop")
    hub.feed(words.StoreNews(None, "it was away"))
    assert not said(hub)


def test_a_token_comes_back_as_used_as_it_was(hub: CoreHub) -> None:
    join = hub.token(uses=5)
    hub.enrol(join)
    forget(hub, "tokens")
    hub.feed(LOST)
    assert [(row.uses, row.uses_left) for row in hub.store.tokens()] == [(1, 4)]


def test_a_revocation_that_was_lost_is_made_again(hub: CoreHub) -> None:
    agent, join = hub.agent("shop"), hub.token()
    tokens, keys = hub.store.tokens(), hub.store.keys(None)
    hub.query("token.revoke", id=join.token)
    hub.query("key.revoke", name=agent)
    for token in tokens:  # as they were before
        hub.store.put_token(token)
    for key in keys:
        hub.store.put_key(key)
    hub.feed(LOST)
    assert [row.id for row in hub.store.tokens() if row.revoked_at] == [join.token]
    assert [row.subject for row in hub.store.keys(None) if row.revoked_at] == [agent]
    assert "2 revocations" in said(hub)[0]


def test_what_another_hub_changed_is_left_alone(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    (row,) = [row for row in hub.store.keys(None) if row.subject == agent]
    hub.store.revoke_key(row.public, 5.0)
    hub.feed(LOST)
    assert [one.revoked_at for one in hub.store.keys(None) if one.subject == agent] == [5.0]


def test_a_command_in_flight_is_claimed_again(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.query("command", verb="restart", target=["shop/web"])
    (command,) = hub.core.orders.router.flying
    forget(hub, "commands")
    hub.feed(LOST)
    found = hub.store.command(command)
    assert found is not None and found.agent == agent and found.state is not CommandState.DONE
    assert "1 command" in said(hub)[0]


def test_many_go_out_in_portions(hub: CoreHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PORTION", 2)
    for _ in range(7):
        hub.token()
    before = names(hub)
    forget(hub, "keys", "tokens")
    hub.feed(LOST)
    assert names(hub) == before and "7 tokens" in said(hub)[0]


def test_a_store_that_cannot_be_read_is_not_written_to(hub: CoreHub) -> None:
    hub.token()
    forget(hub, "tokens")
    hub.broken = "tokens"
    hub.feed(LOST)
    assert not hub.store.tokens() and not said(hub)
