"""While the store is slow, agents ask again: each question is put to it once, and the newest request is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import words
from hub.words import Asked, Route, Send, Store
from tests.support.corehub import CoreHub, register
from wire.messages import Registered


@pytest.fixture
def hub(tmp_path: Path) -> CoreHub:
    return CoreHub(tmp_path)


def asked(agent: str, number: int, epoch: int = 0) -> Asked:
    return Asked(Route("agents", (agent.encode(), bytes([number]))), agent, "1.2.3.4", register(epoch=epoch))


def stores(hub: CoreHub, event: Asked) -> list[Store]:
    return [effect for effect in hub.core.handle(event, hub.now) if isinstance(effect, Store)]


def test_a_registration_that_is_repeated_is_looked_up_once_and_answered_last(hub: CoreHub) -> None:
    agent = hub.enrol(hub.token()).agent
    (first,) = stores(hub, asked(agent, 1))
    assert first.method == "durable" and not stores(hub, asked(agent, 2))
    assert first.then is not None
    answers = [one for one in hub.core.handle(words.Stored(first.then, 0, ""), hub.now) if isinstance(one, Send)]
    assert [type(one.message) for one in answers] == [Registered] and answers[0].route.envelope[1] == b"\2"
    assert [one.method for one in stores(hub, asked(agent, 3))] == ["durable"]


def test_one_higher_epoch_is_asked_for_where_many_agents_have_seen_it(hub: CoreHub) -> None:
    join = hub.token()
    agents = [hub.enrol(join, f"{number:040d}").agent for number in range(3)]
    calls = [one.method for agent in agents for one in stores(hub, asked(agent, 1, epoch=7))]
    assert calls == ["next_epoch", "durable", "durable", "durable"]
