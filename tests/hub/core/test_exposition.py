"""The fleet as metrics: every family declared, every label bounded, stale figures left out, promtool content."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from hub.engines.reports import ContainerSample
from hub.monitor.exposition import Exposition
from hub.monitor.families import FAMILIES
from hub.monitor.metrics import METRICS
from hub.scraping import Scrapes
from tests.support import promtool
from tests.support.corehub import CoreHub, container, listing
from tests.support.facts import exit_record
from tests.support.waiting import until
from wire.model import CONTAINER_COLUMNS, Cause
from wire.openmetrics import OPEN, PLAIN, SUFFIX
from wire.scrape import Unavailable

CONF = Path(__file__).resolve().parents[3] / "conf"
SERIES = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)')
EXPOSED = {metric.name for metric in METRICS} | {one.name + SUFFIX.get(one.kind, "") for one in FAMILIES}


def scrape(hub: CoreHub, dialect: str = OPEN) -> str:
    exposition = Exposition(hub.core.fleet, dialect)
    for _ in exposition.steps(hub.now):
        pass
    return "".join(exposition.parts(hub.core.exposed(dialect)))


def series(text: str) -> dict[str, float]:
    """Name with labels -> value."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(SERIES.fullmatch(line) for line in lines), lines
    found = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
    assert len(found) == len(lines), "no series stands there twice"
    return found


@pytest.fixture
def fleet(hub: CoreHub) -> CoreHub:
    """A container on an engine, an agent in it, and one on its own with hostile names."""
    box = container(1, at=hub.now.wall, image="shop:1")
    hub.report(*listing(hub.now.wall, box))
    values = tuple(float(n) for n in range(len(CONTAINER_COLUMNS)))
    hub.report(ContainerSample("e1", box.id, hub.now.wall, values))
    agent = hub.agent("shop", "web", "pool:w_0", container=box.id)
    hub.sample(agent, 0.5, 1.25)
    hub.feed_event(agent, exit_record(1, "web", cause=Cause.OOM, expected=False))
    other = hub.agent('e"v\\i\nl', "we b")
    hub.sample(other, 0.5)
    return hub


def test_every_level_of_the_fleet_is_there(fleet: CoreHub) -> None:
    found = series(scrape(fleet))
    shop = next(name for name in found if name.startswith('pidone_agent_up{agent="box-1"'))
    labels = shop.partition("{")[2].rstrip("}")
    assert found[shop] == 1
    assert found[f'pidone_program_cpu_cores{{{labels},program="web"}}'] == 0.5
    assert found[f'pidone_program_state{{{labels},program="pool:w_0",state="RUNNING"}}'] == 1
    assert found[f'pidone_process_resident_bytes{{{labels},program="web",process="web",pid="100"}}'] == 1e6
    assert found[f'pidone_container_oom_kills_total{{container="box-1",container_id="{"0" * 12}",host="e1"}}'] == 3
    assert found['pidone_exits_total{cause="oom",expected="no"}'] == 1
    assert found['pidone_engine_up{engine="e1"}'] == 1 and found['pidone_engine_containers{host="e1"}'] == 0


def test_the_whole_is_open_metrics(fleet: CoreHub) -> None:
    text = scrape(fleet)
    assert text.endswith("# EOF\n") and "\n\n" not in text
    families: dict[str, str] = {}
    current = ""
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            _, _, current, kind = line.split()
            assert current not in families, "a family stands there once, in one piece"
            families[current] = kind
        elif not line.startswith("#"):
            assert re.split(r"[{ ]", line)[0] == current + SUFFIX.get(families[current], ""), line
    assert 'agent="e\\"v\\\\i\\nl"' in text
    assert "# UNIT pidone_container_memory_bytes bytes" in text


@pytest.mark.prometheus
def test_promtool_finds_nothing_wrong(fleet: CoreHub) -> None:
    assert promtool.lint(scrape(fleet, PLAIN)) == ""
    assert "# TYPE pidone_messages_total counter" in scrape(fleet, PLAIN)


def test_what_is_stale_or_gone_has_no_figures(fleet: CoreHub) -> None:
    fleet.wait(60.0)
    found = series(scrape(fleet))
    assert not [name for name in found if name.startswith(("pidone_process_", "pidone_program_"))]
    assert [value for name, value in found.items() if name.startswith("pidone_agent_up")] == [0, 0]
    assert found['pidone_agents{presence="lost"}'] == 2


def test_a_scrape_is_bounded_and_says_so(fleet: CoreHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.monitor.exposition.LINES", 1)
    found = series(scrape(fleet))
    assert found["pidone_scrape_left_out"] == 3


def test_every_family_has_words_and_a_unit_at_its_end() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert all(family.help.endswith(".") and family.name.startswith("pidone_") for family in FAMILIES)
    assert not [family.name for family in FAMILIES if family.name.endswith(("_total", "_info", "_count"))]


def named(expression: str) -> set[str]:
    """Metrics and recorded series that an expression names."""
    return set(re.findall(r"[a-z]*:?pidone_[a-z_]+(?::[a-z0-9]+)?", expression))


def recorded() -> dict[str, str]:
    """Recorded series -> expression, by the two lines each rule has."""
    lines = (CONF / "prometheus" / "recording.yml").read_text().splitlines()
    names = [line.partition("record: ")[2] for line in lines if "record: " in line]
    return dict(zip(names, [line.partition("expr: ")[2] for line in lines if "expr: " in line], strict=True))


@pytest.mark.prometheus
def test_recording_rules_are_sound_and_name_what_exists() -> None:
    rules = recorded()
    assert len(rules) >= 10
    for name, expression in rules.items():
        assert named(expression) and named(expression) <= EXPOSED, name
    command = [promtool.program("promtool"), "check", "rules", str(CONF / "prometheus" / "recording.yml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_names_what_exists() -> None:
    board = json.loads((CONF / "grafana" / "pidone.json").read_text())
    panels: list[dict[str, Any]] = [one for one in board["panels"] if one["type"] != "row"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    expressions += [one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    known = EXPOSED | set(recorded())
    for expression in expressions:
        assert named(expression) and named(expression) <= known, expression
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) and len(panels) >= 15


def test_a_fault_ends_one_scrape_and_not_the_hub(fleet: CoreHub, monkeypatch: pytest.MonkeyPatch) -> None:
    scrapes = Scrapes(fleet.core, lambda: None)
    found: list[str] = []

    def ask() -> None:
        try:
            found.append("".join(scrapes.parts(OPEN)))
        except Unavailable as error:
            found.append(str(error))

    def answered() -> list[Any]:
        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: scrapes.asked)
        events = [event for _ in range(20) for event in scrapes.turn(fleet.now)]
        thread.join(20)
        return events

    with monkeypatch.context() as patched:
        patched.setattr(fleet.core, "exposed", lambda dialect: 1 / 0)
        (event,) = answered()
    with pytest.raises(ZeroDivisionError):
        fleet.feed(event)
    answered()
    assert "could not be measured" in found[0] and found[1].endswith("# EOF\n")


def test_the_document_is_up_to_date() -> None:
    docs = CONF.parent / "docs"
    page = runpy.run_path(str(docs / "make_metrics.py"))["page"]
    assert page() == (docs / "metrics.md").read_text(), "run: python docs/make_metrics.py"
