"""Podman's socket as one more engine: a real `podman system service`, and what of it was recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from hub.engines.contact import kind_of
from hub.engines.listing import detail
from hub.engines.reports import ContainerEvent, ContainerList, ContainerRow, EngineState
from hub.engines.stats import Host, measured
from hub.engines.watch import happened
from tests.hub.engines.conftest import Followed
from tests.hub.engines.recorded import ID, RUNNING_DETAIL, changed
from tests.hub.engines.test_docker import row, sample
from tests.lab import podman
from tests.support.engines import image_archive, need
from tests.support.livehub import LiveHub
from tests.support.liverelay import LiveRelay
from tests.support.waiting import until
from wire.model import CONTAINER_COLUMNS

Follow = Callable[..., Followed]
IMAGE = "pidone-test-busybox"
HEAD = {"id": ID, "Type": "container", "time": 1, "timeNano": 10**9}


class Podman:
    """The service, with what a test needs to put containers on it."""

    url, tls = podman.URL, None

    def __init__(self) -> None:
        self.api = docker.APIClient(podman.URL, version="1.41", timeout=60)
        self.api.trust_env = False
        self.api.import_image_from_data(image_archive(), repository=IMAGE, tag="latest")
        self.mine: list[str] = []

    def run(self, script: str, **host: Any) -> str:
        """Id of a new container that runs a shell script."""
        config = self.api.create_host_config(network_mode="none", **host)
        made = self.api.create_container(
            f"{IMAGE}:latest", ["sh", "-c", script], labels={"team": "shop"}, host_config=config
        )
        self.mine.append(made["Id"])
        self.api.start(made["Id"])
        return str(made["Id"])

    def clean(self) -> None:
        while self.mine:
            self.api.remove_container(self.mine.pop(), force=True)


@pytest.fixture(scope="module")
def _podman(_engines_lock: None) -> Iterator[Podman]:
    need("Podman (the page on engines says what was tried without it)", "podman", "runc", "curl")
    try:
        podman.up()
        yield Podman()
    finally:
        podman.down()


@pytest.fixture
def pod(_podman: Podman) -> Iterator[Podman]:
    """Podman; its containers are removed after the test."""
    yield _podman
    _podman.clean()


live = pytest.mark.engine
alone = pytest.mark.xdist_group("engines")


@live
@alone
def test_it_introduces_itself_and_is_polled(pod: Podman, follow: Follow) -> None:
    state = follow(pod, "pod").wait(EngineState)
    assert (state.up, state.kind, state.stats) == (True, "podman", "poll")
    assert state.memory > 0 and state.cpus > 0 and abs(state.clock_ahead) < 5


@live
@alone
def test_a_container_is_listed_and_measured(pod: Podman, follow: Follow) -> None:
    identity = pod.run("while :; do :; done", mem_limit=64 << 20, nano_cpus=250_000_000)
    ear = follow(pod, "pod", sample_period=0.5)
    found = row(ear, identity, lambda one: one.state == "running" and one.pid is not None)
    assert (found.labels, found.cpu_limit, found.exit_code) == ({"team": "shop"}, 0.25, None)
    assert found.started_at is not None and abs(time.time() - found.started_at) < 60
    shown = sample(ear, identity, lambda shown: 0.02 < shown["cpu"] < 0.5)
    assert (shown["memory_limit"], shown["pids"]) == (64 << 20, 1)
    assert 0 < shown["memory"] < 64 << 20


@live
@alone
def test_a_death_is_told_at_once_with_its_exit_code(pod: Podman, follow: Follow) -> None:
    ear = follow(pod, "pod")
    ear.wait(ContainerList)
    identity = pod.run("exit 3")
    death = ear.wait(ContainerEvent, lambda event: (event.container, event.action) == (identity, "die"))
    assert death.attributes["exitCode"] == "3"
    assert row(ear, identity, lambda one: one.state == "exited").exit_code == 3
    pod.clean()
    ear.wait(ContainerEvent, lambda event: (event.container, event.action) == (identity, "destroy"))


@live
@alone
def test_orders_take_effect(pod: Podman, follow: Follow) -> None:
    identity = pod.run("trap 'exit 7' USR1; while :; do sleep 0.1; done")
    ear = follow(pod, "pod")

    def becomes(state: str, since: float) -> ContainerRow:
        return row(ear, identity, lambda one: one.state == state, since=since)

    becomes("running", 0.0)
    for verb, args, state in (
        ("pause", {}, "paused"), ("unpause", {}, "running"), ("restart", {"grace": 0}, "running"),
        ("kill", {"signal": "USR1"}, "exited"), ("start", {}, "running"), ("stop", {"grace": 0}, "exited"),
    ):  # fmt: skip
        begun = time.monotonic()
        assert ear.order(verb, identity, **args).ok, verb  # type: ignore[arg-type]
        becomes(state, begun)
    assert ear.order("stop", identity).detail == "was not running"
    assert ear.order("unpause", identity).error == "refused"
    assert ear.order("stop", "f" * 64).error == "unknown-container"


@live
@alone
def test_a_relay_speaks_for_it_too(pod: Podman, tmp_path: Path) -> None:
    identity = pod.run("sleep 1000")
    hub = LiveHub(tmp_path).start()
    relay = LiveRelay(hub, tmp_path / "relay", podman.URL)
    try:
        relay.start()
        assert relay.row()["kind"] == "podman"
        until(lambda: (relay.containers().get(identity) or {}).get("memory"), what="it is listed and measured")
        assert hub.client.wait(hub.client.command(identity, "stop", {"grace": 0}, container=True))["state"] == "done"
        until(lambda: relay.containers()[identity]["state"] == "exited", what="it is told")
    finally:
        relay.stop()
        hub.stop()


# What follows was recorded from podman 4.3.1 and shortened; it needs no Podman.

STATS: dict[str, Any] = {
    "read": "2026-11-23T16:08:23.386102028Z",
    "preread": "0001-01-01T00:00:00Z",
    "pids_stats": {"current": 1},
    "blkio_stats": {"io_service_bytes_recursive": [], "io_serviced_recursive": None},
    "cpu_stats": {"cpu_usage": {"total_usage": 50939671}, "throttling_data": {"throttled_periods": 0}},
    "precpu_stats": {"cpu_usage": {"total_usage": 0}},
    "memory_stats": {"usage": 696320, "limit": 67108864},
    "networks": {"network": {"rx_bytes": 0, "tx_bytes": 0}},
}
VERSION = {"Components": [{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon"}], "ApiVersion": "1.41"}


def told(**fields: Any) -> bytes:
    return json.dumps({**HEAD, **fields}).encode()


def test_its_kind_is_read_from_its_components() -> None:
    assert (kind_of(VERSION), kind_of({"Components": [{"Name": "Engine"}]}), kind_of({})) == (
        "podman",
        "docker",
        "docker",
    )


@pytest.mark.parametrize(("word", "action"), [("died", "die"), ("die", "die"), ("remove", "destroy"), ("kill", "kill")])
def test_its_words_for_events(word: str, action: str) -> None:
    event = happened(told(Action=word, status=word, Actor={"ID": ID, "Attributes": {"exitCode": "137"}}))
    assert event is not None and (event.action, event.attributes["exitCode"]) == (action, "137")


@pytest.mark.parametrize("word", ["init", "cleanup", "exec_died", "attach", "sync"])
def test_its_other_events_are_left_out(word: str) -> None:
    assert happened(told(Action=word, Actor={"ID": ID})) is None


def test_health_comes_as_an_attribute() -> None:
    event = happened(told(Action="health_status", Actor={"ID": ID, "Attributes": {"health_status": "unhealthy"}}))
    assert event is not None and event.attributes["health"] == "unhealthy"


@pytest.mark.parametrize(
    ("word", "state"),
    [("configured", "created"), ("initialized", "created"), ("stopping", "running"), ("stopped", "exited")],
)
def test_its_words_for_states(word: str, state: str) -> None:
    assert detail(changed(RUNNING_DETAIL, "State", "Status", to=word)).state == state


def test_its_statistics() -> None:
    found = measured(STATS, None, Host(2**34))
    assert found is not None
    shown = dict(zip([column.name for column in CONTAINER_COLUMNS], found.values, strict=True))
    assert (shown["memory"], shown["memory_limit"], shown["pids"]) == (696320, 67108864, 1)
    assert shown["cpu"] != shown["cpu"]  # the first one-shot tells no rate
