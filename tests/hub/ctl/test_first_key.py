"""hubctl beside a hub that is only just starting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ctl.verbs import main
from tests.support.livehub import LiveHub
from wire.keys import JoinString

Out = pytest.CaptureFixture[str]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LiveHub]:
    """A hub that was never started."""
    hub = LiveHub(tmp_path)
    yield hub
    hub.stop()


def test_a_token_at_once_waits_for_the_hub_and_its_key(fresh: LiveHub, capsys: Out) -> None:
    key = fresh.folder / "state" / "client" / "admin.json"
    codes: list[int] = []
    asking = threading.Thread(
        target=lambda: codes.append(main(["--key", str(key), "--timeout", "60", "token", "create"]))
    )
    asking.start()
    fresh.start()
    asking.join(120)
    assert codes == [0] and JoinString.parse(capsys.readouterr().out).hubs


def test_a_hub_that_never_comes_is_told_after_the_time(tmp_path: Path, capsys: Out) -> None:
    begun = time.monotonic()
    assert main(["--key", str(tmp_path / "admin.json"), "--timeout", "0.3", "agents"]) == 3
    assert time.monotonic() - begun >= 0.3
    assert "admin.json: not there after 0.3 s; hubd makes it at its first start" in capsys.readouterr().err


def test_a_key_that_a_person_named_wrongly_is_told_at_once(tmp_path: Path, capsys: Out) -> None:
    assert main(["--key", str(tmp_path / "eve.json"), "--timeout", "3600", "agents"]) == 2
    assert "eve.json" in capsys.readouterr().err
