from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.topics.policy import Policy
from initd.control import MAY, OBSERVE, VERBS
from initd.replies import CODES, Carrier, Later, Reply, Stream
from tests.support.estate import give_back
from tests.support.programs import program
from tests.support.smallworld import ROOT, SmallWorld
from wire.limits import COMMAND_RESULTS


@pytest.fixture
def world():
    return SmallWorld().run_all()


def rows(result: object, key: str = "full_name") -> dict[str, dict[str, object]]:
    return {str(row[key]): row for row in result}  # type: ignore[attr-defined]


def test_status_shows_every_process_in_start_order(world):
    result = world.result("status")
    assert [row["full_name"] for row in result] == ["web", "pool:w_0", "pool:w_1"]
    assert rows(result)["web"]["state"] == "RUNNING" and rows(result)["pool:w_1"]["state"] == "STOPPED"


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["web"], ["web"]),
        ("web", ["web"]),
        (["pool:*"], ["pool:w_0", "pool:w_1"]),
        (["pool:w_1", "web", "web"], ["web", "pool:w_1"]),
        (["all"], ["web", "pool:w_0", "pool:w_1"]),
    ],
)
def test_names_mean_processes_groups_or_all(world, names, meant):
    assert [row["full_name"] for row in world.result("status", names=names)] == meant


def test_an_unknown_name_refuses_the_whole_request_and_changes_nothing(world):
    reply = world.ask("stop", names=["web", "nope", "pool:x"])
    assert reply.error.code == "unknown-program" and "nope, pool:x" in reply.error.message
    assert world.state() == "RUNNING"


def test_a_group_named_without_star_gets_the_right_hint(world):
    assert "pool:*" in world.ask("stop", names=["pool"]).error.hint


def test_control_hears_of_changes_only_while_a_command_is_open(world):
    assert not world.supervisor.news.settled
    world.ask("stop", names=["web"])
    assert world.supervisor.news.settled
    world.pass_time(1)
    assert world.state() == "STOPPED" and not world.supervisor.news.settled


def test_stop_without_wait_is_answered_at_once(world):
    result = world.result("stop", names=["web"])
    assert result["outcome"] == "accepted" and result["processes"][0]["state"] == "STOPPING"
    assert world.pass_time(0).state() == "STOPPED"


def test_stop_with_wait_is_answered_when_the_process_is_gone(world):
    later = world.ask("stop", names=["web"], wait=5)
    assert isinstance(later, Later) and later.reply is None
    world.pass_time(0)
    assert later.reply.id == 7 and later.reply.result["outcome"] == "done"


def test_a_wait_that_runs_out_says_so_and_the_wish_stands(world):
    world.kernel.stubborn.add(world.pid())
    later = world.ask("stop", names=["web", "pool:w_0"], wait=3)
    world.pass_time(3)
    assert later.reply.result["outcome"] == "partly"
    assert [row["outcome"] for row in later.reply.result["processes"]] == ["timeout", "done"]
    assert world.pass_time(10).state() == "STOPPED"


def test_the_deadline_to_expire_at_is_the_earliest_wait(world):
    world.kernel.stubborn |= {world.pid(), world.pid("pool:w_0")}
    assert world.control.deadline() is None
    world.ask("stop", names=["web"], wait=5)
    world.ask("stop", names=["pool:w_0"], wait=3)
    assert world.control.deadline() == world.loop.now() + 3


def test_start_is_reached_at_running(world):
    later = world.ask("start", names=["pool:w_1"], wait=5)
    assert later.reply is None
    assert world.pass_time(1.5) and later.reply.result["processes"][0]["state"] == "RUNNING"


def test_start_of_what_runs_is_done_already(world):
    assert world.result("start", names=["web"], wait=5)["outcome"] == "done"


def test_a_start_that_fails_for_good_is_told_with_its_reason(world):
    world.kernel.refuse = "/bin/web"
    later = world.ask("start", names=["pool:w_1"], wait=60)
    world.pass_time(30)
    row = later.reply.result["processes"][0]
    assert (row["outcome"], row["state"]) == ("failed", "FATAL") and "/bin/web" in row["message"]


def test_a_one_shot_program_is_started_once_it_has_exited_well():
    world = SmallWorld(program("job", autostart=False, autorestart="false", startsecs=0))
    later = world.ask("start", names=["job"], wait=5)
    world.kernel.die(world.pid("job"), 0)
    world.pass_time(0)
    assert later.reply.result["outcome"] == "done" and "expected" in later.reply.result["processes"][0]["message"]


def test_a_start_that_somebody_stops_has_failed(world):
    later = world.ask("start", names=["pool:w_1"], wait=5)
    world.result("stop", names=["pool:w_1"])
    world.pass_time(0)
    assert later.reply.result["processes"][0]["message"] == "was stopped meanwhile"


def test_a_stop_that_somebody_reverses_has_failed(world):
    world.kernel.stubborn.add(world.pid())
    later = world.ask("stop", names=["web"], wait=5)
    world.result("start", names=["web"])
    assert later.reply.result["processes"][0]["message"] == "was started again meanwhile"


def test_restart_is_reached_only_by_a_new_process(world):
    old = world.pid()
    later = world.ask("restart", names=["web"], wait=5)
    assert later.reply is None and world.pass_time(1.5).pid() != old
    assert later.reply.result["outcome"] == "done" and later.reply.result["processes"][0]["pid"] == world.pid()


def test_nobodys_wait_hears_of_a_command_that_result_can_tell(world):
    command = world.result("stop", names=["web"])["command"]
    assert world.result("result", command=command)["outcome"] == "accepted"
    world.pass_time(0)
    assert world.result("result", command=command)["outcome"] == "done"
    assert world.code("result", command="nope") == "unknown-command"


def test_the_exit_record_names_actor_and_command(world):
    command = world.result("restart", names=["web"])["command"]
    world.pass_time(0)
    [record] = world.result("exits")
    assert (record["body"]["by"], record["body"]["command"]) == ("uid=0", f"restart {command}")


def test_local_commands_are_forgotten_rather_than_refused(world):
    first = world.result("start", names=["web"])["command"]
    for _ in range(COMMAND_RESULTS):
        world.result("start", names=["web"])
    assert world.code("result", command=first) == "unknown-command"


def test_too_many_waits_are_refused(world):
    world.kernel.stubborn.add(world.pid())
    for _ in range(COMMAND_RESULTS):
        assert isinstance(world.ask("stop", names=["web"], wait=5), Later)
    assert world.code("stop", names=["web"], wait=5) == "busy"


@pytest.mark.parametrize("name", ["HUP", "sighup", "SIGHUP", 1, "1"])
def test_signals_by_name_or_number(world, name):
    assert world.result("signal", names=["web"], signal=name)["outcome"] == "done"
    assert world.kernel.signals == [(world.pid(), 1)]


@pytest.mark.parametrize("name", ["NOPE", 0, 65, "-1", True, 1.5, "", "SIGSIGHUP", "٣"])
def test_what_is_no_signal_is_refused(world, name):
    assert world.code("signal", names=["web"], signal=name) == "bad-argument"
    assert world.kernel.signals == []


def test_a_signal_to_nobody_is_refused(world):
    assert world.code("signal", names=["pool:w_1"], signal="HUP") == "not-running"
    assert world.result("signal", names=["pool:*"], signal="HUP")["outcome"] == "partly"


def test_tail_gives_the_end_of_the_output(world):
    os.write(world.kernel.alive[world.pid()], b"one\ntwo\xff\n")
    world.loop.settle()
    assert world.result("tail", name="web")["text"] == "one\ntwo\\xff\n"
    assert world.result("tail", name="web", bytes=4)["text"] == "wo\\xff\n"
    last = world.result("tail", name="web", bytes=4)
    assert (last["bytes"], last["end"]) == (4, 9), "how much of how much it is"
    assert world.result("tail", name="web", stream="stderr")["text"] == ""
    assert world.code("tail", name="pool:*") == "unknown-program"


def test_a_followed_tail_joins_characters_cut_in_two(world):
    stream, heard = world.ask("tail", name="web", follow=True), []
    assert isinstance(stream, Stream)
    end = stream.attach(heard.append)
    for part in ("ü".encode()[:1], "ü".encode()[1:] + b"!"):
        os.write(world.kernel.alive[world.pid()], part)
        world.loop.settle()
    end()
    assert heard == [{"text": ""}, {"text": "ü!"}]


def test_events_are_the_newest_or_those_after_a_number(world):
    numbers = [row["seq"] for row in world.result("events", limit=2)]
    assert numbers == [world.journal.last - 1, world.journal.last]
    assert [row["seq"] for row in world.result("events", after=0, limit=3)] == [1, 2, 3]
    assert {row["body"]["name"] for row in world.result("events", names=["pool:*"])} == {"w_0"}
    assert world.code("events", names=["nope"]) == "unknown-program"


def test_followed_events_go_on_with_what_comes(world):
    stream, heard = world.ask("events", names=["web"], follow=True, limit=1), []
    end = stream.attach(heard.append)
    world.result("stop", names=["all"])
    world.pass_time(0)
    end()
    world.result("start", names=["web"])
    assert [(row["kind"], row["body"]["name"]) for row in heard] == [
        ("state", "web"),
        ("exit", "web"),
        ("state", "web"),
    ]
    assert len(stream.items) == 1


def test_healthy_follows_the_rule(world):
    assert world.result("healthy")["healthy"] is True
    world.kernel.die(world.pid(), 1)
    world.pass_time(0)
    assert world.result("healthy") == {
        "healthy": False,
        "state": "running",
        "ill": [{"name": "web", "state": "STARTING", "why": ""}],
    }


def test_a_one_shot_program_that_has_done_its_work_is_healthy():
    world = SmallWorld(program("job", autorestart="false", startsecs=0)).run_all()
    world.kernel.die(world.pid("job"), 0)
    assert world.pass_time(0).result("healthy")["healthy"] is True


def test_a_one_shot_program_that_failed_is_not_healthy():
    world = SmallWorld(program("job", autorestart="false", startsecs=0)).run_all()
    world.kernel.die(world.pid("job"), 3)
    assert world.pass_time(0).result("healthy")["healthy"] is False


def test_a_failing_liveness_probe_is_not_healthy(world):
    world.supervisor.processes["web"].ailing = "tcp: refused"
    assert world.result("healthy")["ill"] == [{"name": "web", "state": "RUNNING", "why": "tcp: refused"}]


@pytest.mark.parametrize(("essential", "healthy"), [(True, True), (False, False)])
def test_only_essential_programs_count_where_that_is_asked(essential, healthy):
    policy = Policy(True, "shutdown", "shutdown")
    world = SmallWorld(program("web", policy=policy), program("job")).run_all()
    world.kernel.die(world.pid("job"), 1)
    world.pass_time(0)
    assert world.result("healthy", essential=essential)["healthy"] is healthy


def test_shutdown_stops_everything(world):
    world.kernel.stubborn.add(world.pid())
    assert world.result("shutdown")["outcome"] == "done"
    assert world.state() == "STOPPING" and world.code("start", names=["web"]) == "shutting-down"
    assert world.result("healthy")["healthy"] is False


def test_about_counts(world):
    about = world.result("about")
    assert about["boot"] == world.supervisor.boot and about["processes"] == 3 and about["version"] == "1"
    assert about["facts"]["last"] == world.journal.last


def test_who_may_only_look_cannot_change(world):
    carrier = Carrier("uid=1000", MAY[OBSERVE])
    for verb, entry in VERBS.items():
        reply = world.ask(verb, carrier)
        forbidden = isinstance(reply, Reply) and reply.error is not None and reply.error.code == "forbidden"
        assert forbidden == (entry.role != OBSERVE)


@pytest.mark.parametrize("verb", ["command", "link.hello", "link.keep", "facts", "ack", "census", "subscribe"])
def test_links_verbs_are_for_link_only(world, verb):
    assert world.code(verb) == "forbidden"


@pytest.mark.parametrize(
    "request_",
    [None, [], "status", 5, {}, {"verb": 5}, {"verb": "status", "args": []}, {"verb": "status", "args": {"x": 1}},
     {"verb": "stop"}, {"verb": "stop", "args": {"names": []}},
     {"verb": "stop", "args": {"names": ["web"], "wait": -1}},
     {"verb": "stop", "args": {"names": ["web"], "wait": "5"}}, {"verb": "status", "args": {"names": [["web"]]}},
     {"verb": "events", "args": {"limit": 10**9}}, {"verb": "tail", "args": {"name": "web", "stream": "both"}}],
)  # fmt: skip
def test_bad_requests_are_refused(world, request_):
    reply = world.control.handle(request_, ROOT, 0.0)
    assert reply.error.code == "bad-argument" and reply.error.message


def test_an_unknown_verb_lists_the_known_ones(world):
    reply = world.ask("frobnicate")
    assert reply.error.code == "unknown-verb" and "restart" in reply.error.hint


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
known_words = st.sampled_from(["id", "verb", "args", "names", "wait", "signal", "name", "follow", "after", "limit"])
requests = st.fixed_dictionaries(
    {"verb": st.sampled_from([*VERBS, "command", "x"])},
    optional={"id": json_values, "args": st.dictionaries(known_words, json_values | st.just("web"), max_size=4)},
)


@given(json_values | requests)
def test_whatever_is_asked_is_answered_in_json(request_):
    world = SmallWorld()
    answer = world.control.handle(request_, ROOT, world.loop.now())
    if isinstance(answer, Reply):
        message = json.loads(json.dumps(answer.message()))
        assert message["ok"] or message["error"]["code"] in CODES
    else:
        assert isinstance(answer, (Later, Stream))
    give_back()
