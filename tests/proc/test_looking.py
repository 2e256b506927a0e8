"""The verbs people type for reloads, scaling, top and metrics, against a real initd."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import INITD, Pid1
from tests.support.waiting import until

pytestmark = pytest.mark.proc

SLEEP = "command=sleep 1000\nstartsecs=0\n"
POOL = f"[program:w]\n{SLEEP}process_name=w%(process_num)d\nnumprocs=2\n"
BUSY = "[program:busy]\ncommand=sh -c 'while :; do :; done & while :; do :; done'\nstartsecs=0\nstopasgroup=true\n"


def run(init: Pid1, *argv: str) -> subprocess.CompletedProcess[str]:
    """A verb, typed inside the container."""
    inside = ("nsenter", "-t", str(init.pid), "-p", "-m") if init.namespaced else ()
    return subprocess.run((*inside, INITD, *argv, "-s", init.socket), capture_output=True, text=True, timeout=60)


def rewrite(init: Pid1, text: str) -> None:
    (init.folder / "app.ini").write_text(f"[supervisord]\npidfile={init.folder}/pid\n{text}")


def test_a_reload_is_tried_first_and_then_done(begin: Begin) -> None:
    init = begin(POOL)
    init.wait_state("w1", "RUNNING")
    rewrite(init, POOL + f"priority=5\n[program:new]\n{SLEEP}environment=SECRET=hush\n")
    tried = run(init, "reload", "--dry-run")
    assert tried.returncode == 0, tried.stderr
    assert re.search(r"^changed  w:w0: goes on running, takes it over at once   .*app\.ini:3$", tried.stdout, re.M)
    assert re.search(r"^ +priority: 999 -> 5   .*app\.ini:8$", tried.stdout, re.M)
    assert re.search(r"^added    new   .*app\.ini:9$", tried.stdout, re.M) and "hush" not in tried.stdout
    done = run(init, "reload")
    assert done.returncode == 0 and "new is RUNNING" in done.stdout
    assert run(init, "reload", "--dry-run").stdout == "nothing would change\n"
    assert json.loads(run(init, "reload", "--dry-run", "--json").stdout)["differences"] == []


def test_what_a_changed_file_is_warned_of_is_told_with_its_line(begin: Begin) -> None:
    init = begin(POOL)
    init.wait_state("w1", "RUNNING")
    rewrite(init, POOL + "pririty=5\n")
    for words in (("reload", "--dry-run"), ("reload",)):
        told = run(init, *words)
        assert told.returncode == 0 and re.search(r"^initd: warning: .*app\.ini:8: .*pririty", told.stderr, re.M), told
    init.send(signal.SIGHUP)
    init.wait_said(r"warning: .*app\.ini:8: .*pririty")


def test_a_file_with_errors_is_told_with_its_line(begin: Begin) -> None:
    init = begin(POOL)
    init.wait_state("w1", "RUNNING")
    rewrite(init, "[program:w]\ncommand=x\nstartsecs=soon\n")
    refused = run(init, "reload")
    assert refused.returncode == 1 and "app.ini:5: startsecs" in refused.stderr


def test_scaling_by_hand(begin: Begin) -> None:
    init = begin(POOL)
    init.wait_state("w1", "RUNNING")
    assert run(init, "scale", "w", "3").stdout.startswith("w:w2 is RUNNING")
    assert run(init, "scale", "w", "0").returncode == 0 and init.ask("status") == []
    assert run(init, "scale", "nobody", "1").returncode == 1


def test_top_shows_what_programs_use_with_their_children(begin: Begin) -> None:
    init = begin(POOL + BUSY)
    init.wait_state("busy", "RUNNING")
    text = run(init, "top", "--once").stdout
    assert text.splitlines()[0].split() == ["NAME", "STATE", "PID", "CPU", "MEMORY", "PROCS", "UPTIME", "RESTARTS"]
    assert text.splitlines()[1].startswith("busy")
    [busy] = [row for row in json.loads(run(init, "top", "--json").stdout) if row["full_name"] == "busy"]
    assert busy["processes"] == 2 and busy["cpu"] > 0.1 and busy["rss"] > 100_000


def test_metrics_are_open_metrics(begin: Begin) -> None:
    init = begin(POOL + BUSY)
    init.wait_state("busy", "RUNNING")
    lines = run(init, "metrics").stdout.splitlines()
    assert lines[-1] == "# EOF"
    samples = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+', one) for one in samples)
    assert 'initd_program_running{name="w:w0",group="w"} 1' in samples
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families)) and "initd_reaped_processes" in families
    values = dict(one.rsplit(" ", 1) for one in samples)
    assert int(values["initd_open_fds"]) > 5 and float(values["initd_longest_stall_seconds"]) > 0


def test_about_reports_on_initd_itself(begin: Begin) -> None:
    init = begin(POOL)
    init.wait_state("w1", "RUNNING")
    counters = init.ask("about")["counters"]
    assert counters["caught"] == 0 and counters["signals_ignored"] == 0
    assert 0 < counters["longest_stall"] < 10 and counters["fds"] > 5


def scrape(port: int, path: str = "/metrics") -> tuple[int, str]:
    """Status and body of one scrape, once somebody answers."""

    def attempt() -> tuple[int, str] | None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return None
        finally:
            client.close()

    found = until(lambda: attempt(), 60)
    assert found is not None
    return found


def test_metrics_are_served_where_the_file_asks_for_it(begin: Begin) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    init = begin(f"{POOL}[initd]\nmetrics=127.0.0.1:{port}\n")
    status, body = scrape(port)
    assert status == 200 and body.endswith("# EOF\n") and 'initd_program_running{name="w:w0",group="w"}' in body
    assert scrape(port, "/etc/passwd")[0] == 404
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    assert init.ask("about")["state"] == "running"
    for one in idle:
        one.close()
    assert scrape(port)[0] == 200
    rewrite(init, POOL)
    assert init.ask("update", wait=30)["processes"] == []
    until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) != 0, 60)
    assert init.stop() == 0
