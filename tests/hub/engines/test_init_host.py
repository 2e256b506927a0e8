"""What `hubctl engine init` wrote, installed by its own script on a host of its own, spoken to by a hub's engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.config import EngineConfig, parse
from hub.ctl.verbs import main
from hub.engines.api import Tls
from hub.engines.docker import Engine
from hub.engines.reports import ContainerList, EngineState
from tests.hub.engines.conftest import Followed
from tests.lab import engine_process as lab
from tests.lab import hosts
from tests.support.engines import need

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engines")]
HOST = 3

# Its own /etc/docker, /run and host name: install.sh and daemon.json are used as they are, and meet nothing of ours.
_ENTER = """
set -e
hostname "$0"
mount -t tmpfs tmpfs /etc/docker
mount -t tmpfs tmpfs /run
"$1/install.sh"
shift
exec dockerd "$@"
"""


def start(folder: Path) -> None:
    """An engine on host 3 as a person would set it up: the script, then dockerd without -H."""
    home = hosts.BASE / f"h{HOST}"
    lab.remove_tree(home)
    home.mkdir(parents=True)
    hosts.lay_cable(HOST)
    own = [f"--data-root={home}/data", f"--exec-root={home}/exec", f"--pidfile={home}/dockerd.pid"]
    net = [f"--bip=10.87.{100 + HOST}.1/24", f"--cgroup-parent=/{hosts.name(HOST)}"]
    enter = ["unshare", "--uts", "--mount", "--propagation", "private", "sh", "-c", _ENTER, hosts.name(HOST)]
    Path("/etc/docker").mkdir(exist_ok=True)
    lab.spawn(hosts.name(HOST), [*enter, str(folder / "host"), *own, *net], home / "pid", home / "log")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, _engines_lock: None) -> Iterator[EngineConfig]:
    """The hub's section of the engine, with its files where the test has them."""
    need("a Docker host of our own", "dockerd", "openssl", "nsenter", "ip")
    folder = tmp_path_factory.mktemp("init") / "e"
    try:
        assert main(["engine", "init", hosts.address(HOST), "--name", "h3", "--out", str(folder)]) == 0
        start(folder)
        section = (folder / "hub/engine.ini").read_text().replace("/etc/pidone/engines/h3", str(folder / "hub"))
        yield parse("engine.ini", section).engines[0]
    finally:
        hosts.down()


@pytest.fixture
def follow() -> Iterator[Callable[[EngineConfig, Tls | None], Followed]]:
    """Starts an engine as the hub does, and hears it."""
    started: list[Engine] = []

    def begin(config: EngineConfig, tls: Tls | None) -> Followed:
        ear = Followed()
        started.append(Engine(config.name, config.url, tls, ear.post))
        started[-1].start()
        return ear

    yield begin
    for one in started:
        one.stop()


def files(config: EngineConfig) -> Tls:
    return Tls(config.tls_ca, config.tls_cert, config.tls_key)


def test_the_hub_reaches_it_with_what_was_written(host: EngineConfig, follow: Callable[..., Followed]) -> None:
    ear = follow(host, files(host))
    state = ear.wait(EngineState, lambda one: one.up, seconds=90)
    assert state.host == hosts.name(HOST)
    assert ear.wait(ContainerList).containers == ()


def test_renewed_certificates_of_the_client_are_good_at_once(
    host: EngineConfig, follow: Callable[..., Followed]
) -> None:
    folder = Path(host.tls_ca).parents[1]
    follow(host, files(host)).wait(EngineState, lambda one: one.up, seconds=90)
    assert main(["engine", "init", hosts.address(HOST), "--name", "h3", "--out", str(folder), "--renew"]) == 0
    follow(host, files(host)).wait(EngineState, lambda one: one.up)


def test_another_engines_certificate_is_refused(
    host: EngineConfig, follow: Callable[..., Followed], tmp_path: Path
) -> None:
    follow(host, files(host)).wait(EngineState, lambda one: one.up, seconds=90)
    assert main(["engine", "init", hosts.address(HOST), "--name", "other", "--out", str(tmp_path / "o")]) == 0
    shutil.copy(host.tls_ca, tmp_path / "o/hub/ca.pem")
    foreign = Tls(*(str(tmp_path / "o/hub" / name) for name in ("ca.pem", "client.pem", "client-key.pem")))
    error = follow(host, foreign).wait(EngineState, lambda one: not one.up).error
    assert error.startswith("TLS: it")


def test_without_a_certificate_nobody_gets_in(host: EngineConfig, follow: Callable[..., Followed]) -> None:
    follow(host, files(host)).wait(EngineState, lambda one: one.up, seconds=90)
    assert "HTTPS server" in follow(host, None).wait(EngineState, lambda one: not one.up).error
