"""The change of the hub's key in the core: begun, told to all, ended in time, and warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import words
from hub.trust.rotation import LIFE_SECONDS, Standing
from tests.support.corehub import SETTINGS, CoreHub
from wire import messages as M

NEXT = "n" * 40


class Turned(CoreHub):
    """Its sockets do as told, or fail."""

    fault = ""

    def rotate(self, effect: words.Rotate) -> None:
        self.feed(words.Stored(effect.then, None if self.fault else self.turned(effect.until), self.fault))

    def turned(self, until: float | None) -> Standing:
        self.ordered = until
        made = self.now.wall
        return Standing(1, NEXT, made) if until is None else Standing(0, SETTINGS.addresses[0].key, made, NEXT, until)


@pytest.fixture
def hub(tmp_path: Path) -> Turned:
    return Turned(tmp_path)


def notes(hub: Turned) -> list[Any]:
    return [item.body["note"] for item in hub.published if item.topic == "notice/keys"]


def test_everybody_is_told_of_the_next_place(hub: Turned) -> None:
    agent = hub.agent()
    assert hub.beat(agent).hubs == ()
    made = hub.query("key.rotate", grace=60)
    assert made["next"] == NEXT and made["until"] == hub.now.wall + 60
    [place] = hub.beat(agent).hubs
    assert (place.command, place.enrol, place.key) == ("h:7411", "h:7403", NEXT)
    answer = hub.ask("clients", "admin", M.Query("q", "agents", {}))
    assert answer.moved == {"command": "h:7414", "feed": "h:7415", "server_key": NEXT}
    assert hub.enrol(hub.token()).hubs == (place,)


def test_the_change_ends_in_time_and_the_old_key_is_told_no_more(hub: Turned) -> None:
    agent = hub.agent()
    hub.query("key.rotate", grace=60)
    hub.wait(30, 0.5)
    hub.beat(agent)
    assert hub.ordered is not None
    hub.wait(31, 0.5)
    assert hub.ordered is None and notes(hub) == ["key rotation begun", "key rotation ended"]
    assert hub.core.turning.moved is None and hub.query("about")["keys"]["key"] == NEXT
    assert hub.beat(agent).hubs == ()


def test_now_ends_a_change_that_is_under_way_early(hub: Turned) -> None:
    hub.query("key.rotate", grace=80 * 86400)
    hub.query("key.rotate", now=True)
    hub.wait(60, 0.5)
    assert hub.ordered is None and "key rotation moved" in notes(hub)


def test_what_cannot_be_done_changes_nothing(hub: Turned) -> None:
    hub.fault = "cannot listen"
    answer = hub.query("key.rotate", grace=60)
    assert answer.code == "failed" and hub.core.turning.moved is None and not notes(hub)
    hub.fault = ""
    assert hub.query("key.rotate", grace=0).code == "bad-argument" == hub.query("key.rotate", grace=True).code
    assert hub.query("key.rotate", grace=60)["next"] == NEXT


def test_the_audit_tells_of_it(hub: Turned) -> None:
    hub.query("key.rotate", grace=60)
    assert [row["action"] for row in hub.query("audit")][-1] == "key rotate"


def test_the_list_of_keys_shows_the_hubs_own(hub: Turned) -> None:
    hub.query("key.rotate", grace=60)
    own = [row for row in hub.query("key.list") if row["kind"] == "hub"]
    assert [row["public"] for row in own] == [SETTINGS.addresses[0].key, NEXT]
    assert own[0]["expires_at"] == hub.now.wall + 60


def test_what_ends_is_told_30_7_and_1_days_before_once_each(hub: Turned) -> None:
    token = hub.query("token.create", kind="service", seconds=40 * 86400)["id"]
    made = hub.now.wall + 40 * 86400 - LIFE_SECONDS
    hub.core.fleet.settings = SETTINGS._replace(standing=Standing(0, "k" * 40, made))
    for _ in range(39 * 24 + 23):
        hub.wait(3600, 3600)
    told = [(item.body["what"], item.body["days"]) for item in hub.published if item.body.get("note") == "expiry"]
    assert sorted(told) == sorted((what, days) for what in ("key of the hub", f"token {token}") for days in (30, 7, 1))
    assert {row["what"] for row in hub.query("about")["keys"]["warnings"]} == {"key of the hub", f"token {token}"}
