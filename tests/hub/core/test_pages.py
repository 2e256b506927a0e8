"""Long answers: refused whole, given in pages, and never so long that the loop is held up."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hub import pages
from tests.support.corehub import CoreHub, container, listing
from wire import messages as M


def fleet(hub: CoreHub, agents: int, programs: int) -> None:
    join = hub.token()
    names = [f"p{n:03d}" for n in range(programs)]
    for number in range(agents):
        hub.agent(f"shop-{agents - number}", *names, join=join)


def walk(hub: CoreHub, op: str, key: str, limit: int, **args: Any) -> list[list[Any]]:
    """All pages, as a client asks for them."""
    found: list[list[Any]] = []
    after = None
    while not found or len(found[-1]) >= limit:
        found.append(list(hub.query(op, limit=limit, **args, **({"after": after} if after else {}))))
        after = found[-1][-1][key] if found[-1] else None
    return found


def test_pages_together_are_the_whole_answer(hub: CoreHub) -> None:
    fleet(hub, 7, 3)
    whole = hub.query("ps")
    paged = walk(hub, "ps", "agent", 5)
    assert [len(page) for page in paged] == [6, 6, 6, 3]
    assert [row for page in paged for row in page] == list(whole) and len(whole) == 21


def test_pages_of_a_target(hub: CoreHub) -> None:
    fleet(hub, 4, 3)
    paged = walk(hub, "ps", "agent", 2, target="shop-*/p001")
    assert [len(page) for page in paged] == [2, 2, 0]


def test_agents_and_containers_come_in_pages_too(hub: CoreHub) -> None:
    fleet(hub, 3, 1)
    hub.report(*listing(hub.now.wall, *(container(number) for number in range(1, 6))))
    assert [len(page) for page in walk(hub, "agents", "agent", 2)] == [2, 1]
    assert [len(page) for page in walk(hub, "containers", "id", 2)] == [2, 2, 1]


def test_whoever_leaves_between_two_pages_hides_nobody_else(hub: CoreHub) -> None:
    fleet(hub, 4, 1)
    _, second, third, fourth = sorted(hub.core.fleet.registry.agents)
    page = hub.query("ps", limit=2)
    hub.ask("agents", second, M.Goodbye("b1", "stop", 0))
    rest = hub.query("ps", limit=2, after=page[-1]["agent"])
    assert [row["agent"] for row in rest] == [third, fourth]


def test_without_a_limit_too_much_is_refused_not_cut_off(hub: CoreHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ROWS", 5)
    fleet(hub, 2, 3)
    refused = hub.query("ps")
    assert isinstance(refused, M.Refused) and refused.code == "too-large"
    assert "6 rows" in refused.message and "limit" in refused.hint
    assert len(hub.query("ps", target="shop-1")) == 3


def test_children_count_as_rows(hub: CoreHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ROWS", 5)
    fleet(hub, 1, 3)
    assert len(hub.query("ps")) == 3
    assert isinstance(hub.query("ps", all=True), M.Refused)


@pytest.mark.parametrize("args", [{"limit": 0}, {"limit": 5000}, {"limit": "x"}, {"limit": True}, {"after": 3}])
def test_a_bad_page_is_refused(hub: CoreHub, args: dict[str, Any]) -> None:
    refused = hub.query("ps", **{"limit": 1, **args})
    assert isinstance(refused, M.Refused) and refused.code == "bad-argument"


def cost(hub: CoreHub, after: str | None) -> float:
    """Processor seconds of one page, the least of three times."""
    took = []
    for _ in range(3):
        begun = time.thread_time()
        hub.query("ps", limit=1000, **({"after": after} if after else {}))
        took.append(time.thread_time() - begun)
    return min(took)


def test_a_page_of_a_large_fleet_costs_what_one_of_a_small_fleet_does(hub: CoreHub) -> None:
    """The 20,000 rows of this fleet in one answer would cost twenty times as much."""
    fleet(hub, 10, 100)
    alone = cost(hub, None)
    fleet(hub, 200, 100)
    found = walk(hub, "ps", "agent", 1000)
    assert sum(map(len, found)) >= 20_000
    assert max(cost(hub, page[-1]["agent"]) for page in found[:-1]) < 8 * alone
