"""hubctl history: steps, points, and what it prints of a running hub."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import inf

import pytest

from hub.ctl.past import ROWS, STEPS, points, step_of
from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from tests.support.waiting import until

Run = Callable[..., int]
Out = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("text", "span", "step"),
    [(None, 300.0, 5.0), (None, 3600.0, 60.0), (None, 86400.0, 1800.0), ("10m", 60.0, 600.0), ("raw", 60.0, None)],
)
def test_a_step_is_as_typed_or_fits_a_screen(text: str | None, span: float, step: float | None) -> None:
    assert step_of(text, span) == step


@pytest.mark.parametrize("span", [10.0, 3600.0, 86400.0, 30 * 86400.0])
def test_a_usual_step_gives_few_rows(span: float) -> None:
    step = step_of(None, span)
    assert step in STEPS and span / (step or inf) <= ROWS


def test_points_are_rows_with_age_gap_and_restart() -> None:
    found = {"times": (0.0, 60.0, 600.0), "columns": {"cpu": (0.5, None, 0.25)}, "step": 60.0}
    rows = points({**found, "gaps": ((60.0, 600.0),), "restarts": (61.0,)}, 660.0)
    assert [(row["at"], row["age"], row["cpu"]) for row in rows] == [
        (0.0, 660.0, 0.5),
        (60.0, 600.0, None),
        (600.0, 60.0, 0.25),
    ]
    assert [row["note"] for row in rows] == ["", "restarted", "gap of 9m before"]


@pytest.fixture(scope="module")
def sampled(shop: LiveAgent, hub: LiveHub) -> None:
    """Some samples of shop are kept."""

    def kept() -> bool:
        shop.publish([0.5, 0.25])
        return len(hub.client.history("shop/web")["times"]) > 1

    until(kept, what="two samples are kept")


@pytest.mark.usefixtures("sampled")
def test_a_process_as_a_table_with_ages(hubctl: Run, capsys: Out) -> None:
    assert hubctl("history", "shop/web", "--since", "5m") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["WHEN", "CPU", "MOST"] and "AGE" in head
    assert all(re.search(r"\d\d:\d\d:\d\d +50\.0% +50\.0% .* \d+s +(-|restarted)$", row) for row in rows) and rows


@pytest.mark.usefixtures("sampled")
def test_a_process_as_json_raw(hubctl: Run, capsys: Out) -> None:
    assert hubctl("history", "shop/worker", "--step", "raw", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["step"] is None and {row["cpu"] for row in said["points"]} == {0.25}
    assert all(row["age"] >= 0 for row in said["points"])


@pytest.mark.usefixtures("sampled")
def test_a_container(hubctl: Run, capsys: Out) -> None:
    assert hubctl("history", "--container", "shop", "--step", "raw") == 0
    assert "100.0%" in capsys.readouterr().out


@pytest.mark.usefixtures("sampled")
def test_what_is_wrong_is_usage_and_what_is_unknown_fails(hubctl: Run, capsys: Out) -> None:
    assert hubctl("history", "shop") == 2
    assert hubctl("history", "shop/web", "--since", "5") == 2
    assert hubctl("history", "nope/web") == 1
    assert hubctl("history", "--container", "nope") == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and "AGENT/PROGRAM" in said[0] and "90s, 10m" in said[1] and "hubctl agents" in said[2]


def test_metrics_are_text_for_prometheus(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("metrics") == 0
    out = capsys.readouterr().out
    assert 'pidone_agents{presence="live"} 1\n' in out and "# TYPE pidone_store_queue gauge\n" in out
