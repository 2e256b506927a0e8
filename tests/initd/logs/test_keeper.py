from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from initd.config.topics.logs import Logs
from initd.logs.keeper import Keeper, own_shape
from tests.initd.test_output import Bench, read
from tests.support.pipes import opened
from tests.support.programs import program

JSON = Logs(log_format="json")
UTC = Logs(log_timestamps="utc", timestamps_given=True)


class World(Bench):
    """As much of a supervisor as a Keeper needs; `running` is what runs."""

    running: dict[str, object] = {}

    @property
    def processes(self) -> dict[str, object]:
        return self.running

    def on_change(self, callback: object) -> None:
        self.changed = callback


class Config:
    def __init__(self, *logs: Logs | None) -> None:
        self.programs = [program(logs=one) for one in logs]


def said(*logs: Logs | None) -> bytes:
    world = World()
    Keeper(world).adopt(Config(*logs))
    world.output.say("web started")
    return read(world.stderr)


def test_initd_speaks_json_where_all_programs_do():
    row = json.loads(said(JSON, JSON))
    assert (row["program"], row["stream"], row["line"]) == ("initd", "stderr", "web started") and row["ts"][-1] == "Z"


def test_initd_has_times_where_all_programs_have():
    assert said(UTC, UTC) == b"1970-01-01T00:00:05.000Z initd: web started\n"


@pytest.mark.parametrize("logs", [(JSON, None), (JSON, UTC), (UTC, None), (Logs(log_prefix="x"),), ()])
def test_else_its_lines_look_as_usual(logs):
    assert said(*logs) == b"initd: web started\n"


def test_what_other_options_say_does_not_matter():
    one = JSON._replace(log_prefix="a", log_mask=("x9",))
    assert own_shape({one, JSON}) is not None and own_shape(set()) is None


def test_a_process_that_runs_is_told_to_output():
    world = World()
    Keeper(world)

    class Process:
        config = program(stdout_logfile="AUTO", logs=JSON)
        pid = 77

    pipes = opened(world.output, Process.config)
    world.changed(Process())
    world.write(pipes.stdout_w, b"x\n")
    assert json.loads(read(world.stdout))["pid"] == 77


def test_runs_that_get_json_now_tell_their_pid():
    world = World()
    keeper = Keeper(world)
    world.running = {"web": SimpleNamespace(pid=77, config=program("web", logs=JSON))}
    told = []
    world.output.ran = lambda config, pid: told.append((config.name, pid))
    keeper.adopt(Config(JSON))
    assert told == [("web", 77)]
