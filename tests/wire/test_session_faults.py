"""The session over a network that loses, doubles, delays and reorders, and a hub that restarts: nothing is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.conversation import Conversation, ModelHub
from wire.messages import Roster
from wire.session import Phase

FATES = ["ok", "request lost", "answer lost", "doubled", "late", "no connection"]
STEPS = st.lists(st.sampled_from(["run", "facts", "burst", "forget", "roster", "fall", "restart"]), max_size=25)


def act(talk: Conversation, step: str, number: int) -> None:
    """One thing that happens to the agent or to the hub."""
    if step == "facts":
        talk.happen(3)
    elif step == "burst":
        talk.happen(70)
    elif step == "forget":
        talk.hub.forget()
    elif step == "roster":
        talk.session.offer(Roster("boot1", number, 0, 0.0, 0.0, (), (), (), ()))
    elif step == "fall":
        for seq in sorted(talk.hub.facts)[-5:]:
            del talk.hub.facts[seq]
    elif step == "restart":
        talk.session.restart(talk.mono)
    talk.run(1.3)


@settings(deadline=None)
@given(STEPS, st.data(), st.integers(0, 4))
def test_everything_arrives_once_the_network_is_well_again(steps: list[str], data: st.DataObject, lag: int) -> None:
    talk = Conversation(ModelHub(store_lag=lag), lambda: data.draw(st.sampled_from(FATES)))
    for number, step in enumerate(steps, 1):
        act(talk, step, number)
    talk.fate = lambda: "ok"
    talk.run(30.0)
    assert sorted(talk.hub.facts) == [fact.seq for fact in talk.journal]
    assert all(talk.hub.facts[fact.seq] == fact for fact in talk.journal)
    assert talk.session.phase is Phase.REGISTERED and talk.session.durable == len(talk.journal)
    assert talk.session.roster is None or talk.hub.roster == talk.session.roster.number


@settings(deadline=None)
@given(st.data(), st.integers(1, 60))
def test_a_full_ring_loses_the_oldest_only(data: st.DataObject, keep: int) -> None:
    talk = Conversation(ModelHub(), lambda: data.draw(st.sampled_from(FATES)))
    for _ in range(6):
        talk.happen(20, keep=keep)
        talk.run(1.7)
    talk.fate = lambda: "ok"
    talk.run(30.0)
    missing = set(range(1, 121)) - set(talk.hub.facts)
    assert not missing & {fact.seq for fact in talk.journal} and talk.session.durable == 120
