"""The index of what agents are called finds whom a look at all of them would find, through every change."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.commands.selectors import processes
from hub.discovery.registry import ARCHIVE_SECONDS
from hub.errors import Refusal
from hub.trust.roles import Role, Subject
from tests.support.corehub import CoreHub, container, listing, register
from wire import messages as M

ADMIN = Subject("admin", Role.ADMIN, {})


@pytest.fixture
def hub(tmp_path: Path) -> CoreHub:
    return CoreHub(tmp_path)


def outcome(hub: CoreHub, text: str, everyone: bool) -> object:
    """What a target means, or why it means nothing."""
    narrowed = ("*/*",) if everyone else (text,)
    try:
        return processes([text], hub.core.orders.candidates(ADMIN, targets=narrowed))
    except Refusal as refusal:
        return refusal.code, refusal.message


def agree(hub: CoreHub, *words: str) -> None:
    agents = list(hub.core.fleet.registry.agents)
    for text in (*words, *agents, *(one[:6] for one in agents), *(one[:5] for one in agents), "nobody", "id", "*"):
        assert outcome(hub, f"{text}/web", False) == outcome(hub, f"{text}/web", True), text


def test_names_host_names_and_ids_are_found_and_doubts_are_told(hub: CoreHub) -> None:
    for name, host in (("shop", "h1"), ("cafe", "h2"), ("h1", "h3"), ("shop", "h4")):
        hub.agent(name, "web", hostname=host)
    agree(hub, "shop", "cafe", "h1", "h2", "h3", "h4")
    assert outcome(hub, "h1/web", False)[0] == "ambiguous"  # type: ignore[index]


def test_who_is_renamed_or_leaves_is_found_no_more(hub: CoreHub) -> None:
    agent, other = hub.agent("shop", "web"), hub.agent("cafe", "web")
    agree(hub, "shop", "cafe")
    hub.ask("agents", agent, register("b2", "kiosk", at=hub.now.wall))
    agree(hub, "shop", "kiosk")
    assert outcome(hub, "shop/web", False)[0] == "unknown-agent"  # type: ignore[index]
    hub.ask("agents", other, M.Goodbye("b1", "SIGTERM", 0))
    agree(hub, "cafe")
    hub.mono += ARCHIVE_SECONDS + 100
    hub.core.fleet.archive(hub.now)
    agree(hub, "cafe", "kiosk")
    assert len(hub.core.orders.names.find(other)) == 0


def test_a_container_gives_its_agent_a_name_and_an_id(hub: CoreHub) -> None:
    box = container(1)
    agent = hub.agent("shop", "web", container=box.id, started_at=hub.now.wall)
    agree(hub, "shop", "box-1", box.id[:12])
    hub.report(*listing(hub.now.wall, box._replace(started_at=hub.now.wall)))
    agree(hub, "shop", "box-1", box.id, box.id[:12])
    assert hub.core.fleet.container_of(agent) is not None, "the rehearsal joined them"
    assert outcome(hub, "box-1/web", False) == outcome(hub, f"{box.id[:12]}/web", False) != "unknown-agent"
