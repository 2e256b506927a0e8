"""What a target means, and when it is refused."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands.selectors import Candidate, Chosen, containers, processes
from hub.errors import Refusal

SHOP = Candidate("a1b2c3d4", "shop", ("a1b2c3d4", "f" * 64), "host-1", {"service": "shop"}, ("web", "job:a", "job:b"))
CACHE = Candidate("d4c3b2a1", "cache", ("d4c3b2a1",), "host-2", {"service": "cache"}, ("redis", "web"))
FLEET = [SHOP, CACHE]


def reached(*targets: str, among: list[Candidate] = FLEET) -> dict[str, tuple[str, ...]]:
    return {one.name: one.programs for one in processes(targets, among)}


def code(*targets: str, among: list[Candidate] = FLEET) -> str:
    with pytest.raises(Refusal) as refused:
        processes(targets, among)
    return refused.value.code


@pytest.mark.parametrize("agent", ["shop", "a1b2c3", "host-1", "ffffffff"])
def test_an_agent_is_named_by_name_id_hostname_or_container(agent: str) -> None:
    assert reached(f"{agent}/web") == {"shop": ("web",)}


@pytest.mark.parametrize(
    ("target", "programs"),
    [("web", ("web",)), ("job:a", ("job:a",)), ("a", ("job:a",)), ("job:*", ("job:a", "job:b")), ("*", SHOP.programs)],
)
def test_a_program_is_named_fully_barely_or_by_glob(target: str, programs: tuple[str, ...]) -> None:
    assert reached(f"shop/{target}") == {"shop": programs}


def test_globs_reach_many_agents_and_skip_those_without() -> None:
    assert reached("*/web") == {"shop": ("web",), "cache": ("web",)}
    assert reached("*/redis") == {"cache": ("redis",)}


def test_labels_reach_whoever_carries_them() -> None:
    assert reached("service=shop,program=job:*") == {"shop": ("job:a", "job:b")}
    assert reached("service=*") == {"shop": SHOP.programs, "cache": CACHE.programs}


def test_several_targets_are_merged_each_process_once() -> None:
    assert reached("shop/web", "*/web", "shop/a") == {"shop": ("web", "job:a"), "cache": ("web",)}


@pytest.mark.parametrize("target", ["shop", "/web", "shop/", "shop/\x1b[2J", "service=", "x" * 600, "="])
def test_a_target_without_meaning_is_refused_with_a_way_to_write_it(target: str) -> None:
    assert code(target) == "bad-target"


def test_nothing_given_needs_all() -> None:
    assert code() == "bad-target" and code("") == "bad-target"


def test_unknown_names_are_told_apart() -> None:
    assert code("nobody/web") == "unknown-agent" and code("shop/nothing") == "unknown-program"
    assert code("a1b2c/web") == "unknown-agent"  # a prefix of five characters is no id
    assert code("*/nothing") == "unknown-program"


def test_a_name_that_is_another_ones_hostname_is_ambiguous_and_both_are_shown() -> None:
    other = CACHE._replace(name="host-1")
    with pytest.raises(Refusal, match=r"name of host-1 \(d4c3b2a1\); hostname of shop \(a1b2c3d4\)"):
        processes(["host-1/web"], [SHOP, other])


def test_two_agents_of_one_name_are_ambiguous() -> None:
    assert code("shop/web", among=[SHOP, CACHE._replace(name="shop")]) == "ambiguous"
    assert code("shop/web", among=[SHOP, SHOP._replace(key="other")]) == "ambiguous"


def test_one_agent_meant_in_two_ways_is_not_ambiguous() -> None:
    assert reached("shop/web", among=[SHOP._replace(hostname="shop")]) == {"shop": ("web",)}


def test_a_bare_program_in_two_groups_is_ambiguous_and_a_full_name_is_not() -> None:
    twice = SHOP._replace(programs=("a:w", "b:w"))
    with pytest.raises(Refusal, match="a:w or b:w"):
        processes(["shop/w"], [twice])
    assert reached("shop/w", among=[SHOP._replace(programs=("w", "b:w"))]) == {"shop": ("w",)}


def test_containers_by_name_id_engine_glob_and_label() -> None:
    one = Candidate("1" * 64, "box", ("1" * 64,), "", {"service": "shop"}, (), "east")
    two = Candidate("2" * 64, "box", ("2" * 64,), "", {}, (), "west")
    for target in ("111111", "east/box", "service=shop"):
        assert containers([target], [one, two]) == (Chosen(one.key, "box", ()),)
    assert len(containers(["b*"], [one, two])) == 2
    with pytest.raises(Refusal, match=r"on east.*on west"):
        containers(["box"], [one, two])
    with pytest.raises(Refusal, match="no container is called"):
        containers(["nothing"], [one, two])


WORDS = st.text("ab*?[]:/=,-", min_size=1, max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=3))
def test_any_text_is_either_refused_or_reaches_what_exists(targets: list[str]) -> None:
    agents = [
        Candidate("k1", "ab", ("k1",), "h", {"a": "b"}, ("a", "b:a")),
        Candidate("k2", "b", ("k2",), "b", {}, ("a",)),
    ]
    try:
        found = processes(targets, agents)
    except Refusal as refusal:
        assert refusal.message
        return
    programs = {agent.key: set(agent.programs) for agent in agents}
    assert found and all(one.programs and set(one.programs) <= programs[one.key] for one in found)


@given(
    st.text("ab*?", min_size=1, max_size=5), st.lists(st.text("ab", min_size=1, max_size=4), unique=True, min_size=1)
)
def test_a_glob_reaches_exactly_what_it_matches(glob: str, names: list[str]) -> None:
    agent = Candidate("k", "x", ("k",), "h", {}, tuple(names))
    glob += "*"
    matching = tuple(name for name in names if fnmatchcase(name, glob))
    if matching:
        assert processes([f"x/{glob}"], [agent]) == (Chosen("k", "x", matching),)
    else:
        assert code(f"x/{glob}", among=[agent]) == "unknown-program"
