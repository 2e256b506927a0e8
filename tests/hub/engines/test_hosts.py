"""Hosts behind TLS: cut off, mended, killed, started, and with wrong certificates."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from hub.engines.contact import Contact
from hub.engines.docker import Engine
from hub.engines.reports import ContainerEvent, ContainerList, ContainerSample, EngineState
from tests.hub.engines.conftest import Followed
from tests.hub.engines.test_docker import row, sample
from tests.support.engines import Hosts

Follow = Callable[..., Followed]
pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engines")]


def down(state: EngineState) -> bool:
    return not state.up


def test_tls_works_whatever_the_environment_says(
    tls_hosts: Hosts, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    identity = tls_hosts.engines[1].run("sleep 1000")
    ear = follow(tls_hosts.engines[1], "h1", sample_period=1.0)
    assert ear.wait(EngineState).host == "pidone-test-h1"
    assert sample(ear, identity)["pids"] == 1
    assert ear.order("stop", identity, grace=0).ok


@pytest.mark.parametrize(("tls", "sentence"), [("stranger", "TLS: it"), ("misled", "TLS: its"), ("", "HTTPS server")])
def test_wrong_certificates_are_one_clear_error(
    tls_hosts: Hosts, follow: Follow, monkeypatch: pytest.MonkeyPatch, tls: str, sentence: str
) -> None:
    attempts = threading.Semaphore(0)
    monkeypatch.setattr(Contact, "close", lambda contact: attempts.release())
    ear = follow(tls_hosts.engines[1], tls=getattr(tls_hosts, tls) if tls else None)
    error = ear.wait(EngineState, down).error
    assert sentence in error
    assert len(error.splitlines()) == 1
    assert all(attempts.acquire(timeout=20) for _ in range(3))
    assert [state.error for state in ear.heard(EngineState)] == [error]


def test_a_missing_certificate_file_is_named(tls_hosts: Hosts, follow: Follow) -> None:
    ear = follow(tls_hosts.engines[1], tls=tls_hosts.tls._replace(cert="/nowhere/cert.pem"))
    assert ear.wait(EngineState, down).error == "cannot read the TLS file /nowhere/cert.pem"


def test_a_cut_host_delays_no_other_and_is_found_again(tls_hosts: Hosts, follow: Follow) -> None:
    quiet = tls_hosts.engines[1].run("sleep 1000")
    tls_hosts.engines[2].run("sleep 1000")
    cut, other = (follow(tls_hosts.engines[n], f"h{n}", sample_period=1.0) for n in (1, 2))
    sample(cut, quiet)
    other.wait(ContainerSample)
    begun = time.monotonic()
    tls_hosts.cut(1)
    lost = cut.wait(EngineState, down)
    assert time.time() - lost.seen_at < 20
    assert cut.order("pause", quiet, seconds=3).error == "unreachable"
    other.wait(ContainerSample, since=time.monotonic())
    heard = [at for at in other.times(ContainerSample) if at > begun]
    assert max(b - a for a, b in zip([begun, *heard], heard, strict=False)) < 3.5
    mended = time.monotonic()
    tls_hosts.mend(1)
    row(cut, quiet, lambda one: one.state == "running", since=mended)
    cut.wait(ContainerSample, since=mended)


def test_what_happened_during_the_cut_is_told_afterwards(tls_hosts: Hosts, follow: Follow) -> None:
    identity = tls_hosts.engines[1].run("trap 'exit 5' USR1; while :; do sleep 0.1; done")
    ear = follow(tls_hosts.engines[1])
    row(ear, identity, lambda one: one.state == "running" and one.pid is not None)
    pid = tls_hosts.engines[1].api.inspect_container(identity)["State"]["Pid"]
    tls_hosts.cut(1)
    ear.wait(EngineState, down)
    os.kill(pid, signal.SIGUSR1)
    tls_hosts.mend(1)
    death = ear.wait(ContainerEvent, lambda event: (event.container, event.action) == (identity, "die"))
    assert death.attributes["exitCode"] == "5"
    assert row(ear, identity, lambda one: one.state == "exited").exit_code == 5


def test_a_killed_engine_is_lost_at_once_and_listed_when_it_is_back(tls_hosts: Hosts, follow: Follow) -> None:
    identity = tls_hosts.engines[1].run("sleep 1000")
    ear = follow(tls_hosts.engines[1])
    ear.wait(ContainerList, lambda report: len(report.containers) == 1)
    begun = time.monotonic()
    tls_hosts.kill(1)
    lost = ear.wait(EngineState, down)
    assert (
        lost.error.startswith("connection refused (nothing listens there")
        or "closed" in lost.error
        or "aborted" in lost.error
    )
    assert time.monotonic() - begun < 5
    tls_hosts.start(1)
    assert row(ear, identity, lambda one: True, since=time.monotonic()).state == "exited"


def test_an_engine_that_is_stopped_while_cut_off_waits_for_nothing(tls_hosts: Hosts) -> None:
    ear = Followed()
    engine = Engine("h1", tls_hosts.url(1), tls_hosts.tls, ear.post)
    engine.start()
    ear.wait(ContainerList)
    tls_hosts.cut(1)
    begun = time.monotonic()
    engine.stop()
    assert time.monotonic() - begun < 0.5
    assert engine.join(10)
