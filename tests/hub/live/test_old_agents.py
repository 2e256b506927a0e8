"""Agents of earlier releases, by their own code, join a hub of today and obey it."""

from __future__ import annotations

import sysconfig
import tarfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until

KEPT = sorted((Path(__file__).parents[2] / "releases").glob("*.tar.xz"))


def interpreter(folder: Path) -> Path:
    """One that knows what ours does, but not this tree: `-I` would find its link before theirs."""
    venv.create(folder, with_pip=False)
    [site] = folder.glob("lib/python3*/site-packages")
    (site / "needs.pth").write_text(f"{sysconfig.get_path('purelib')}\n")  # nested .pth files are not read
    return folder / "bin" / "python"


@pytest.fixture(params=KEPT, ids=lambda path: path.name)
def box(request: pytest.FixtureRequest, hub: LiveHub, tmp_path: Path) -> Iterator[LiveInitd]:
    """A container's initd and link of then that has joined the hub of today."""
    with tarfile.open(request.param) as tar:
        tar.extractall(tmp_path / "site")
    (tmp_path / "box").mkdir()
    environ = {"PIDONE_JOIN": hub.join(labels={"team": "blue"}).format()}
    one = LiveInitd(tmp_path / "box", "[program:web]\ncommand=sleep 1000\n", **environ)
    one.launcher = (interpreter(tmp_path / "python"), "-IS", str(tmp_path / "site/initd/prefix.py"), "initd")
    yield one.start()
    one.destroy()


def agent(hub: LiveHub) -> dict[str, Any] | None:
    """Its row, once it is live and its program has figures."""
    rows = [row for row in hub.client.agents(all=True) if row["presence"] == "live"]
    return rows[0] if rows and any(row.get("rss") for row in hub.client.ps()) else None


def test_it_joins_shows_figures_obeys_and_says_goodbye(hub: LiveHub, box: LiveInitd) -> None:
    row = until(lambda: agent(hub), what=f"{box.log}")
    assert row["name"] == "box" and row["labels"] == {"team": "blue"}
    before = box.pid_of("web")
    hub.client.wait(hub.client.command("box/web", "restart"))
    assert box.pid_of("web") != before
    [exit] = until(hub.client.exits)
    assert exit["cause"] == "stopped" and exit["by"] == "hub:admin"
    assert box.stop() == 0
    until(lambda: [one for one in hub.client.agents(all=True) if one["presence"] == "gone"])


def test_it_comes_back_to_a_hub_that_was_killed(hub: LiveHub, box: LiveInitd) -> None:
    first = until(lambda: agent(hub), what=f"{box.log}")
    hub.kill()
    hub.start()
    again = until(lambda: agent(hub), what=f"{box.log}")
    assert (again["agent"], again["boot"]) == (first["agent"], first["boot"])
