"""Engines that lie, drown us, get stuck or are no engines: each costs only itself, with one clear sentence."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.engines import contact, lines
from hub.engines.api import Api, address_problem
from hub.engines.reasons import EngineError
from hub.engines.reports import ContainerEvent, ContainerList, ContainerSample, EngineState
from tests.hub.engines.conftest import Followed
from tests.hub.engines.fake import FakeEngine, chunk, encoded
from tests.hub.engines.recorded import BRIEF, DIE, ID, V1
from wire.limits import ENGINE_EVENTS, ENGINE_LINE_BYTES

Follow = Callable[..., Followed]
STATS = f"/containers/{ID}/stats"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    one = FakeEngine(tmp_path / "s")
    yield one
    one.close()


def lost(ear: Followed) -> str:
    return str(ear.wait(EngineState, lambda state: not state.up).error)


def test_the_fake_is_taken_for_an_engine(fake: FakeEngine, follow: Follow) -> None:
    fake.script[STATS] = encoded(V1)
    ear = follow(fake)
    state = ear.wait(EngineState)
    assert (state.up, state.api, state.host, state.stats) == (True, "1.45", "fake", "poll")
    assert ear.wait(ContainerSample).container == ID


@pytest.mark.parametrize(
    ("path", "answer", "sentence"),
    [
        ("/version", b"<html>", "not JSON"),
        ("/version", encoded({"ApiVersion": "1.12"}), "needs 1.40"),
        ("/version", encoded([]), "is it a Docker engine?"),
        ("/version", 302, "HTTP 302"),
        ("/info", 500, "HTTP 500"),
        ("/containers/json", encoded({}), "no list"),
        ("/containers/json", b"[" * 10_000, "not JSON"),
    ],
)
def test_what_is_no_engine_gets_one_clear_sentence(
    fake: FakeEngine, follow: Follow, path: str, answer: bytes | int, sentence: str
) -> None:
    fake.script[path] = answer
    ear = follow(fake)
    assert sentence in lost(ear)
    asked = fake.asked["/version"]
    deadline = time.monotonic() + 20
    while fake.asked["/version"] < asked + 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(ear.heard(EngineState)) == 1


def test_an_endless_answer_is_cut_at_its_bound(fake: FakeEngine) -> None:
    def endless(file: Any) -> None:
        while True:
            chunk(file, b"x" * 65536)

    fake.script["/info"] = endless
    api = Api(fake.url, None)
    api.negotiate()
    with pytest.raises(EngineError, match="longer than 1048576 bytes"):
        api.get("/info")


def test_a_stuck_container_delays_neither_the_list_nor_the_others(fake: FakeEngine, follow: Follow) -> None:
    other = "a" * 64
    fake.script["/containers/json"] = encoded([BRIEF, {**BRIEF, "Id": other}])
    fake.script[f"/containers/{other}/json"] = fake.silent
    fake.script[f"/containers/{other}/stats"] = fake.silent
    fake.script[STATS] = encoded(V1)
    ear = follow(fake, sample_period=0.5)
    ear.wait(ContainerList, lambda report: len(report.containers) == 2)
    begun = time.monotonic()
    ear.wait(EngineState, lambda state: state.up, since=begun)
    ear.wait(ContainerSample, since=begun + 3)
    assert len(ear.times(ContainerSample)) >= 3
    assert fake.asked[f"/containers/{other}/json"] == 1
    assert fake.asked[f"/containers/{other}/stats"] <= 3


def test_a_flood_of_events_is_bounded_reported_and_survived(fake: FakeEngine, follow: Follow) -> None:
    flooding = encoded(DIE)[:-1] + b', "pad": "' + b"x" * 200 + b'"}\n'

    def flood(file: Any) -> None:
        while not fake.stopped.is_set():
            chunk(file, flooding.replace(b"1795421191335850323", b"%d" % time.time_ns()))

    fake.script["/events"] = flood
    begun = time.monotonic()
    ear = follow(fake)
    state = ear.wait(EngineState, lambda state: state.floods >= 2)
    seconds = time.monotonic() - begun
    assert state.up
    assert len(ear.heard(ContainerEvent)) <= ENGINE_EVENTS * (seconds + 1)
    assert len(ear.heard(ContainerList)) <= 3 + seconds / contact.COALESCE


def test_a_hostile_event_is_skipped(fake: FakeEngine, follow: Follow) -> None:
    def events(file: Any) -> None:
        chunk(file, b"\xff\x00{{{\n")
        chunk(file, b'{"Action": "' + b"x" * (2 * ENGINE_LINE_BYTES) + b'"}\n')
        data = encoded({**DIE, "timeNano": time.time_ns()}) + b"\n"
        chunk(file, data[:40])
        chunk(file, data[40:])
        fake.stopped.wait(60)

    fake.script["/events"] = events
    assert follow(fake).wait(ContainerEvent).attributes["exitCode"] == "137"


def test_a_silent_stream_ends_by_itself(fake: FakeEngine) -> None:
    stream = Api(fake.url, None).lines("/events", {}, 0.2)
    assert list(stream) == []


def test_a_stream_is_cut_from_another_thread(fake: FakeEngine) -> None:
    stream = Api(fake.url, None).lines("/events", {}, 60.0)
    assert isinstance(stream, lines.Stream)
    threading.Timer(0.1, stream.cut).start()
    begun = time.monotonic()
    assert list(stream) == []
    assert time.monotonic() - begun < 20


def test_a_hanging_engine_is_lost_and_found(fake: FakeEngine, follow: Follow) -> None:
    ear = follow(fake)
    ear.wait(ContainerList)
    answer, fake.script["/containers/json"] = fake.script["/containers/json"], fake.silent
    state = ear.wait(EngineState, lambda state: not state.up)
    assert (state.error, state.version, state.host) == ("no answer in time", "26.0-fake", "fake")
    assert state.seen_at < state.at
    fake.script["/containers/json"], begun = answer, time.monotonic()
    ear.wait(ContainerList, since=begun)


def test_docker_is_imported_by_the_first_connection_only() -> None:
    code = "import hub.engines.docker, sys; sys.exit('docker' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3]).returncode == 0


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no such file or directory"):
        Api(f"unix://{tmp_path}/none", None).negotiate()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("unix:///var/run/docker.sock", ""),
        ("tcp://10.0.0.1:2376", ""),
        ("tcp://[fd00::7]:2376", ""),
        ("tcp://10.0.0.1", "host and a port"),
        ("tcp://10.0.0.1:x", "host and a port"),
        ("unix://var/run", "is a path"),
        ("ssh://root@h", "begins with"),
        ("", "begins with"),
    ],
)
def test_addresses(url: str, problem: str) -> None:
    said = address_problem(url, None)
    assert problem in said
    assert bool(problem) == bool(said)
