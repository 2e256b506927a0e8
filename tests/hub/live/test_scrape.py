"""/metrics of a running hub: whom it lets in, what it does under a flood, and a real Prometheus that scrapes it."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import promtool
from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub
from tests.support.ports import free_ports
from tests.support.services import absent
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]


class Scraped:
    """A hub with /metrics."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.port = free_ports(1)[0]
        self.hub = LiveHub(folder, period=0.5, more=f"metrics = 127.0.0.1:{self.port}\n{more}").start()

    def get(self, path: str = "/metrics", tls: ssl.SSLContext | None = None, **headers: str) -> tuple[int, str]:
        """Status and body."""
        url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, headers=headers), timeout=30, context=tls
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    one = Scraped(tmp_path_factory.mktemp("scraped"))
    yield one
    one.hub.stop()


@pytest.fixture(scope="module")
def shop(scraped: Scraped) -> Iterator[LiveAgent]:
    agent = joined(scraped.hub.join(), "shop", "web", "worker")
    agent.live()
    yield agent
    agent.close()


@pytest.mark.prometheus
def test_a_scrape_shows_hub_agents_and_programs(scraped: Scraped, shop: LiveAgent) -> None:
    status, text = scraped.get(Accept="application/openmetrics-text")
    assert status == 200 and text.endswith("# EOF\n")
    assert 'pidone_agents{presence="live"} 1' in text and 'program="worker"' in text
    until(lambda: "pidone_hub_resident_bytes " in scraped.get()[1])
    assert promtool.lint(scraped.get()[1]) == ""


def test_a_flood_of_scrapers_does_not_hold_up_the_hub(scraped: Scraped, shop: LiveAgent) -> None:
    end, statuses = time.monotonic() + 2.0, []

    def flood() -> None:
        while time.monotonic() < end:
            try:
                statuses.append(scraped.get()[0])
            except OSError:
                statuses.append(0)

    threads = [threading.Thread(target=flood) for _ in range(20)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while time.monotonic() < end:
        began = time.monotonic()
        scraped.hub.client.about()
        slowest = max(slowest, time.monotonic() - began)
    for thread in threads:
        thread.join(30)
    assert 200 in statuses and slowest < 2.0
    assert scraped.hub.client.about()["agents"] == {"live": 1}


def test_a_token_is_asked_for_and_can_be_changed(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    one = Scraped(tmp_path, f"metrics_token_file = {token}\n")
    try:
        assert [one.get()[0], one.get(Authorization="Bearer firs")[0]] == [401, 401]
        assert one.get(Authorization="Bearer first")[0] == 200
        token.write_text("second")
        assert [one.get(Authorization=f"Bearer {text}")[0] for text in ("first", "second")] == [401, 200]
        token.write_text("")
        assert one.get(Authorization="Bearer ")[0] == 503
    finally:
        one.hub.stop()


def certificates(folder: Path) -> None:
    """ca, server (127.0.0.1) and client, by openssl."""
    if shutil.which("openssl") is None:
        absent("openssl", "apt-get install openssl")
    quiet: dict[str, Any] = {"cwd": folder, "check": True, "capture_output": True}
    new = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=ca"
    subprocess.run([*new.split(), "-addext", "keyUsage=critical,keyCertSign"], **quiet)
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        ask = f"openssl req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        subprocess.run(ask.split(), **quiet)
        sign = f"openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -days 2 -out {name}.pem -extfile san"
        subprocess.run(sign.split(), **quiet)


def test_a_client_certificate_is_asked_for(tmp_path: Path) -> None:
    certificates(tmp_path)
    files = {"cert": "server.pem", "key": "server.key", "client_ca": "ca.pem"}
    one = Scraped(tmp_path, "".join(f"metrics_{name} = {tmp_path}/{file}\n" for name, file in files.items()))
    try:
        nobody = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with pytest.raises(OSError):
            one.get(tls=nobody)
        known = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        known.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
        assert one.get(tls=known)[0] == 200
    finally:
        one.hub.stop()


@pytest.mark.slow
@pytest.mark.prometheus
def test_a_real_prometheus_scrapes_and_records(scraped: Scraped, shop: LiveAgent, tmp_path: Path) -> None:
    text = (ROOT / "conf" / "prometheus" / "prometheus.yml").read_text()
    text = text.replace("127.0.0.1:9464", f"127.0.0.1:{scraped.port}").replace("15s", "1s")
    (tmp_path / "prometheus.yml").write_text(text)
    shutil.copy(ROOT / "conf" / "prometheus" / "recording.yml", tmp_path)
    port = free_ports(1)[0]
    command = [promtool.program("prometheus"), "--config.file", str(tmp_path / "prometheus.yml")]
    command += ["--storage.tsdb.path", str(tmp_path / "data"), "--web.listen-address", f"127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log:
        prometheus = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)

    def value(query: str) -> float | None:
        url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            return None
        return float(found[0]["value"][1]) if found else None

    try:
        assert until(lambda: value('up{job="pidone"}'), 60) == 1
        assert until(lambda: value('pidone_agents{presence="live"}'), 60) == 1
        assert until(lambda: value("count(pidone_program_running)"), 60) == 2
        assert until(lambda: value("host:pidone_agents_up:sum"), 120) == 1
        assert until(lambda: value("hub:pidone_fds:ratio"), 60)
    finally:
        prometheus.terminate()
        prometheus.wait(30)
