"""hubctl keys rotate with real processes: a hub, real initds with their links, clients, a reader of the feed.

The key changes under traffic, and nobody notices: each fact arrives, no agent is late or lost, the reader of the feed
misses nothing; afterwards the old key is refused.  The hub may be killed in the middle.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.ctl.verbs import main
from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until
from wire.client import Client, Unreachable
from wire.keys import ClientKey

BUSY = "[program:busy]\ncommand=sh -c 'sleep 0.2'\nautorestart=true\nstartsecs=0\n[program:calm]\ncommand=sleep 1000\n"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    (tmp_path / "hub").mkdir()
    hub = LiveHub(tmp_path / "hub")
    yield hub.start()
    hub.stop()


@pytest.fixture
def boxes(hub: LiveHub, tmp_path: Path) -> Iterator[list[LiveInitd]]:
    """Two containers whose programs make facts all the time."""
    join = hub.join().format()
    made = [LiveInitd(tmp_path / name, BUSY, PIDONE_JOIN=join).start() for name in ("one", "two")]
    until(lambda: len(live(hub)) == 2, 60, "both join")
    yield made
    for one in made:
        one.destroy()


def live(hub: LiveHub) -> dict[str, Any]:
    return {row["name"]: row for row in hub.client.agents() if row["presence"] == "live"}


def admin(hub: LiveHub) -> Path:
    return hub.folder / "state" / "client" / "admin.json"


def ctl(hub: LiveHub, *words: str) -> int:
    return main(["--key", str(admin(hub)), *words])


def ended(hub: LiveHub) -> bool:
    return hub.client.about()["keys"]["next"] is None


def troubles(hub: LiveHub) -> list[Any]:
    """Changes of presence that nobody wanted."""
    rows = hub.client.events(limit=2000)
    return [row for row in rows if row.get("note") == "presence" and row.get("presence") != "live"]


def test_the_key_changes_under_traffic_and_nobody_notices(
    hub: LiveHub, boxes: list[LiveInitd], capsys: pytest.CaptureFixture[str]
) -> None:
    old, reader = ClientKey.load(admin(hub)), hub.user("reader", "viewer")
    heard: list[Any] = []
    follower = threading.Thread(target=lambda: heard.extend(reader.feed(("fact/",), 20.0)))
    follower.start()
    assert ctl(hub, "keys", "rotate", "--grace", "8s", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["next"] and made["key"] == old.server_key
    moved = ClientKey.load(admin(hub))
    assert (moved.server_key, moved.command) == (made["next"], made["ends"]["command"]) and moved.secret == old.secret
    until(lambda: ended(hub), 60, "the grace ends")
    assert hub.client.key.server_key == made["next"]
    with Client(old, timeout=1.5) as late, pytest.raises(Unreachable):
        late.about()
    until(lambda: len(live(hub)) == 2 and all(row["age"] < 1.5 for row in live(hub).values()), 30, "both beat")
    assert troubles(hub) == []
    check_facts(hub, boxes)
    assert hub.client.wait(hub.client.command("one/calm", "restart"))["state"] == "done"
    follower.join()
    check_feed(heard)


def check_feed(heard: list[Any]) -> None:
    """No fact is missing between the first and the last that was heard, and none came twice."""
    for name in ("one", "two"):
        seqs = [item.body["fact"]["seq"] for item in heard if item.body["name"] == name]
        assert len(seqs) > 20 and seqs == list(range(seqs[0], seqs[-1] + 1))


def check_facts(hub: LiveHub, boxes: list[LiveInitd]) -> None:
    """Every fact that PID 1 tells of is in the hub's store, once."""
    for box in boxes:
        agent = live(hub)[box.folder.name]
        last = until(lambda agent=agent: whole(hub, agent["agent"]), 60, f"{box.folder.name} told all")
        assert last > 20


def whole(hub: LiveHub, agent: str) -> int:
    """The newest number of its facts where all up to it are stored without a gap or a double, else 0."""
    rows = [row for row in hub.client.events(target=agent, limit=2000) if row["boot"] != "hub" and row["seq"]]
    seqs = [row["seq"] for row in rows if row["kind"] in ("state", "exit", "note")]
    first = seqs[0] if seqs else 0
    return seqs[-1] if seqs and seqs == list(range(first, seqs[-1] + 1)) else 0


def test_a_hub_that_is_killed_in_the_middle_goes_on_with_the_change(hub: LiveHub, boxes: list[LiveInitd]) -> None:
    made = hub.client.query("key.rotate", grace=600)
    hub.kill()
    hub.start()
    assert hub.client.about()["keys"]["next"] == made["next"] == hub.client.key.server_key
    until(lambda: len(live(hub)) == 2, 60, "both are back")
    hub.client.query("key.rotate", now=True)
    until(lambda: ended(hub), 60, "the change ends")
    hub.kill()
    hub.start()
    assert hub.client.about()["keys"]["key"] == made["next"]
    until(lambda: len(live(hub)) == 2, 60, "both are back again")
    assert [row for row in troubles(hub) if row["presence"] == "lost"] == []
    check_facts(hub, boxes)


def test_a_second_change_goes_back_to_the_configured_ports(hub: LiveHub) -> None:
    for step in (10, 0):
        hub.client.query("key.rotate", now=True)
        until(lambda: ended(hub), 60, "the change ends")
        assert hub.client.key.command.endswith(f":{hub.ports['client'] + step}")


def test_a_container_that_was_away_during_the_change_comes_back(hub: LiveHub, boxes: list[LiveInitd]) -> None:
    boxes[0].stop()
    until(lambda: set(live(hub)) == {"two"}, 30, "one left")
    hub.client.query("key.rotate", now=True)
    until(lambda: ended(hub), 60, "the change ends")
    begun = time.monotonic()
    boxes[0].start()
    until(lambda: len(live(hub)) == 2, 90, "it is back")
    assert time.monotonic() - begun < 60
