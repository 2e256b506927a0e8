"""A real Alertmanager takes what the sink sends: an alert begins, is repeated, and is over."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.alerts.couriers import Courier
from hub.alerts.notices import Item, Notice
from hub.alerts.rules import Sink
from tests.support.ports import free_ports
from tests.support.services import absent
from tests.support.waiting import until

CONFIG = "route:\n  receiver: none\nreceivers:\n  - name: none\n"
LABELS = {"agent": "shop-1", "com.docker/service": 'sh"op\n', "härte": "ü", "9lives": "x", "empty": ""}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("prometheus-alertmanager") or absent(
        "prometheus-alertmanager", "script/prepare tests, or apt-get install prometheus-alertmanager"
    )
    (tmp_path / "alertmanager.yml").write_text(CONFIG)
    port = free_ports(1)[0]
    command = [program, "--config.file", str(tmp_path / "alertmanager.yml"), "--storage.path", str(tmp_path / "data")]
    command += ["--web.listen-address", f"127.0.0.1:{port}", "--cluster.listen-address", ""]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


def known(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


@pytest.mark.slow
def test_an_alert_begins_is_repeated_and_is_over(url: str) -> None:
    said: list[str] = []
    courier = Courier(Sink("am", "alertmanager", url, "", "", "", "info", True, 5.0), said.append)
    courier.start()
    now = time.time()
    item = Item("a1/web", "shop-1/web is FATAL", LABELS, now - 5)
    head = ("h/program-fatal/e1", 1, "firing", "program-fatal", "e1", "critical", item.summary)
    firing = Notice(*head, (item,), (), 1, now, "hub-1")
    try:
        for one in (firing, firing._replace(state="refresh")):
            courier.post(one)
            until(lambda: not courier.waiting, 60)
        (alert,) = until(lambda: known(url))
        assert alert["labels"]["alertname"] == "program-fatal" and alert["labels"]["agent"] == "shop-1"
        assert alert["labels"]["com_docker_service"] == 'sh"op\n' and alert["labels"]["_9lives"] == "x"
        assert alert["annotations"]["summary"] == "shop-1/web is FATAL"
        courier.post(firing._replace(epoch=2, state="resolved", firing=(), ended=(item._replace(ended=now),)))
        until(lambda: not known(url), 60)
        assert courier.counts["delivered"] == 3 and courier.counts["refused"] == 0
    finally:
        courier.stop()
