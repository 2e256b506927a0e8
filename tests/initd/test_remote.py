from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.remote import _take, _was_taken
from initd.replies import Later, Reply
from tests.support.programs import program
from tests.support.smallworld import SmallWorld
from wire.limits import COMMAND_GRACE_SECONDS, COMMAND_RESULTS, KEEP_BYTES, KEEP_KEYS, NONCE_WINDOW


@pytest.fixture
def world():
    return SmallWorld().run_all()


def link(world: SmallWorld, verb: str, /, **args: object) -> Reply:
    answer = world.ask(verb, world.remote.carrier, **args)
    assert isinstance(answer, Reply)
    return answer


def code(answer: object) -> str:
    assert isinstance(answer, Reply) and answer.error is not None, answer
    return answer.error.code


def test_what_link_gives_to_keep_is_handed_to_the_next_link(world):
    link(world, "link.keep", key="keypair", value="secret")
    link(world, "link.keep", key="agent", value="a1")
    link(world, "link.keep", key="agent", value=None)
    hello = link(world, "link.hello").result
    assert hello["kept"] == {"keypair": "secret"} and hello["boot"] == world.supervisor.boot


def test_what_is_kept_is_bounded(world):
    assert code(link(world, "link.keep", key="k", value="ü" * KEEP_BYTES)) == "bad-argument"
    for number in range(KEEP_KEYS):
        assert link(world, "link.keep", key=f"k{number}", value="x").error is None
    assert code(link(world, "link.keep", key="more", value="x")) == "bad-argument"
    assert link(world, "link.keep", key="k0", value="y").error is None


def test_facts_are_replayed_until_acknowledged(world):
    result = link(world, "facts", after=1, limit=2).result
    assert [fact["seq"] for fact in result["facts"]] == [2, 3] and result["last"] == world.journal.last
    assert link(world, "ack", seq=2).result["durable"] == 2 and world.journal.durable == 2


def test_subscribed_facts_are_pushed(world):
    heard = []
    end = world.ask("subscribe", world.remote.carrier, facts=True).attach(heard.append)
    world.command("c1", "stop", names=["web"])
    end()
    assert heard[0]["body"]["by"] == "hub:alice"


def test_the_census_tells_processes_apart(world):
    row = link(world, "census").result[0]
    assert row["name"] == "web" and row["start_ticks"] == world.pid() * 10 and "why" not in row


def test_a_command_is_answered_when_its_wish_is_reached(world):
    later = world.command("c1", "restart", names=["web"])
    assert isinstance(later, Later) and later.reply is None
    world.pass_time(1.5)
    assert later.reply.result["outcome"] == "done" and later.reply.result["command"] == "c1"


def test_a_repeated_id_is_not_executed_again_but_gets_the_stored_result(world):
    first = world.command("c1", "restart", names=["web"])
    pid = world.pass_time(1.5).pid()
    second = world.command("c1", "restart", names=["web"])
    assert isinstance(second, Reply) and second.result == first.reply.result
    assert world.pass_time(5).pid() == pid


def test_a_repetition_during_the_execution_joins_the_wait(world):
    first = world.command("c1", "restart", names=["web"])
    second = world.command("c1", "restart", names=["web"])
    spawned = world.pass_time(1.5).pid()
    assert first.reply.result == second.reply.result and spawned == world.pid()
    assert len(list(world.result("exits"))) == 1


def test_the_result_is_stored_although_nobody_hears_it(world):
    """link is killed between execution and result: its connection is gone, the wait is not."""
    world.command("c1", "stop", names=["web"])
    world.pass_time(2)
    assert world.command("c1", "stop", names=["web"]).result["outcome"] == "done"


@pytest.mark.parametrize("verb", ["signal", "shutdown"])
def test_commands_without_a_wish_are_not_repeated_either(world, verb):
    args = {"names": ["web"], "signal": "HUP"} if verb == "signal" else {}
    first, second = (world.command("c1", verb, **args) for _ in range(2))
    assert first == second and first.result["outcome"] == "done"
    assert world.kernel.signals.count((101, 1)) == (verb == "signal")


def test_a_refused_signal_is_stored_too(world):
    first = world.command("c1", "signal", names=["pool:w_1"], signal="HUP")
    world.result("start", names=["pool:w_1"])
    assert code(first) == code(world.command("c1", "signal", names=["pool:w_1"], signal="HUP")) == "not-running"
    assert world.kernel.signals == []


def test_an_id_is_remembered_beyond_its_deadline_and_then_forgotten(world):
    world.command("c1", "stop", deadline=5.0, names=["web"])
    world.pass_time(5 + COMMAND_GRACE_SECONDS - 1)
    assert world.command("c1", "stop", deadline=0.0, names=["web"]).result["outcome"] == "done"
    world.pass_time(2)
    assert code(world.command("c1", "stop", deadline=0.0, names=["web"])) == "expired"


def test_an_id_cannot_be_used_for_another_verb(world):
    world.command("c1", "stop", names=["web"])
    assert code(world.command("c1", "start", names=["web"])) == "bad-argument"


def fill(world: SmallWorld) -> None:
    """As many commands as may be under way: the process does not stop."""
    world.kernel.stubborn.add(world.pid())
    for number in range(COMMAND_RESULTS):
        assert isinstance(world.command(f"c{number}", "stop", names=["web"]), Later)


def test_when_all_places_are_taken_new_commands_are_refused_and_people_are_not(world):
    fill(world)
    assert code(world.command("more", "start", names=["web"])) == "busy"
    assert world.result("signal", names=["web"], signal="HUP")["outcome"] == "done"
    assert isinstance(world.command("c0", "stop", names=["web"]), Later)


def test_a_thousand_restarts_one_after_the_other_meet_no_refusal():
    world = SmallWorld(program("web", startsecs=0)).run_all()
    pids = {world.pid()}
    for number in range(4 * COMMAND_RESULTS):
        answer = world.command(f"c{number}", "restart", names=["web"], nonce=number + 1)
        pids.add(world.pass_time(0.01).pid())
        assert isinstance(answer, Later) and answer.reply is not None
        assert answer.reply.error is None and answer.reply.result["outcome"] == "done", number
    assert len(pids) == 4 * COMMAND_RESULTS + 1


def test_none_of_them_is_executed_again_whoever_sends_it_and_each_outcome_is_known(world):
    for number in range(2 * COMMAND_RESULTS):
        world.command(f"c{number}", "signal", names=["web"], signal="HUP", nonce=number + 1)
    before = len(world.kernel.signals)
    for number in range(2 * COMMAND_RESULTS):
        again = world.command(f"c{number}", "signal", names=["web"], signal="HUP", epoch=9, nonce=number + 1)
        assert (again.result["command"], again.result["outcome"]) == (f"c{number}", "done")
    assert len(world.kernel.signals) == before == 2 * COMMAND_RESULTS
    assert code(world.command("c0", "stop", names=["web"], epoch=9)) == "bad-argument"


def test_a_refusal_is_remembered_as_long(world):
    for number in range(COMMAND_RESULTS + 1):
        world.command(f"c{number}", "signal", names=["pool:w_1"], signal="HUP")
    world.result("start", names=["pool:w_1"])
    assert code(world.command("c0", "signal", names=["pool:w_1"], signal="HUP")) == "not-running"


def test_the_outcomes_are_forgotten_when_they_expire(world):
    for number in range(COMMAND_RESULTS + 3):
        world.command(f"c{number}", "signal", deadline=3600.0 if number == 0 else 5.0, names=["web"], signal="HUP")
    world.pass_time(5 + COMMAND_GRACE_SECONDS + 1)
    assert code(world.command("c1", "stop", deadline=0.0, names=["web"])) == "expired"
    assert world.command("c0", "signal", deadline=0.0, names=["web"], signal="HUP").result["outcome"] == "done"


def test_what_was_forgotten_is_not_executed_again(world):
    world.command("c1", "stop", deadline=5.0, names=["web"], nonce=1)
    world.pass_time(5 + COMMAND_GRACE_SECONDS + 1)
    assert code(world.command("c1", "stop", names=["web"], nonce=1)) == "replayed"
    assert isinstance(world.command("c1", "stop", epoch=2, names=["web"], nonce=1), Reply)


def test_a_command_may_be_overtaken(world):
    for nonce in (5, 3, 4, 1, 2 + NONCE_WINDOW):
        assert world.command(f"c{nonce}", "start", names=["web"], nonce=nonce).error is None
    assert code(world.command("new", "start", names=["web"], nonce=4)) == "replayed"
    assert code(world.command("old", "start", names=["web"], nonce=2)) == "replayed"
    assert world.command("c1", "start", names=["web"], nonce=1).result["outcome"] == "done", "known by its id"


@given(st.lists(st.integers(1, 3 * NONCE_WINDOW), max_size=40))
def test_no_number_is_executed_twice(nonces):
    remote, executed = SimpleNamespace(nonce=0, taken=0), []
    for nonce in nonces:
        if not _was_taken(remote, nonce):
            executed.append(nonce)
            _take(remote, nonce)
    assert len(executed) == len(set(executed)) and set(nonces[:1]) <= set(executed)
    assert remote.taken < 1 << NONCE_WINDOW


def test_a_refused_number_may_come_again_but_a_failed_one_not(world):
    fill(world)
    assert code(world.command("more", "start", names=["web"], nonce=7)) == "busy"
    assert code(world.command("more", "start", names=["web"], nonce=7)) == "busy"


def test_looking_twice_is_no_replay(world):
    assert [world.command("look", "status", nonce=3).error for _ in range(2)] == [None, None]


def test_a_lower_epoch_is_refused_even_for_a_known_id(world):
    world.command("c1", "stop", epoch=5, names=["web"])
    assert code(world.command("c2", "start", epoch=4, names=["web"])) == "old-epoch"
    assert code(world.command("c1", "stop", epoch=4, names=["web"])) == "old-epoch"
    assert link(world, "link.hello").result["epoch"] == 5


def test_remote_observe_forbids_commands_and_allows_looks(world):
    world.remote_may = "observe"
    assert code(world.command("c1", "stop", names=["web"])) == "forbidden"
    assert world.state() == "RUNNING" and len(world.command("c2", "status").result) == 3
    world.remote_may = "operate"
    assert isinstance(world.command("c1", "stop", names=["web"]), Later)


def test_link_itself_cannot_command_in_its_own_name(world):
    assert code(link(world, "stop", names=["web"])) == "forbidden"
    assert code(link(world, "command", id="c", verb="stop")) == "bad-argument"


@pytest.mark.parametrize("verb", ["command", "link.keep", "facts", "nope"])
def test_only_verbs_of_the_table_can_be_commanded(world, verb):
    assert code(world.command("c1", verb)) == "unknown-verb"


def test_a_command_cannot_follow(world):
    assert code(world.command("c1", "tail", name="web", follow=True)) == "bad-argument"
