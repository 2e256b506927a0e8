"""The client scripts in conf/examples run as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakehub import FakeHub
from tests.support.zap import Doorkeeper

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "conf/examples/list_and_restart.py"
ROW = {"agent_name": "web-1", "process": "app", "state": "RUNNING", "age": 0.25}


@pytest.fixture
def hub(context: Any, doorkeeper: Doorkeeper, tmp_path: Path) -> Iterator[FakeHub]:
    hub = FakeHub(
        context, doorkeeper, ps=lambda args: [ROW], command=lambda args: {**args, "state": "accepted"},
        command_state=lambda args: {**args, "state": "done", "result": {"app": "RUNNING"}},
    )  # fmt: skip
    hub.key.save(tmp_path / "client.json")
    yield hub
    hub.stop()


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PIDONE_CLIENT_KEY": str(tmp_path / "client.json"), "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, SCRIPT, *words], env=environ, capture_output=True, text=True, timeout=60)


def test_it_lists_and_restarts(hub: FakeHub, tmp_path: Path) -> None:
    done = run(tmp_path, "web-1/app")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("web-1/app  RUNNING  0.2 s ago\nrestarted:")


def test_it_says_what_is_wrong(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 1 and "client.json" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["list_and_restart.py", "inside_container.py"])
def test_an_example_is_short(name: str) -> None:
    assert len((ROOT / "conf/examples" / name).read_text().splitlines()) <= 27
