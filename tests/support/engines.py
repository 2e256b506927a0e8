"""Docker engines for tests: the machine's own, an Engine 26, and hosts behind TLS, with containers that go away again.

Fixtures (import them into a conftest.py): `engine`, `engine26`, `tls_hosts`.  A missing engine fails the test where
services are promised and skips it loudly elsewhere.  Containers, images and namespaces are named pidone-test-*.
The engines of our own are shared by nobody: a lock file keeps a second test run waiting.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import itertools
import os
import shutil
import tarfile
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from hub.engines.api import Tls
from tests.lab import engine26 as lab26
from tests.lab import hosts
from tests.support.services import absent

DEFAULT = "unix:///var/run/docker.sock"
_APPLETS = ("sh", "sleep", "true", "false", "cat", "dd", "echo", "head", "tail", "kill", "sync", "nc", "test", "touch")
IMAGE = f"pidone-test-busybox:{hashlib.sha256(' '.join(_APPLETS).encode()).hexdigest()[:8]}"
_numbers = itertools.count()


def image_archive() -> bytes:
    """A root file system with busybox and nothing else, as a tar archive."""
    busybox = shutil.which("busybox")
    if busybox is None:
        absent("busybox-static", "apt-get install busybox-static")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        for name in ("tmp", "etc", "proc"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o777
            archive.addfile(folder)
    return buffer.getvalue()


class RealEngine:
    """An engine, with what a test needs to put containers on it."""

    def __init__(self, url: str, tls: Tls | None = None) -> None:
        """Connects to it and imports the image if it is not there."""
        self.url, self.tls = url, tls
        config = tls and docker.tls.TLSConfig(client_cert=(tls.cert, tls.key), ca_cert=tls.ca, verify=True)
        self.api = docker.APIClient(url, version="1.41", tls=config or False, timeout=60, max_pool_size=32)
        self.api.trust_env = False
        self._mine: list[str] = []
        if not self.api.images(IMAGE, quiet=True):
            repository, _, tag = IMAGE.partition(":")
            self.api.import_image_from_data(image_archive(), repository=repository, tag=tag)

    def create(self, command: list[str], labels: dict[str, str] | None = None, **host: Any) -> str:
        """Id of a new container; `host` are options of create_host_config, and `healthcheck`."""
        health = host.pop("healthcheck", None)
        made = self.api.create_container(
            IMAGE,
            command,
            name=f"pidone-test-{os.getpid()}-{next(_numbers)}",
            labels=labels,
            healthcheck=health,
            host_config=self.api.create_host_config(**host),
        )
        self._mine.append(made["Id"])
        return str(made["Id"])

    def run(self, script: str, **options: Any) -> str:
        """Id of a new container that runs a shell script."""
        identity = self.create(["sh", "-c", script], **options)
        self.api.start(identity)
        return identity

    def clean(self) -> None:
        """Remove the containers made here."""
        while self._mine:
            try:
                self.api.remove_container(self._mine.pop(), force=True, v=True)
            except docker.errors.APIError:
                continue


class Hosts:
    """Hosts behind TLS; see tests.lab.hosts."""

    tls = Tls(str(hosts.PKI / "ca.pem"), str(hosts.PKI / "client.pem"), str(hosts.PKI / "client-key.pem"))
    stranger = Tls(str(hosts.PKI / "ca.pem"), *(str(hosts.STRANGER / f) for f in ("client.pem", "client-key.pem")))
    """Trusts the engines, but they do not know its certificate."""
    misled = Tls(str(hosts.STRANGER / "ca.pem"), str(hosts.PKI / "client.pem"), str(hosts.PKI / "client-key.pem"))
    """Does not trust the engines."""
    url, cut, mend, kill, start = map(staticmethod, (hosts.url, hosts.cut, hosts.mend, hosts.kill, hosts.start))

    def __init__(self, count: int) -> None:
        hosts.up(count)
        self.engines = {host: RealEngine(hosts.url(host), self.tls) for host in range(1, count + 1)}

    def clean(self) -> None:
        """Remove all containers, and undo what a test did to a host."""
        for host, engine in self.engines.items():
            hosts.mend(host)
            hosts.start(host)
            engine.clean()


def need(what: str, *programs: str) -> None:
    """End the test unless it runs as root and the programs are installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        absent(what, f"run script/test as root ({', '.join(missing) or 'it is not root'} missing)")


@pytest.fixture(scope="module")
def _engines_lock() -> Iterator[None]:
    """One test run at a time has engines of its own; for a module only, so that others need not wait for a session."""
    with open("/tmp/pidone-test-engines.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def _root_engine() -> RealEngine:
    try:
        return RealEngine(DEFAULT)
    except (docker.errors.DockerException, OSError) as error:
        absent("a Docker engine", f"script/engine start ({error})")


@pytest.fixture
def engine(_root_engine: RealEngine) -> Iterator[RealEngine]:
    """The machine's own engine; containers of the test are removed after it."""
    yield _root_engine
    _root_engine.clean()


@pytest.fixture(scope="module")
def _engine26(_engines_lock: None) -> Iterator[RealEngine]:
    need("an Engine 26", "mmdebstrap", "nsenter", "ip", "curl")
    try:
        lab26.up()
        yield RealEngine(lab26.URL)
    finally:
        lab26.down()


@pytest.fixture
def engine26(_engine26: RealEngine) -> Iterator[RealEngine]:
    """An Engine 26 of our own; containers of the test are removed after it."""
    yield _engine26
    _engine26.clean()


@pytest.fixture(scope="module")
def _tls_hosts(_engines_lock: None) -> Iterator[Hosts]:
    need("Docker hosts of our own", "dockerd", "openssl", "nsenter", "ip", "curl")
    try:
        yield Hosts(2)
    finally:
        hosts.down()


@pytest.fixture
def tls_hosts(_tls_hosts: Hosts) -> Iterator[Hosts]:
    """Hosts 1 and 2 behind TLS; mended, started and emptied after the test."""
    yield _tls_hosts
    _tls_hosts.clean()
