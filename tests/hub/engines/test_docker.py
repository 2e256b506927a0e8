"""Our engine's side against the machine's own engine."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from hub.engines.reports import ContainerEvent, ContainerList, ContainerRow, ContainerSample, EngineState
from tests.hub.engines.conftest import Followed
from tests.support.engines import RealEngine
from wire.model import CONTAINER_COLUMNS

Follow = Callable[..., Followed]
pytestmark = pytest.mark.engine
NANOSECONDS = 10**9


def row(ear: Followed, identity: str, where: Callable[[ContainerRow], bool], since: float = 0.0) -> ContainerRow:
    """The container's row in the first list where it is as expected."""

    def fits(report: ContainerList) -> list[ContainerRow]:
        return [one for one in report.containers if one.id == identity and where(one)]

    return fits(ear.wait(ContainerList, lambda report: bool(fits(report)), since))[0]


def anything(shown: dict[str, float]) -> bool:
    return True


def sample(ear: Followed, identity: str, where: Callable[[dict[str, float]], bool] = anything) -> dict[str, float]:
    """The container's first sample that is as expected."""

    def shown(report: ContainerSample) -> dict[str, float]:
        return dict(zip([column.name for column in CONTAINER_COLUMNS], report.values, strict=True))

    return shown(ear.wait(ContainerSample, lambda report: report.container == identity and where(shown(report))))


def send(address: str, port: int, data: bytes) -> None:
    """Send data to a port as soon as somebody listens there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection((address, port), 5) as connection:
                return connection.sendall(data)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_engine_introduces_itself(engine: RealEngine, follow: Follow) -> None:
    state, info = follow(engine, "root").wait(EngineState), engine.api.info()
    assert (state.engine, state.up, state.error) == ("root", True, "")
    assert (state.host, state.cpus, state.memory) == (info["Name"], info["NCPU"], info["MemTotal"])
    assert state.version == info["ServerVersion"]
    assert abs(time.time() - state.seen_at) < 20
    assert abs(state.clock_ahead) < 2  # it is this machine's own clock


def test_a_container_is_listed_with_its_details(engine: RealEngine, follow: Follow) -> None:
    test = ["CMD", "test", "-e", "/tmp/well"]
    check = {"test": test, "interval": NANOSECONDS, "timeout": 20 * NANOSECONDS, "retries": 1}
    script = "touch /tmp/well; sleep 1000"
    identity = engine.run(script, labels={"team": "shop"}, healthcheck=check, nano_cpus=NANOSECONDS // 2)
    ear = follow(engine)
    found = row(ear, identity, lambda one: one.health == "healthy")
    assert (found.state, found.labels, found.cpu_limit) == ("running", {"team": "shop"}, 0.5)
    assert (found.exit_code, found.oom_killed, found.restart_count) == (None, False, 0)
    assert found.started_at - found.created_at < 30
    assert len(found.addresses) == 1
    assert f"{found.id}"[:12] in open(f"/proc/{found.pid}/cgroup").read()


def test_a_life_is_told_by_events_and_lists(engine: RealEngine, follow: Follow) -> None:
    ear = follow(engine)
    ear.wait(ContainerList)
    identity = engine.run("exit 3")
    death = ear.wait(ContainerEvent, lambda event: (event.container, event.action) == (identity, "die"))
    assert death.attributes["exitCode"] == "3"
    assert abs(time.time() - death.at) < 20
    ended = row(ear, identity, lambda one: one.state == "exited")
    assert (ended.exit_code, ended.pid) == (3, None)
    assert abs(ended.finished_at - ended.started_at) < 20  # it stamps the start of a short life after its end
    begun = time.monotonic()
    engine.clean()
    ear.wait(ContainerList, lambda report: identity not in [one.id for one in report.containers], since=begun)


def test_a_busy_container_is_measured(engine: RealEngine, follow: Follow) -> None:
    limits = {"mem_limit": 64 << 20, "nano_cpus": NANOSECONDS // 4, "pids_limit": 40}
    identity = engine.run("while :; do :; done", **limits)
    ear = follow(engine, sample_period=1.0)
    shown = sample(ear, identity, lambda shown: shown["cpu"] > 0.02 and shown["throttled_periods"] > 0)
    assert shown["cpu"] < 0.5
    assert (shown["cpu_limit"], shown["memory_limit"], shown["pids_limit"]) == (0.25, 64 << 20, 40)
    assert 1 <= shown["pids"] <= 5
    assert 0 < shown["memory"] < 64 << 20
    assert shown["throttled_seconds"] > 0
    later = sample(ear, identity, lambda later: later["cpu_seconds"] > shown["cpu_seconds"])
    assert later["cpu_seconds"] < 1000


def test_an_idle_one_without_limits_has_none(engine: RealEngine, follow: Follow) -> None:
    identity = engine.run("sleep 1000", network_mode="none")
    shown = sample(follow(engine), identity)
    unlimited = [shown[name] for name in ("cpu_limit", "memory_limit", "pids_limit", "net_rx_bytes")]
    assert all(value != value for value in unlimited)


def test_network_and_writable_layer_are_counted(engine: RealEngine, follow: Follow) -> None:
    identity = engine.run("dd if=/dev/zero of=/five bs=1M count=5; nc -l -p 9 >/dev/null; sleep 1000")
    ear = follow(engine, sample_period=1.0)
    address = row(ear, identity, lambda one: bool(one.addresses)).addresses[0]
    before = sample(ear, identity)["net_rx_bytes"]
    send(address, 9, bytes(2_000_000))
    sample(ear, identity, lambda shown: shown["net_rx_bytes"] >= before + 2_000_000)
    again = follow(engine)  # a new contact measures sizes at once
    sized = row(again, identity, lambda one: one.sized_at is not None)
    assert 5 << 20 <= sized.rootfs_rw_bytes < 6 << 20
    assert sized.rootfs_bytes > sized.rootfs_rw_bytes


def test_oom_flag_exit_code_and_restart_count(engine: RealEngine, follow: Follow) -> None:
    ear = follow(engine)
    ear.wait(ContainerList)
    policy = {"Name": "on-failure", "MaximumRetryCount": 2}
    identity = engine.run("exec dd if=/dev/zero of=/dev/null bs=64M", mem_limit=16 << 20, restart_policy=policy)
    ear.wait(ContainerEvent, lambda event: (event.container, event.action) == (identity, "oom"))
    ended = row(ear, identity, lambda one: one.state == "exited" and one.restart_count == 2)
    assert (ended.oom_killed, ended.exit_code) == (True, 137)


def test_orders_take_effect(engine: RealEngine, follow: Follow) -> None:
    identity = engine.create(["sh", "-c", "trap 'exit 7' USR1; while :; do sleep 0.1; done"])
    ear = follow(engine)
    row(ear, identity, lambda one: one.state == "created" and one.exit_code is None)
    steps = [
        ("start", {}, "running"),
        ("pause", {}, "paused"),
        ("unpause", {}, "running"),
        ("restart", {"grace": 0}, "running"),
        ("kill", {"signal": "USR1"}, "exited"),
        ("start", {}, "running"),
        ("stop", {"grace": 0}, "exited"),
    ]
    for verb, args, state in steps:
        begun = time.monotonic()
        assert ear.order(verb, identity[:12], **args).ok
        found = row(ear, identity, lambda one, state=state: one.state == state, since=begun)  # type: ignore[misc]
        assert found.exit_code == {"kill": 7, "stop": 137}.get(verb)


def test_orders_that_change_nothing_or_fail_say_so(engine: RealEngine, follow: Follow) -> None:
    identity = engine.run("sleep 1000")
    ear = follow(engine)
    again = ear.order("start", identity)
    assert (again.ok, again.detail) == (True, "was running already")
    refused = ear.order("unpause", identity)
    assert (refused.ok, refused.error) == (False, "refused")
    assert "not paused" in refused.detail
    assert ear.order("stop", "f" * 64).error == "unknown-container"
    slow = ear.order("stop", identity, seconds=1.0, grace=20)
    assert (slow.ok, slow.error) == (False, "timeout")
