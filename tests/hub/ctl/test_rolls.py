"""hubctl's rolling commands against a running hub with agents that obey."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hub.ctl.rolls import bar, verdict, waiting
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub

Run = Callable[..., int]
Out = pytest.CaptureFixture[str]


def row(done: int = 0, failed: int = 0, sent: int = 0, total: int = 10) -> dict[str, object]:
    return {"done": done, "failed": failed, "sent": sent, "left_out": 0, "total": total, "phase": "done"}


def test_a_bar_shows_each_at_its_share() -> None:
    assert bar(row(5, 1, 2), 10) == "[#####!>>..]" and bar(row(), 4) == "[....]" and bar(row(10), 4) == "[####]"


def test_how_it_ends() -> None:
    assert [verdict(row(10)), verdict(row(9, 1)), verdict(row(0, 1))] == [0, 4, 1]
    assert (waiting("ready"), waiting("3")) == (60.0, 3.0)


def test_a_dry_run_lists_the_batches(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("restart", "shop/*", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        "   1  restart shop/web",
        "   2  restart shop/worker",
        "2 processes, 1 at a time; nothing was done",
    ]


def test_a_roll_is_watched_to_its_end(hubctl: Run, hub: LiveHub, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("restart", "shop/*", "--at-a-time", "50%", "--wait", "ready", "--id", "r1") == 0
    assert "[############]   2/2" in capsys.readouterr().out
    commands = [one for one in hub.client.query("commands") if one["id"].startswith("r1.")]
    assert [(one["target"], one["state"]) for one in commands] == [("shop/web", "done"), ("shop/worker", "done")]
    assert hubctl("rolls") == 0 and "no rolls" in capsys.readouterr().out
    assert hubctl("rolls", "--all", "--json") == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == ["r1"]


def test_what_is_wrong_is_usage(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("restart", "shop/web", "--at-a-time", "0") == 2
    assert hubctl("restart", "--container", "shop", "--at-a-time", "1") == 2
    assert hubctl("cancel", "nope") == 1
    assert "no roll has this id" in capsys.readouterr().err
