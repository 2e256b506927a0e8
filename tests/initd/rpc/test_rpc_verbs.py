"""What supervisord's clients ask of PID 1, in a world of made-up processes and virtual time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.activity import ActivityLog
from initd.control import OPERATE
from initd.replies import Answer, Carrier, Later, Reply, Stream
from initd.rpc import attempts, details, logs
from initd.rpc.details import QUICK, exit_status, spawn_error
from tests.support.programs import program
from tests.support.smallworld import SmallWorld
from wire.limits import LOG_CHUNK_BYTES, RING_BYTES, ROWS_PER_REPLY
from wire.model import State


class World(SmallWorld):
    """With the verbs of the rpc server."""

    def __init__(self, *programs: object) -> None:
        super().__init__(*programs)
        self.log = ActivityLog(self.output)
        self.control.extend(details.VERBS | attempts.VERBS | logs.bound(self.control, self.log))

    def ask(self, verb: str, *_: object, **args: object) -> Answer:
        carrier = Carrier("rpc", self.control.may[OPERATE])
        return self.control.handle({"id": 7, "verb": verb, "args": args}, carrier, self.loop.now())

    def row(self, name: str = "web") -> dict[str, Any]:
        [row] = self.result("details", names=[name])  # type: ignore[misc]
        return row

    def tried(self, name: str = "web") -> dict[str, Any]:
        """Try to start it and wait for the verdict."""
        answer = self.ask("try", names=[name], wait=60)
        for _ in range(600):
            if not (isinstance(answer, Later) and answer.reply is None):
                break
            self.pass_time(0.1)
        reply = answer.reply if isinstance(answer, Later) else answer
        assert isinstance(reply, Reply) and reply.error is None
        [row] = reply.result["processes"]  # type: ignore[index]
        return row


@pytest.fixture
def world() -> World:
    return World().run_all()


# Details


def test_a_running_process(world: World) -> None:
    row = world.row()
    assert (row["state"], row["pid"], row["start"], row["stop"]) == ("RUNNING", world.pid(), 5000.0, 0)
    assert (row["spawnerr"], row["exitstatus"], row["stdout_logfile"]) == ("", 0, "")


def test_one_that_never_ran(world: World) -> None:
    row = world.row("pool:w_1")
    assert (row["state"], row["pid"], row["start"], row["stop"], row["name"]) == ("STOPPED", 0, 0, 0, "w_1")


ENDS = [(0, 0, ""), (3, 3, "Bad exit code 3"), (None, -1, "Bad exit code -1")]


@pytest.mark.parametrize(("code", "status", "spawnerr"), ENDS)
def test_one_that_ended(code: int | None, status: int, spawnerr: str) -> None:
    world = World(program("web", autorestart="false")).run_all()
    world.kernel.die(world.pid(), code, 11 if code is None else None)
    row = world.pass_time(0.1).row()
    assert (row["state"], row["exitstatus"], row["spawnerr"], row["pid"]) == ("EXITED", status, spawnerr, 0)


def test_one_that_was_stopped_shows_how_it_ended(world: World) -> None:
    world.result("stop", names=["web"])
    row = world.pass_time(0.1).row()
    assert (row["state"], row["exitstatus"], row["spawnerr"], row["stop"]) == ("STOPPED", -1, "", 5000.0)


def test_a_new_life_forgets_the_old_one(world: World) -> None:
    world.kernel.die(world.pid(), 3)
    row = world.pass_time(0.1).row()
    assert (row["state"], row["exitstatus"], row["spawnerr"]) == ("STARTING", 0, "")


@given(st.sampled_from(list(State)))
def test_without_any_life_there_is_nothing_to_tell(state: State) -> None:
    assert (spawn_error(state, None), exit_status(state, None)) == ("", 0)


def test_rows_come_in_pages() -> None:
    names = [f"p{number:04d}" for number in range(ROWS_PER_REPLY + 3)]
    world = World(*(program(name, autostart=False) for name in names))
    first, second = world.result("details"), world.result("details", after=ROWS_PER_REPLY)
    assert [row["name"] for row in first + second] == names  # type: ignore[operator]


# Attempts


def test_a_start_that_succeeds() -> None:
    world = World(program("web", autostart=False))
    assert world.tried()["outcome"] == "done"
    assert world.state() == "RUNNING"


def test_without_startsecs_one_that_fails_at_once_was_started() -> None:
    world = World(program("web", autostart=False, autorestart="false", startsecs=0))
    answer = world.ask("try", names=["web"], wait=60)
    if isinstance(answer, Later):
        world.kernel.die(world.pid(), 3)
        world.pass_time(0.1)
    reply = answer.reply if isinstance(answer, Later) else answer
    assert reply.result["processes"][0]["outcome"] == "done"  # type: ignore[union-attr, index]
    assert world.state() == "EXITED"


def test_the_first_failure_is_told_at_once_though_it_is_tried_again() -> None:
    world = World(program("web", autostart=False))
    answer = world.ask("try", names=["web"], wait=60)
    world.kernel.die(world.pid(), 1)
    world.pass_time(0.1)
    assert isinstance(answer, Later) and answer.reply is not None
    [row] = answer.reply.result["processes"]  # type: ignore[index]
    assert (row["outcome"], row["fault"], world.state()) == ("failed", "SPAWN_ERROR", "BACKOFF")
    assert world.row()["spawnerr"] == QUICK


OBSTACLES = [
    ({"argv": ("/no/such",), "command": "/no/such"}, "NO_FILE", "can't find command '/no/such'"),
    ({"argv": ("no-such",), "command": "no-such"}, "NO_FILE", "can't find command 'no-such'"),
    ({"argv": ("/etc",), "command": "/etc"}, "NOT_EXECUTABLE", "command at '/etc' is a directory"),
    ({"argv": ("/etc/passwd",), "command": "x"}, "NOT_EXECUTABLE", "command at '/etc/passwd' is not executable"),
    ({"argv": (), "command": " ", "argv_error": "the command is empty"}, "NOT_EXECUTABLE", "command is empty"),
    ({"argv": ("a\0b",), "command": "a"}, "NO_FILE", "can't find command 'a\\x00b'"),
]


@pytest.mark.parametrize(("options", "fault", "message"), OBSTACLES)
def test_what_cannot_be_run_is_not_even_tried(options: dict[str, object], fault: str, message: str) -> None:
    world = World(program("web", autostart=False, **options))
    row = world.tried()
    assert (row["outcome"], row["fault"], row["message"]) == ("failed", fault, message)
    assert world.state() == "STOPPED" and not world.kernel.alive


@pytest.mark.parametrize("state", ["RUNNING", "BACKOFF", "STARTING"])
def test_what_is_up_is_not_started_again(state: str) -> None:
    world = World(program("web", autostart=False))
    world.ask("start", names=["web"])
    if state == "BACKOFF":
        world.kernel.die(world.pid(), 1)
    world.pass_time(2.0 if state == "RUNNING" else 0.1)
    assert world.state() == state
    assert world.tried()["fault"] == "ALREADY_STARTED"


def test_one_that_is_stopping_is_started_after_that(world: World) -> None:
    world.kernel.stubborn.add(world.pid())
    world.result("stop", names=["web"])
    assert world.state() == "STOPPING"
    assert world.tried()["outcome"] == "done"


def test_during_a_shutdown_nothing_is_tried(world: World) -> None:
    world.kernel.stubborn.add(world.pid())
    world.result("shutdown")
    assert world.code("try", names=["pool:w_1"]) == "shutting-down"


# Logs


def speak(world: World, text: bytes, name: str = "web") -> None:
    os.write(world.kernel.alive[world.pid(name)], text)
    world.loop.settle()


def piece(world: World, **args: object) -> tuple[str, int]:
    row: Any = world.result("log.read", name="web", **args)
    return row["text"], row["size"]


def test_without_a_file_the_ring_is_the_log() -> None:
    world = World(program("web", stdout_logfile="AUTO")).run_all()
    speak(world, b"hello world")
    assert piece(world) == ("hello world", 11)
    assert piece(world, offset=6) == ("world", 11)
    assert piece(world, offset=-5) == ("world", 11)
    assert piece(world, offset=2, bytes=3) == ("llo", 11)
    assert piece(world, offset=50) == ("", 11)
    assert world.result("log.clear", names=["web"]) == [{"name": "web", "fault": ""}]
    assert piece(world) == ("", 0)


def test_what_the_ring_has_lost_is_left_out() -> None:
    world = World(program("web", stdout_logfile="AUTO")).run_all()
    for number in range(RING_BYTES // 1000 + 2):
        speak(world, b"%03d" % number * 333 + b"\n")
    size = (RING_BYTES // 1000 + 2) * 1000
    row: Any = world.result("log.read", name="web")
    assert (row["offset"], row["size"], len(row["text"])) == (size - RING_BYTES, size, RING_BYTES)
    assert piece(world, offset=size - 4) == (row["text"][-4:], size)


def test_a_stream_without_log_has_none(world: World) -> None:
    speak(world, b"hello")
    row: Any = world.result("log.read", name="web")
    assert not row["log"]


def test_a_file_is_read_by_place(tmp_path: Path) -> None:
    path = tmp_path / "log"
    world = World(program("web", stdout_logfile=str(path))).run_all()
    assert piece(world) == ("", 0)
    path.unlink()
    assert not world.result("log.read", name="web")["log"]  # type: ignore[index]
    path.write_bytes(bytes(range(256)) * (LOG_CHUNK_BYTES // 256 + 1))
    text, size = piece(world, bytes=LOG_CHUNK_BYTES)
    assert (text.encode("latin-1"), size) == (path.read_bytes()[:LOG_CHUNK_BYTES], path.stat().st_size)
    assert piece(world, offset=-256) == ("".join(map(chr, range(256))), size)


@pytest.mark.parametrize("bad", [{"offset": 2**63}, {"offset": True}, {"bytes": -1}, {"bytes": LOG_CHUNK_BYTES + 1}])
def test_places_are_bounded(world: World, bad: dict[str, object]) -> None:
    assert world.code("log.read", name="web", **bad) == "bad-argument"


def test_devices_and_fifos_are_never_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in ("/dev/zero", str(tmp_path / "fifo")):
        assert piece(World(program("web", stdout_logfile=path, autostart=False))) == ("", 0)


def test_a_follower_gets_the_end_and_what_comes() -> None:
    world = World(program("web", stdout_logfile="AUTO")).run_all()
    speak(world, b"one two")
    stream = world.ask("log.follow", name="web", bytes=3)
    assert isinstance(stream, Stream) and stream.items == ["two"]
    got: list[object] = []
    end = stream.attach(got.append)
    speak(world, b" three\xff")
    end()
    speak(world, b"four")
    assert got == [" three\xff"]


def test_initds_own_lines_are_a_log_too(world: World) -> None:
    world.log.write([("something happened", "info")])
    row: Any = world.result("log.read")
    assert row["text"].endswith(" INFO something happened\n") and row["size"] == len(row["text"])
    world.result("log.clear")
    assert world.result("log.read")["text"] == ""  # type: ignore[index]
