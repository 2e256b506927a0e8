"""Whose container a claim names: believed only with two witnesses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.discovery.identity import EMPTY, START_SECONDS, Claim, Listed, Picture, join

BOXES = ["", "c1", "c2"]
TIMES = st.sampled_from([0.0, 1.0, 1.9, 2.1, 100.0])
CLAIMS = st.lists(
    st.builds(Claim, st.sampled_from("abcdef"), st.sampled_from(BOXES), TIMES, st.booleans()),
    unique_by=lambda claim: claim.agent,
)
LISTED = st.dictionaries(
    st.sampled_from(BOXES[1:]),
    st.builds(Listed, st.just(""), st.just("e"), st.booleans(), st.one_of(st.none(), TIMES)),
)


def box(name: str = "c1", running: bool = True, at: float | None = 0.0) -> dict[str, Listed]:
    return {name: Listed(name, "e1", running, at)}


@given(CLAIMS, LISTED)
def test_nobody_holds_what_no_engine_lists_running_or_started_elsewhen(
    claims: list[Claim], listed: dict[str, Listed]
) -> None:
    picture = join(claims, listed)
    for claim in claims:
        container = listed.get(picture.container_of.get(claim.agent, ""))
        if container is not None:
            assert container.running and container.started_at is not None
            assert abs(container.started_at - claim.started_at) <= START_SECONDS
        assert (claim.agent in picture.container_of) != (claim.agent in picture.doubts)


@given(CLAIMS, LISTED)
def test_a_container_has_one_live_agent_and_every_live_holder_is_alive(
    claims: list[Claim], listed: dict[str, Listed]
) -> None:
    picture = join(claims, listed)
    live = {claim.agent for claim in claims if claim.live}
    assert set(picture.agent_of.values()) <= live
    assert all(picture.container_of[agent] == container for container, agent in picture.agent_of.items())
    assert not set(picture.silent) & set(picture.agent_of)


@given(CLAIMS, LISTED)
def test_a_holder_keeps_its_container_against_later_claims(claims: list[Claim], listed: dict[str, Listed]) -> None:
    before = join(claims[:1], listed)
    after = join(claims, listed, before)
    for container, agent in before.agent_of.items():
        assert after.agent_of[container] == agent


def test_each_doubt_has_its_words() -> None:
    claims = [Claim("a", "", 0.0, True), Claim("b", "c9", 0.0, True), Claim("c", "c1", 9.0, True)]
    doubts = join(claims, box()).doubts
    assert doubts["a"] == "it found no container id" and doubts["b"] == "no engine lists its container"
    assert doubts["c"] == "its start differs from the container's"
    assert join([Claim("a", "c1", 0.0, True)], box(running=False)).doubts["a"] == "its container is not running"


def test_running_but_silent_is_noticed() -> None:
    assert join([Claim("a", "c1", 0.0, False)], box()) == Picture({"a": "c1"}, {}, {}, {"c1": "a"})


def test_the_second_claim_learns_who_holds_it() -> None:
    first = join([Claim("z", "c1", 0.0, True)], box(), EMPTY)
    picture = join([Claim("a", "c1", 0.0, True), Claim("z", "c1", 0.0, True)], box(), first)
    assert picture.doubts == {"a": "agent z holds the container"}
