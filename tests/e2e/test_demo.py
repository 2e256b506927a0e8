"""script/demo: all seven steps hold on every kind of place, it ends when it is told to, and nothing is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from demo import __main__ as program
from demo import view
from demo.bare import BareFleet
from demo.fleet import Fleet, StepFailed, until
from tests.support import services
from tests.support.containers import ROOT, docker, need_engine

DEMO = [sys.executable, "-E", "-s", "-m", "demo"]
HOLDS = re.compile(r"^ok   \d +\d+\.\d s ", re.MULTILINE)
ROW = {"agent_name": "shop-1", "process": "web", "state": "RUNNING", "pid": 7, "cpu": 0.5, "rss": 2e6, "age": 1.0}
AGENT = {"name": "shop-1", "presence": "live"}
END = {"agent_name": "shop-1", "name": "leaker", "cause": "oom", "signal": 9}
CHECK_SECONDS = 900


def check(*options: str, before: tuple[str, ...] = (), **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the seven steps; a failure shows all that was said."""
    done = subprocess.run(
        [*before, *DEMO, "--check", *options],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=CHECK_SECONDS,
    )
    assert done.returncode == 0 and len(HOLDS.findall(done.stdout)) == 7, done.stdout + done.stderr
    return done


def running_in(place: str) -> list[str]:
    """Processes that have a directory in their command line or environment, hubs, boxes and programs alike."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        found += [str(process)] if place.encode() in text else []
    return found


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.timeout(CHECK_SECONDS)
def test_all_steps_hold_in_containers() -> None:
    need_engine()
    check("--prefix", f"check-{os.getpid()}")
    assert docker("ps", "-aq", "--filter", f"label=pidone.demo=check-{os.getpid()}").stdout == ""
    assert docker("network", "ls", "-q", "--filter", f"label=pidone.demo=check-{os.getpid()}").stdout == ""


@pytest.mark.engine
def test_a_second_demo_of_one_name_is_refused_and_harms_nothing() -> None:
    need_engine()
    prefix = f"check-{os.getpid()}-twice"
    rival = subprocess.Popen([sys.executable, "-c", "input()", " -m demo"], stdin=subprocess.PIPE)
    claim = ["--label", f"pidone.demo={prefix}", "--label", f"pidone.demo.owner={rival.pid}"]
    network = docker("network", "create", *claim, f"{prefix}-net").stdout.strip()
    try:
        done = subprocess.run([*DEMO, "--prefix", prefix], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and f"runs already, pid {rival.pid}" in done.stderr
        docker("network", "inspect", network)
    finally:
        rival.communicate(b"\n")
        docker("network", "rm", network)


@pytest.mark.proc
@pytest.mark.slow
@pytest.mark.timeout(CHECK_SECONDS)
def test_all_steps_hold_in_pid_namespaces(tmp_path: Path) -> None:
    services.need_root()
    check("--bare", TMPDIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == [] and running_in(str(tmp_path)) == []


@pytest.mark.proc
@pytest.mark.slow
@pytest.mark.timeout(CHECK_SECONDS)
def test_all_steps_hold_for_an_ordinary_user(tmp_path: Path) -> None:
    services.need_root()
    ordinary = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    done = check("--bare", before=ordinary, HOME="/nonexistent", PYTHONDONTWRITEBYTECODE="1")
    assert "subreapers" in done.stderr


def live(place: Path) -> subprocess.Popen[bytes]:
    """A live demo without an engine, once it shows the last program of a box."""
    process = subprocess.Popen(
        [*DEMO, "--bare"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    deadline = time.monotonic() + 120
    while b"worker:worker_02" not in process.stdout.readline():
        assert time.monotonic() < deadline
    assert len(running_in(str(place))) > 10
    return process


@pytest.mark.proc
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_live_until_interrupted_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    demo = live(tmp_path)
    demo.send_signal(number)
    demo.communicate(timeout=90)
    assert demo.returncode == 0
    assert list(tmp_path.iterdir()) == [] and running_in(str(tmp_path)) == []


@pytest.mark.proc
@pytest.mark.slow
def test_what_it_started_ends_with_it_even_after_kill_9(tmp_path: Path) -> None:
    demo = live(tmp_path)
    demo.kill()
    demo.communicate(timeout=90)
    until(lambda: running_in(str(tmp_path)) == [], "everything gone")


def test_a_step_that_fails_is_told_and_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(fleet: Fleet) -> str:
        """pigs fly"""
        raise StepFailed("they walk")

    fleet = BareFleet()
    monkeypatch.setattr(program, "STEPS", (lambda fleet: "fine", wrong))
    monkeypatch.setattr(program, "start", lambda fleet: None)
    assert program.check(fleet) == 1
    fleet.down()
    assert "FAIL 2    0.0 s  pigs fly: StepFailed: they walk" in capsys.readouterr().out


def test_waiting_ends_and_says_for_what() -> None:
    with pytest.raises(StepFailed, match=r"waited 0 s for rain; last seen: \[\]"):
        until(list, "rain", 0)


def test_a_hub_that_does_not_answer_yet_is_waited_for() -> None:
    answers = iter([ConnectionRefusedError("not yet"), "here"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert until(ask, "the hub") == "here"


def test_frame_shows_figures_and_what_to_try() -> None:
    text = view.frame(view.Picture([AGENT], [ROW], [END]), ["hubctl ps"], 100, 30)
    assert "agents: 1 live" in text and "0.50" in text and "2 MB" in text and "try:   hubctl ps" in text
    assert "ended: shop-1/leaker by oom, signal 9" in text


def test_frame_of_the_whole_demo_fits_the_smallest_terminal() -> None:
    rows = [{**ROW, "agent_name": f"shop-{number % 4}"} for number in range(18)]
    lines = view.frame(view.Picture([AGENT] * 4, rows, [END] * 9), ["one", "two"], 80, 24).splitlines()
    assert len(lines) == 23 and [line[:6] for line in lines[2:20]] == sorted(row["agent_name"] for row in rows)
    assert [line.split()[0] for line in lines[20:]] == ["ended:", "try:", "ctrl-C"]


def test_frame_fits_the_terminal_and_obeys_no_name() -> None:
    evil = "evil\x1b[2J\n" + "x" * 500
    rows = [{**ROW, "process": evil, "state": evil, "stale": True, "rss": None}] * 200
    agents = [{"name": evil, "presence": evil}] * 50
    text = view.frame(view.Picture(agents, rows, [{**END, "name": evil, "cause": evil}]), [], 80, 24)
    lines = text.splitlines()
    assert len(lines) < 24 and max(map(len, lines)) <= 80 and "\x1b" not in text
    assert "... and 183 more" in text


def test_what_the_hub_said_last_stays_while_it_does_not_answer() -> None:
    class Silent(BareFleet):
        def client(self) -> NoReturn:
            raise ConnectionRefusedError("nobody\x1b there")

    fleet = Silent()
    seen = program.look(fleet, view.Picture([AGENT], [ROW]))
    fleet.down()
    text = view.frame(seen, [], 80, 24)
    assert text.startswith("the last picture; now the hub does not answer: nobody? there") and "0.50" in text
