"""A real hub reads its file of alert rules again: for SIGHUP, and for hubctl; a bad file changes nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ctl.verbs import main
from tests.support.livehub import LiveHub
from tests.support.waiting import until

pytestmark = pytest.mark.proc
RULE = "[alert:{name}]\non = agent\nif = age > {age}\nsummary = {{agent}} is quiet\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "alerts.ini"
    made.write_text(RULE.format(name="quiet", age=60))
    return made


@pytest.fixture
def hub(tmp_path: Path, file: Path) -> Iterator[LiveHub]:
    (tmp_path / "hub").mkdir()
    hub = LiveHub(tmp_path / "hub")
    hub.ini.write_text(hub.ini.read_text() + f"alerts = {file}\n")
    yield hub.start()
    hub.stop()


def ctl(hub: LiveHub, *words: str) -> int:
    return main(["--key", str(hub.folder / "state" / "client" / "admin.json"), "alerts", *words])


def test_sighup_reads_the_file_again(hub: LiveHub, file: Path) -> None:
    file.write_text(RULE.format(name="silent", age=90))
    assert hub.process is not None
    hub.process.send_signal(signal.SIGHUP)
    until(lambda: hub.said("alerts: rule silent added"), 20.0)
    assert hub.said("alerts: rule quiet removed")
    file.write_text("[alert:silent]\non = nothing\n")
    hub.process.send_signal(signal.SIGHUP)
    until(lambda: hub.said("alerts: nothing is changed"), 20.0)


def test_hubctl_shows_what_would_change_then_changes_it(
    hub: LiveHub, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(RULE.format(name="quiet", age=30))
    assert ctl(hub, "reload", "--dry-run") == 0
    assert "60.0 -> age > 30.0" in capsys.readouterr().out and not hub.said("alerts: rule quiet changed")
    assert ctl(hub, "reload") == 0
    assert hub.said("alerts: rule quiet changed")
    assert ctl(hub, "reload") == 0
    assert "nothing has changed" in capsys.readouterr().out


def test_hubctl_tells_what_is_wrong_with_the_file(hub: LiveHub, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("[alert:silent]\non = nothing\n")
    assert ctl(hub, "reload") != 0
    assert "alerts.ini:2" in capsys.readouterr().err
