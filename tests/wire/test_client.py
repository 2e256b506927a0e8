"""The client against real sockets: answers, refusals, strict deadlines, and why a hub is not reached."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.fakehub import FakeHub
from tests.support.zap import Doorkeeper
from wire.client import PAGE, Client, CommandFailed, RefusedError, Unreachable
from wire.keys import KeyPair


@pytest.fixture
def hub(context: Any, doorkeeper: Doorkeeper) -> Iterator[FakeHub]:
    hub = FakeHub(
        context, doorkeeper, agents=lambda args: [{"name": "web"}], ps=lambda args: [args], echo=lambda args: args
    )
    yield hub
    hub.stop()


@pytest.fixture
def client(hub: FakeHub) -> Iterator[Client]:
    with Client(hub.key, timeout=10) as client:
        yield client


def test_it_brings_the_result(client: Client) -> None:
    assert client.agents() == [{"name": "web"}]
    assert client.query("echo", numbers=[1, 2.5, None], text="\u00fc") == {"numbers": (1, 2.5, None), "text": "\u00fc"}


def test_arguments_that_are_none_are_not_sent(client: Client) -> None:
    assert client.query("echo", target=None, limit=3) == {"limit": 3}


def test_long_answers_are_fetched_page_by_page_and_sorted_by_name(client: Client, hub: FakeHub) -> None:
    rows = [{"agent": f"{n:05d}", "agent_name": f"box-{9999 - n}"} for n in range(2 * PAGE + 5)]
    asked: list[Any] = []

    def page(args: Any) -> Any:
        asked.append(args)
        return [row for row in rows if row["agent"] > args.get("after", "")][: args["limit"]]

    hub.operations["ps"] = page
    assert [row["agent"] for row in client.ps("web/*")] == [row["agent"] for row in reversed(rows)]
    assert [one.get("after") for one in asked] == [None, "00999", "01999"]
    assert all(one["target"] == "web/*" for one in asked)


def test_a_key_file_will_do(hub: FakeHub, tmp_path: Any) -> None:
    hub.key.save(tmp_path / "client.json")
    with Client(tmp_path / "client.json", timeout=10) as client:
        assert client.agents()


def test_a_refusal_has_code_message_and_hint(client: Client) -> None:
    with pytest.raises(RefusedError, match=r"no operation dance \(see `hubctl --help`\)") as refusal:
        client.query("dance")
    assert refusal.value.code == "unknown-op"


def test_a_large_answer_passes(client: Client, hub: FakeHub) -> None:
    hub.operations["big"] = lambda args: ["x" * 1000] * 2000
    assert len(client.query("big")) == 2000


def test_nobody_there_is_said_in_time(hub: FakeHub) -> None:
    began = time.monotonic()
    with Client(hub.key._replace(command="127.0.0.1:1"), timeout=0.3) as client, pytest.raises(Unreachable) as fault:
        client.agents()
    assert "no connection to the hub at 127.0.0.1:1" in str(fault.value)
    assert time.monotonic() - began < 5


def test_a_silent_hub_is_said_in_time(client: Client, hub: FakeHub) -> None:
    hub.operations["mute"] = lambda args: time.sleep(0.6)
    with pytest.raises(Unreachable, match="connected, but no answer"):
        client.ask("mute", {}, timeout=0.3)
    assert client.agents() == [{"name": "web"}]


def test_a_refused_key_is_said(hub: FakeHub) -> None:
    stranger = KeyPair.generate()
    key = hub.key._replace(public=stranger.public, secret=stranger.secret)
    with Client(key, timeout=10) as client, pytest.raises(Unreachable, match="refused this key"):
        client.agents()


def test_a_wrong_server_key_is_not_waited_for_ever(hub: FakeHub) -> None:
    with (
        Client(hub.key._replace(server_key=KeyPair.generate().public), timeout=1) as client,
        pytest.raises(Unreachable, match=r"no connection|could not be spoken to"),
    ):
        client.agents()


def test_a_command_is_waited_for(client: Client, hub: FakeHub) -> None:
    states = iter(["accepted", "delivered", "done"])
    hub.operations["command"] = lambda args: {"id": args["id"], "state": "accepted", "asked": args}
    hub.operations["command_state"] = lambda args: {"id": args["id"], "state": next(states), "result": "ok"}
    row = client.command("web/app", "restart", ttl=5.0)
    assert row["asked"]["container"] is False and client.wait(row)["result"] == "ok"


@pytest.mark.parametrize(("state", "complaint"), [("failed", "no such program"), ("expired", "expired")])
def test_a_failed_command_is_an_error(client: Client, hub: FakeHub, state: str, complaint: str) -> None:
    hub.operations["command_state"] = lambda args: {"id": "c", "state": state, "error": "no such program"}
    with pytest.raises(CommandFailed, match=complaint) as fault:
        client.wait("c")
    assert fault.value.row["state"] == state


def test_an_order_for_many_names_what_went_wrong(client: Client, hub: FakeHub) -> None:
    rows = [{"id": "c.1", "state": "done", "error": ""}, {"id": "c.2", "state": "failed", "error": "web is FATAL"}]
    hub.operations["command_state"] = lambda args: {"id": "c", "state": "failed", "commands": rows}
    with pytest.raises(CommandFailed, match="command c failed: web is FATAL"):
        client.wait("c")


def test_a_tail_is_text(client: Client, hub: FakeHub) -> None:
    hub.operations["command"] = lambda args: {**args, "state": "done", "result": {"text": "last words\n"}}
    assert client.tail("web/app") == "last words\n"


def test_a_command_that_takes_too_long_is_an_error(client: Client, hub: FakeHub) -> None:
    hub.operations["command_state"] = lambda args: {"id": "c", "state": "delivered"}
    with pytest.raises(CommandFailed, match="still delivered"):
        client.wait("c", seconds=0.2)


def test_the_feed_brings_what_was_asked_for(client: Client, hub: FakeHub) -> None:
    hub.publish("fact/a1", "notice/", "fact/a2")
    items = client.feed(["fact/"], seconds=20)
    assert [next(items).topic, next(items).topic] == ["fact/a1", "fact/a2"]
    items.close()  # type: ignore[attr-defined]


def test_the_feed_ends_in_time(client: Client) -> None:
    assert list(client.feed(seconds=0.1)) == []
