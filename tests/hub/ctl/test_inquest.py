"""hubctl exits, why and storms against a running hub."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from hub.ctl.inquest import line_of
from tests.support.facts import exit_record
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from wire.model import Cause, Fact

Run = Callable[..., int]
Out = pytest.CaptureFixture[str]


def died(seq: int, ago: float, **changes: Any) -> Fact:
    return exit_record(seq, **changes)._replace(at=time.time() - ago)


@pytest.fixture(scope="module")
def ended(shop: LiveAgent, hub: LiveHub) -> None:
    """A crash loop of web, and a worker that was stopped."""
    lines = ("starting", "ImportError: \x1b[31mredis")
    crashes = [died(n, 9 - n, signal=None, code=1, cause=Cause.EXIT, last_lines=lines) for n in range(1, 6)]
    stopped = died(6, 1, name="worker", cause=Cause.STOPPED, by="hub:alice", command="stop 6f1c", expected=True)
    shop.tell(*crashes, stopped)


@pytest.mark.usefixtures("ended")
def test_exits_are_searched(hubctl: Run, capsys: Out) -> None:
    assert hubctl("exits", "--text", "importerror", "--code", "1", "--program", "w*", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 5
    assert hubctl("exits", "shop", "--who", "alice") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert "WHO" in head and len(rows) == 1 and "hub:alice (stop 6f1c)" in rows[0]
    assert hubctl("exits", "--signal", "NOPE") == 2


@pytest.mark.usefixtures("ended")
def test_exits_are_grouped_with_an_example(hubctl: Run, capsys: Out) -> None:
    assert hubctl("exits", "--group-by", "cause,program") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["CAUSE", "PROGRAM", "COUNT", "AGENTS"] and "EXAMPLE" in head
    assert rows[0].split()[:4] == ["exit", "web", "5", "1"] and "ImportError: \\x1b[31mredis" in rows[0]
    assert hubctl("exits", "--group-by", "pid") == 2


@pytest.mark.usefixtures("ended")
def test_why_ends_with_a_verdict(hubctl: Run, capsys: Out) -> None:
    assert hubctl("why", "shop/worker") == 0
    *lines, verdict = capsys.readouterr().out.splitlines()
    assert verdict == "verdict: worker stopped by hub:alice through stop 6f1c"
    assert any("exit" in line and "worker" in line for line in lines) and not any("web" in line for line in lines)
    assert hubctl("why", "shop/web") == 0
    said = capsys.readouterr().out.splitlines()
    assert "a crash storm goes on" in said[-1] and any(" storm " in line for line in said) and "\x1b" not in said[0]


@pytest.mark.usefixtures("ended")
def test_a_storm_is_listed_once(hubctl: Run, capsys: Out) -> None:
    assert hubctl("storms") == 0
    _, row = capsys.readouterr().out.splitlines()
    assert row.split()[:3] == ["shop", "web", "5"] and "goes on" in row
    assert hubctl("storms", "nobody") == 0
    assert "no crash storms" in capsys.readouterr().out


def test_a_line_is_coloured_only_where_asked() -> None:
    entry = {"at": 0.0, "kind": "exit", "about": "web", "text": "exit 1\x07"}
    assert "\x1b" not in line_of(entry, False) and "web: exit 1\\x07" in line_of(entry, False)
    assert "\x1b[31mexit" in line_of(entry, True)
