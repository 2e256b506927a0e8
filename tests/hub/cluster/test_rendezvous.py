"""Homes: the same everywhere, even by capacity, and moved as little as can be."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cluster.rendezvous import Homes, home, poller, ranking, refuge
from hub.cluster.rows import LeaseRow

AGENTS = [f"agent-{number}" for number in range(300)]
HUBS = st.lists(st.tuples(st.text("abcdef", min_size=1, max_size=6), st.integers(1, 5000)), min_size=1, max_size=8,
                unique_by=lambda one: one[0])  # fmt: skip


def rows(hubs: list[tuple[str, int]]) -> list[LeaseRow]:
    return [LeaseRow(name, born=number, capacity=weight) for number, (name, weight) in enumerate(hubs, 1)]


@given(HUBS, st.randoms())
def test_the_order_of_the_list_does_not_matter(hubs: list[tuple[str, int]], dice) -> None:  # type: ignore[no-untyped-def]
    shuffled = rows(hubs)
    dice.shuffle(shuffled)
    assert [home(a, 0.0, rows(hubs)) for a in AGENTS[:50]] == [home(a, 0.0, shuffled) for a in AGENTS[:50]]


@given(HUBS, st.integers(1, 5000))
@settings(max_examples=40)
def test_who_joins_only_gains_and_who_leaves_only_gives(hubs: list[tuple[str, int]], weight: int) -> None:
    before = {agent: home(agent, 0.0, rows(hubs)) for agent in AGENTS}
    after = {agent: home(agent, 0.0, [*rows(hubs), LeaseRow("new", 99, capacity=weight)]) for agent in AGENTS}
    assert {after[agent] for agent in AGENTS if after[agent] != before[agent]} <= {"new"}


def test_a_joining_hub_takes_its_share_and_no_more() -> None:
    agents = [f"a{number}" for number in range(9000)]
    before = {agent: home(agent, 0.0, rows([("x", 1), ("y", 1)])) for agent in agents}
    after = {agent: home(agent, 0.0, rows([("x", 1), ("y", 1), ("z", 1)])) for agent in agents}
    assert 2800 < sum(before[agent] != after[agent] for agent in agents) < 3200


def test_shares_follow_capacity() -> None:
    homes = [home(f"a{number}", 0.0, rows([("small", 1000), ("large", 3000)])) for number in range(8000)]
    assert 5800 < homes.count("large") < 6200


def test_the_home_comes_first_in_the_order_and_the_rest_is_who_would_be() -> None:
    hubs = rows([("x", 1), ("y", 2), ("z", 3)])
    for agent in AGENTS:
        order = ranking(agent, 0.0, hubs)
        assert order[0] == home(agent, 0.0, hubs)
        assert order[1] == home(agent, 0.0, [row for row in hubs if row.hub != order[0]])


def test_a_draining_hub_is_home_of_nobody_and_comes_last() -> None:
    hubs = [LeaseRow("x", 1, draining=True), LeaseRow("y", 2)]
    assert {home(agent, 0.0, hubs) for agent in AGENTS} == {"y"}
    assert {ranking(agent, 0.0, hubs)[-1] for agent in AGENTS} == {"x"}
    assert home("a", 0.0, [LeaseRow("x", 1, draining=True)]) is None


def test_a_full_hub_keeps_its_agents_and_gets_no_new_ones() -> None:
    hubs = [LeaseRow("x", 1, full_at=100.0), LeaseRow("y", 2)]
    empty = [row._replace(full_at=None) for row in hubs]
    assert [home(a, 99.0, hubs) for a in AGENTS] == [home(a, 0.0, empty) for a in AGENTS]
    assert {home(agent, 101.0, hubs) for agent in AGENTS} == {"y"}
    assert home("a", 101.0, hubs[:1]) == "x"


@given(st.lists(HUBS, min_size=1, max_size=6))
@settings(max_examples=40)
def test_what_is_kept_is_what_would_be_computed(lists: list[list[tuple[str, int]]]) -> None:
    homes = Homes()
    homes.add(dict.fromkeys(AGENTS[:60], 5.0))
    for number, hubs in enumerate(lists):
        present = rows(hubs)
        present[0] = present[0]._replace(draining=number % 3 == 1, full_at=1.0 if number % 3 == 2 else None)
        before = dict(homes.of)
        moved = homes.update(present)
        assert homes.of == {agent: home(agent, 5.0, present) for agent in AGENTS[:60]}
        assert moved == {a: (before[a], homes.of[a]) for a in before if before[a] != homes.of[a]}


def test_engines_have_one_poller() -> None:
    both = [row._replace(engines=("e1",)) for row in rows([("x", 1), ("y", 1)])]
    assert poller("e1", both) in ("x", "y")
    assert poller("e1", []) is None


def test_only_who_can_reach_an_engine_polls_it() -> None:
    x, y = rows([("x", 1), ("y", 1)])
    assert [poller("e1", [x, y._replace(engines=("e1", "e2"))]), poller("e3", [x, y])] == ["y", None]


def test_the_refuge_of_a_newcomer_is_a_hub_with_room() -> None:
    places = {name: ((f"{name}:1", f"{name}:2", f"{name}:3", name * 40),) for name in "abcd"}
    hubs = [LeaseRow(name, 1, addresses=places[name]) for name in "abcd"]
    hubs[1], hubs[2] = hubs[1]._replace(full_at=5.0), hubs[2]._replace(draining=True)
    assert [one.command for one in refuge("agent", "a", hubs)] == ["d:1"]
    assert refuge("agent", "d", hubs[1:]) == ()
