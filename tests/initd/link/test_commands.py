"""Commands: what the hub hears of them, and that a script never waits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from initd.link.commands import DELIVERED_SECONDS, HubCommands, ScriptCommands, open_scripts, progress, script_endpoint
from initd.link.loop import Loop
from initd.link.pid1 import Answer as Told
from initd.timers import Timers
from tests.support.sayspid1 import Refusal, SaysPid1
from wire import limits
from wire.codec import decode, encode
from wire.messages import Ack, Answer, Command, Message, Progress, Query, Refused
from wire.model import CommandState

DONE = {"command": "c1", "verb": "restart", "outcome": "done", "processes": []}
ROW = {"name": "web", "outcome": "failed", "state": "FATAL", "pid": None, "message": "exited too quickly"}


@pytest.mark.parametrize(
    ("told", "state", "word"),
    [
        (Told(DONE, None), CommandState.DONE, ""),
        (Told({"text": "tail"}, None), CommandState.DONE, ""),
        (Told([1, 2], None), CommandState.DONE, ""),
        (Told({**DONE, "outcome": "failed", "processes": [ROW]}, None), CommandState.FAILED, "web is FATAL exited too"),
        (Told({**DONE, "outcome": "timeout"}, None), CommandState.FAILED, "timeout"),
        (Told({**DONE, "outcome": "partly", "processes": [ROW]}, None), CommandState.FAILED, "web is FATAL"),
        (Told({**DONE, "outcome": "accepted"}, None), CommandState.DELIVERED, ""),
        (Told(None, {"code": "forbidden", "message": "no", "hint": ""}), CommandState.FAILED, "no"),
        (Told(None, {"code": "expired", "message": "late", "hint": ""}), CommandState.EXPIRED, "late"),
    ],
)
def test_outcomes_become_states(told: Told, state: CommandState, word: str) -> None:
    report = progress("c1", told, 5.0)
    assert report.state is state and word in (report.error or {}).get("message", "")
    assert isinstance(decode(encode(report)), Progress)


class Hub:
    """The hub's side of HubCommands, without a socket."""

    def __init__(self, pid1: SaysPid1) -> None:
        self.pid1, self.heard, self.wall, self.timers = pid1, list[Any](), 0.0, Timers()
        hear, later = lambda data: self.heard.append(decode(data)), self.timers.at  # its clock stands at 0
        self.commands = HubCommands(pid1.link, hear, later, lambda: self.wall or None)

    def wait(self, until: float) -> None:
        """It is so late now."""
        while (callback := self.timers.pop_due(until)) is not None:
            callback()

    def send(self, message: Message) -> None:
        self.commands.take(encode(message))
        self.pid1.answer()
        self.pid1.link.pump()


def command(id: str = "c1", verb: str = "restart", **args: Any) -> Command:
    return Command(id, verb, args, 30.0, "hub:alice", 7)


def test_a_command_that_takes_long_is_delivered_then_done(pid1: SaysPid1) -> None:
    hub = Hub(pid1)
    hub.send(command(names=["web"]))
    hub.wait(DELIVERED_SECONDS - 0.001)
    assert hub.heard == []
    hub.wait(DELIVERED_SECONDS)
    assert [report.state for report in hub.heard] == [CommandState.DELIVERED]
    pid1.settle(DONE)
    pid1.link.pump()
    assert hub.heard[1]._replace(at=0.0) == Progress("c1", CommandState.DONE, DONE | {"processes": ()}, None, 0.0)


def test_a_command_that_ends_at_once_takes_one_message(pid1: SaysPid1) -> None:
    hub = Hub(pid1)
    hub.send(command(names=["web"]))
    pid1.settle(DONE)
    pid1.link.pump()
    hub.wait(10 * DELIVERED_SECONDS)
    assert [report.state for report in hub.heard] == [CommandState.DONE]


@pytest.mark.parametrize(("wall", "left"), [(0.0, 30.0), (980.0, 20.0), (960.0, 30.0), (1009.0, 0.0)])
def test_a_command_that_lay_in_a_buffer_has_less_time(pid1: SaysPid1, wall: float, left: float) -> None:
    hub = Hub(pid1)
    hub.wall = wall
    hub.send(command(names=["web"])._replace(until=1000.0))
    assert pid1.asked[-1][1]["deadline"] == left


def test_pid_1_is_told_who_asked_and_for_which_hub(pid1: SaysPid1) -> None:
    Hub(pid1).send(command(names=["web"]))
    asked = {"id": "c1", "verb": "restart", "args": {"names": ["web"]}, "deadline": 30.0}
    assert pid1.asked == [("command", asked | {"actor": "hub:alice", "epoch": 7})]


def test_a_refusal_of_pid_1_reaches_the_hub(pid1: SaysPid1) -> None:
    def refuse(args: Any) -> Any:
        raise Refusal("old-epoch")

    pid1.operations["command"] = refuse
    hub = Hub(pid1)
    hub.send(command())
    assert hub.heard[-1].state is CommandState.FAILED and hub.heard[-1].error["code"] == "old-epoch"


def test_arguments_that_are_no_json_are_refused(pid1: SaysPid1) -> None:
    hub = Hub(pid1)
    hub.send(command(names=[b"\xff"]))
    assert hub.heard[-1].error["code"] == "bad-argument" and pid1.asked == []


def test_a_result_that_is_too_large_is_told_as_such(pid1: SaysPid1) -> None:
    hub = Hub(pid1)
    hub.send(command(verb="tail"))
    pid1.settle({"text": "x" * (limits.MESSAGE_BYTES + 1)})
    pid1.link.pump()
    assert hub.heard[-1].error["code"] == "too-large"


@pytest.mark.parametrize("data", [b"", b"garbage", encode(Ack(1))])
def test_anything_but_a_command_is_ignored(pid1: SaysPid1, data: bytes) -> None:
    hub = Hub(pid1)
    hub.commands.take(data)
    assert hub.heard == [] and pid1.asked == []


@pytest.fixture
def script(loop: Loop, context: Any, pid1: SaysPid1, tmp_path: Path, turning: Any) -> Iterator[Any]:
    """script(op, **args): what a script inside the container is answered, and how long that took."""
    pid1.serve(loop)
    ScriptCommands(loop, pid1.link, open_scripts(context, f"ipc://{tmp_path}/command"), lambda: 7)
    socket = context.socket(zmq.REQ)
    socket.connect(f"ipc://{tmp_path}/command")

    def ask(op: Any, **args: Any) -> tuple[Any, float]:
        began = time.monotonic()
        socket.send(op if isinstance(op, bytes) else encode(Query("q1", op, args)))
        turning(lambda: socket.poll(0))
        return decode(socket.recv()), time.monotonic() - began

    yield ask
    socket.close(0)


def test_a_look_is_answered_with_its_result(script: Any, pid1: SaysPid1) -> None:
    pid1.operations["status"] = lambda args: [{"name": "web"}]
    assert script("status")[0] == Answer("q1", {"id": "q1", "state": "done", "result": ({"name": "web"},)})
    assert pid1.asked == [("status", {})]


def test_a_change_is_a_command_under_the_querys_id(script: Any, pid1: SaysPid1) -> None:
    pid1.operations["command"] = lambda args: {**DONE, "outcome": "accepted"}
    reply, _ = script("restart", names=["web"])
    assert reply.result["state"] == "accepted"
    asked = pid1.asked[0][1]
    assert (asked["id"], asked["actor"], asked["epoch"], asked["args"]["wait"]) == ("q1", "script", 7, 0)


def test_only_verbs_that_wait_are_given_a_wait(script: Any, pid1: SaysPid1) -> None:
    pid1.operations["command"] = lambda args: DONE
    script("signal", names=["web"], signal="HUP")
    assert "wait" not in pid1.asked[0][1]["args"]


def test_a_slow_command_does_not_hold_the_script(script: Any, pid1: SaysPid1) -> None:
    reply, took = script("stop", names=["web"], wait=10)
    assert reply == Answer("q1", {"id": "q1", "state": "accepted"}) and took < 2.0
    pid1.operations["result"] = lambda args: {**DONE, "outcome": "failed"}
    assert script("result", command="q1")[0].result["state"] == "failed"


def test_a_late_answer_does_not_answer_the_next_query(script: Any, pid1: SaysPid1) -> None:
    script("stop", names=["web"], wait=10)
    pid1.settle(DONE)
    pid1.operations["status"] = lambda args: "now"
    assert script("status")[0].result["result"] == "now"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"garbage", "bad-message"),
        (encode(Ack(1)), "unexpected"),
        (encode(Query("q", "x", {"a": b"\xff"})), "bad-argument"),
    ],
)
def test_nonsense_is_refused_and_the_socket_serves_on(script: Any, pid1: SaysPid1, query: bytes, code: str) -> None:
    reply, _ = script(query)
    assert isinstance(reply, Refused) and reply.code == code
    assert isinstance(script("status")[0], Answer)


def test_following_is_refused(script: Any) -> None:
    assert script("events", follow=True)[0].code == "bad-argument"


def test_the_socket_lies_beside_the_control_socket(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert script_endpoint({"PIDONE_SOCKET": f"{tmp_path}/control.sock"}) == f"ipc://{tmp_path}/command"
    tmp_path.chmod(0o777)
    assert script_endpoint({"PIDONE_SOCKET": f"{tmp_path}/control.sock"}) == ""
    assert script_endpoint({"PIDONE_SOCKET": "@abstract"}) == ""


def test_the_socket_is_its_owners_or_its_groups(context: Any, tmp_path: Path) -> None:
    for mode, expected in ((0o700, 0o600), (0o750, 0o660)):
        tmp_path.chmod(mode)
        socket = open_scripts(context, f"ipc://{tmp_path}/command")
        assert os.stat(tmp_path / "command").st_mode & 0o777 == expected
        socket.close(0)
