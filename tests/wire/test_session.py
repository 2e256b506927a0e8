"""The agent's session: registration, heartbeats, rosters, replay, goodbye, in virtual time."""

from __future__ import annotations

import pytest

from tests.support.conversation import Conversation, ModelHub, register, registered
from tests.support.facts import exit_record
from wire import limits
from wire.batches import sendable
from wire.codec import encode
from wire.messages import Ack, Beat, Facts, Goodbye, Heartbeat, Refused, Register, Registered, Roster
from wire.model import Fact, FactKind
from wire.session import AgentSession, Fetch, Now, Phase, Send, Wait


def kinds(talk: Conversation) -> list[str]:
    return [type(message).__name__ for message in talk.hub.seen]


def roster(number: int) -> Roster:
    return Roster("boot1", number, 0, 0.0, 0.0, (), (), (), ())


def test_it_registers_first_and_not_before_its_time() -> None:
    session = AgentSession(register(), first_at=101.0)
    assert session.next(Now(100.0, 0.0)) == Wait(101.0)
    order = session.next(Now(101.0, 7.0))
    assert isinstance(order, Send) and order.message == register(wall=7.0, mono=101.0)


def test_it_beats_once_a_period() -> None:
    talk = registered()
    talk.hub.seen.clear()
    talk.run(20.0)
    assert kinds(talk) == ["Heartbeat"] * 10


def test_a_heartbeat_tells_the_clocks_and_the_last_round_trip() -> None:
    talk = registered()
    talk.run(5.0)
    beat = talk.hub.seen[-1]
    assert isinstance(beat, Heartbeat) and beat.round_trip == pytest.approx(0.001)
    assert beat.wall - beat.mono == pytest.approx(1_700_000_000.0)


def test_an_unanswered_request_is_void_after_a_period() -> None:
    talk = registered()
    talk.fate = lambda: "request lost"
    talk.run(8.0)
    assert talk.session.silent == 3
    talk.fate = lambda: "ok"
    talk.run(2.0)
    assert talk.session.silent == 0


def test_without_a_connection_nothing_is_lost() -> None:
    talk = registered()
    talk.fate = lambda: "no connection"
    talk.happen(3)
    talk.run(5.0)
    talk.fate = lambda: "ok"
    talk.run(2.5)
    assert sorted(talk.hub.facts) == [1, 2, 3]


def test_a_hub_that_forgot_it_makes_it_register_at_once() -> None:
    talk = registered()
    talk.session.offer(roster(1))
    talk.happen(5)
    talk.run(1.0)
    talk.hub.forget()
    talk.run(2.1)
    assert kinds(talk)[-4:] == ["Heartbeat", "Register", "Roster", "Facts"]
    assert sorted(talk.hub.facts) == [1, 2, 3, 4, 5] and talk.hub.roster == 1


def test_the_roster_goes_once_and_again_where_it_changed_or_is_wanted() -> None:
    talk = registered()
    talk.session.offer(roster(1))
    talk.run(4.0)
    talk.session.offer(roster(2))
    talk.run(0.1)
    assert kinds(talk).count("Roster") == 2
    talk.hub.roster = None
    talk.run(2.1)
    assert kinds(talk).count("Roster") == 3


def test_an_earlier_roster_goes_behind_the_present_one_and_the_facts_and_once() -> None:
    talk = registered()
    talk.session.offer(roster(5))
    talk.session.recall(roster(3))
    talk.happen(2)
    talk.hub.seen.clear()
    talk.run(1.0)
    assert kinds(talk) == ["Roster", "Facts", "Roster"] and talk.hub.seen[-1] == roster(3)._replace(past=True)
    assert talk.session.has(roster(3)) and talk.session.has(roster(5)) and not talk.session.has(roster(4))
    talk.hub.forget()
    talk.run(2.1)
    assert not talk.session.has(roster(3)) and talk.session.has(roster(5)), "another hub has to be told again"


def test_facts_go_at_once_and_in_batches() -> None:
    talk = registered()
    talk.happen(100)
    talk.run(0.2)
    batches = [len(message.facts) for message in talk.hub.seen if isinstance(message, Facts)]
    assert batches == [32, 32, 32, 4] and talk.session.durable == 100


def test_replay_goes_on_while_the_store_lags_and_does_not_spin() -> None:
    talk = Conversation(ModelHub(store_lag=3))
    talk.run(0.5)
    talk.happen(64)
    talk.run(30.0)
    sent = [message for message in talk.hub.seen if isinstance(message, Facts)]
    assert talk.session.durable == 64 and len(sent) == 2


def test_a_store_that_does_not_get_on_is_told_again_ever_more_slowly() -> None:
    talk = registered()
    talk.hub.store = lambda message: None  # type: ignore[method-assign]
    talk.happen(1)
    talk.run(120.0)
    assert 3 <= kinds(talk).count("Facts") <= 7, "after 4, 8, 16, 32 and then each 64 s"


def test_what_a_store_refused_while_it_was_away_is_told_when_the_hub_asks_for_it() -> None:
    talk = registered()
    store, talk.hub.store = talk.hub.store, lambda message: None  # type: ignore[method-assign]
    talk.happen(40)
    talk.run(60.0)
    assert talk.session.patience > 4, "by itself it would wait for long"
    talk.hub.store, talk.hub.again = store, True  # type: ignore[method-assign]
    talk.run(2.5)
    assert talk.hub.durable() == 40, "with the next heartbeat"


def test_a_hub_that_asks_although_it_has_everything_is_told_nothing_twice() -> None:
    talk = registered()
    talk.happen(40)
    talk.hub.again = True
    talk.run(20.0)
    assert sum(len(message.facts) for message in talk.hub.seen if isinstance(message, Facts)) == 40


def test_new_facts_do_not_put_off_the_replay_of_one_that_was_not_stored() -> None:
    talk = registered()
    store, talk.hub.store = talk.hub.store, lambda message: None  # type: ignore[method-assign]
    talk.happen(1)
    talk.run(0.5)
    talk.hub.store = store  # type: ignore[method-assign]
    for _ in range(20):
        talk.happen(1)
        talk.run(1.0)
    assert talk.hub.durable() >= 20, "the first one was told again meanwhile"


def test_a_fallen_durable_number_makes_it_replay() -> None:
    talk = registered()
    talk.happen(50)
    talk.run(1.0)
    for seq in range(20, 51):
        del talk.hub.facts[seq]
    talk.run(2.5)
    assert sorted(talk.hub.facts) == list(range(1, 51))


def test_a_gap_at_pid_1_is_told_and_passed() -> None:
    talk = registered()
    talk.fate = lambda: "request lost"
    talk.happen(100, keep=10)
    talk.run(5.0)
    talk.fate = lambda: "ok"
    talk.run(3.0)
    assert sorted(talk.hub.facts) == list(range(91, 101)) and talk.session.durable == 100


def test_heartbeats_go_on_during_a_long_replay() -> None:
    talk = registered()
    talk.happen(4000)
    step = talk.carry

    def slow(order: Send) -> None:
        talk.mono += 0.1
        step(order)

    talk.carry = slow  # type: ignore[method-assign]
    talk.run(12.0)
    assert 5 <= kinds(talk).count("Heartbeat") <= 7 and kinds(talk).count("Facts") > 80


def test_a_refused_registration_is_tried_again_ever_more_slowly() -> None:
    session, times = AgentSession(register(), 0.0), []
    mono = 0.0
    while mono < 60.0:
        order = session.next(Now(mono, 0.0))
        if isinstance(order, Wait):
            mono = order.until
            continue
        times.append(mono)
        news = session.received(encode(Refused("", "unknown-key", "no such key")), Now(mono, 0.0))
        assert news.refused is not None and news.refused.code == "unknown-key"
    assert times == [0.0, 1.0, 3.0, 8.0, 18.0, 48.0]


def test_it_tells_everything_before_it_says_goodbye() -> None:
    talk = registered()
    talk.happen(40)
    talk.session.leave("TERM", talk.now)
    talk.run(1.0)
    assert talk.hub.gone == "TERM" and sorted(talk.hub.facts) == list(range(1, 41))
    assert talk.session.phase is Phase.LEFT


def test_goodbye_comes_in_time_though_the_hub_is_slow_to_take_facts() -> None:
    talk = registered()
    fates = iter(["request lost", "request lost", "ok", "ok"])
    talk.fate = lambda: next(fates, "ok")
    talk.happen(40)
    talk.session.leave("TERM", talk.now)
    talk.run(0.9)
    assert talk.hub.gone == "TERM"


def test_a_hanging_request_does_not_hold_up_the_goodbye() -> None:
    talk = registered()
    talk.run(1.4)
    talk.fate = lambda: "request lost"
    talk.run(0.2)
    assert talk.session.asked is not None
    talk.fate = lambda: "ok"
    talk.session.leave("TERM", talk.now)
    talk.run(0.9)
    assert talk.hub.gone == "TERM"


def test_who_never_registered_leaves_in_silence() -> None:
    session = AgentSession(register(), 0.0)
    session.leave("TERM", Now(0.0, 0.0))
    assert session.phase is Phase.LEFT and isinstance(session.next(Now(1.0, 0.0)), Wait)


def test_watching_quickens_the_samples() -> None:
    talk = registered()
    assert talk.session.pace == 5.0
    talk.hub.watch = True
    talk.run(2.0)
    assert talk.session.pace == 1.0


def test_the_quickest_answer_tells_the_hubs_clock() -> None:
    session = registered().session
    session.restart(0.0)
    assert session.hub_wall(5.0) is None, "another hub has another clock"
    for wall, mono in ((100.0, 10.5), (102.0, 12.1), (104.0, 23.0)):
        session.received(encode(Beat(0, wall, False, False, False, 1, ())), Now(mono, 0.0))
    assert session.hub_wall(23.0) == pytest.approx(102.0 + 23.0 - 12.1), "the last one lay in a buffer"


def test_epochs_only_rise() -> None:
    talk = registered()
    talk.hub.epoch = 7
    talk.run(2.0)
    assert talk.session.epoch == 7 and talk.news[-1].epoch == 7
    talk.hub.epoch = 3
    talk.run(2.0)
    assert talk.session.epoch == 7


@pytest.mark.parametrize("data", [b"", b"garbage", encode(Goodbye("b", "", 0))])
def test_what_is_no_answer_is_reported_and_harmless(data: bytes) -> None:
    talk = registered()
    assert talk.session.received(data, talk.now).garbage
    assert talk.session.phase is Phase.REGISTERED


def test_a_hub_cannot_call_facts_durable_that_never_happened() -> None:
    talk = registered()
    talk.session.received(encode(Ack(10**6)), talk.now)
    talk.happen(2)
    talk.run(1.0)
    assert sorted(talk.hub.facts) == [1, 2]


def test_a_fact_that_cannot_be_sent_becomes_a_note() -> None:
    monster = Fact(1, 1.0, 1.0, FactKind.NOTE, {"blob": "x" * limits.MESSAGE_BYTES})
    (note,) = sendable("b", [monster])
    assert note.seq == 1 and "could not be sent" in str(note.body)


def test_a_batch_of_large_facts_is_cut_by_bytes() -> None:
    huge = [exit_record(n, last_lines=("\U0001f600" * 2000,) * 10) for n in range(1, 9)]
    facts = sendable("b", huge)
    assert 1 <= len(facts) < 8 and len(encode(Facts("b", 1, facts))) <= limits.MESSAGE_BYTES


def test_facts_that_do_not_follow_are_ignored() -> None:
    talk = registered()
    talk.happen(10)
    talk.run(1.0)
    talk.session.bring(talk.journal[:3])
    assert talk.session.batch == ()


def test_a_new_hub_is_registered_with_from_the_start() -> None:
    talk = registered()
    talk.session.offer(roster(1))
    talk.run(1.0)
    talk.hub = ModelHub()
    talk.session.restart(talk.mono)
    talk.run(1.0)
    assert kinds(talk)[:2] == ["Register", "Roster"]
    assert isinstance(talk.hub.seen[0], Register) and talk.news[-2].registered.__class__ is Registered


def test_it_asks_for_what_it_was_not_given_once_a_period() -> None:
    session = AgentSession(register(), 0.0)
    session.next(Now(0.0, 0.0))
    session.received(encode(Registered("a", "h", 1, 2.0, 5.0, 0, 0.0, False, ())), Now(0.0, 0.0))
    session.noticed(1, 5, 0)
    assert session.next(Now(0.1, 0.0)) == Fetch(0, 128)
    session.bring([])
    assert session.next(Now(0.2, 0.0)) == Wait(2.0)
