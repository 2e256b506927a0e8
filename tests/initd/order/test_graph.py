"""Who waits for whom: names, circles, and the order of a stop, held against brute force."""

from __future__ import annotations

from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from initd.config.topics.order import Order
from initd.order.graph import Graph, cycle, dependents, distance, ranks
from initd.plan import stop_levels
from tests.support.programs import program

NAMES = "abcdef"


def waiting(name: str, *needs: tuple[str, str], **options: object) -> object:
    return program(name, order=Order(needs, "ignore"), **options)


def members(programs: list[object]) -> list[list[str]]:
    return [[name for _, name in level.members] for level in stop_levels(programs)]  # type: ignore[arg-type]


edges = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=10)


def needs_of(pairs: list[tuple[str, str]]) -> dict[str, tuple[tuple[str, str], ...]]:
    return {name: tuple((other, "ready") for one, other in pairs if one == name) for name, _ in pairs}


def test_a_name_means_every_process_of_a_program() -> None:
    pool = [program(f"w_{i}", group="w", program="w") for i in range(3)]
    assert Graph([*pool, waiting("a", ("w", "ready"))]).needs["a"] == tuple((f"w:w_{i}", "ready") for i in range(3))


def test_a_process_and_a_group_can_be_named() -> None:
    pool = [program("x", group="g"), program("y", group="g")]
    needs = Graph([*pool, waiting("a", ("g:x", "done")), waiting("b", ("g:*", "started"))]).needs
    assert needs == {"a": (("g:x", "done"),), "b": (("g:x", "started"), ("g:y", "started"))}


def test_a_member_may_wait_for_the_rest_of_its_group() -> None:
    assert Graph([program("x", group="g"), waiting("y", ("g:*", "ready"), group="g")]).needs == {
        "g:y": (("g:x", "ready"),)
    }


def test_a_program_that_waits_for_itself_is_a_circle() -> None:
    assert cycle(Graph([waiting("a", ("a", "ready"))]).needs) == ("a", "a")


def test_unknown_names_are_told_with_the_nearest() -> None:
    graph = Graph([program("database"), waiting("a", ("databse", "ready"), ("zzz", "ready"))])
    assert [name for _, name in graph.unknown] == ["databse", "zzz"]
    assert graph.nearest("databse") == "database"
    assert graph.nearest("zzzzzz") == ""


@given(edges)
def test_a_circle_is_found_if_there_is_one(pairs: list[tuple[str, str]]) -> None:
    needs = needs_of(pairs)
    possible = any(all(order.index(b) < order.index(a) for a, b in pairs) for order in permutations(NAMES))
    circle = cycle(needs)
    assert bool(circle) is not possible
    assert all(any(other == two for other, _ in needs[one]) for one, two in pairwise(circle))


@given(edges, st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3)))
def test_dependents_always_stop_first(pairs: list[tuple[str, str]], given_places: dict[str, int]) -> None:
    needs = needs_of(pairs)
    if cycle(needs):
        return
    own = {name: given_places.get(name, 0) for name in NAMES}
    found = ranks(own, needs)
    assert all(found[one] < found[other] for one, other in pairs)
    free = set(NAMES) - {other for _, other in pairs}
    assert all(found[name] == (own[name], 0) for name in free)


def test_dependents_are_the_graph_turned_round() -> None:
    assert dependents({"a": (("b", "ready"), ("c", "done")), "d": (("b", "ready"),)}) == {"b": ("a", "d"), "c": ("a",)}


@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_distance_is_a_metric(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) is (one == other)
    assert distance(one, other) <= max(len(one), len(other))


def test_a_level_is_divided_by_dependencies() -> None:
    programs = [program("db"), waiting("app", ("db", "ready")), waiting("web", ("app", "ready")), program("log")]
    assert members(programs) == [["log", "web"], ["app"], ["db"]]


def test_a_dependency_of_higher_priority_stops_behind_its_dependent() -> None:
    programs = [program("db", group_priority=900), waiting("web", ("db", "ready"), group_priority=10)]
    assert members(programs) == [["web"], ["db"]]


def test_a_long_chain_is_no_recursion() -> None:
    chain = [program("p0"), *(waiting(f"p{i}", (f"p{i - 1}", "ready")) for i in range(1, 3000))]
    assert cycle(Graph(chain).needs) == ()
    assert members(chain)[0] == ["p2999"]
