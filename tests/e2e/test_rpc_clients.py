"""What other people wrote against supervisord, run against initd: supervisorctl, superlance, multivisor."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_ports
from tests.support.rpcclients import clients
from tests.support.rpclab import THEIRS, Daemon
from tests.support.waiting import until

pytestmark = [pytest.mark.proc, pytest.mark.slow]

WEB = "[program:web]\ncommand=sleep 1000\nstdout_logfile={folder}/web.log\n"


@pytest.fixture(scope="module")
def bin() -> Path:
    return clients()


@pytest.fixture
def run() -> Iterator[Any]:
    begun: list[Daemon] = []

    def start(programs: str) -> Daemon:
        begun.append(Daemon("initd", programs))
        return begun[-1].start()

    yield start
    for daemon in begun:
        daemon.destroy()


def listener(command: str, events: str) -> str:
    return f"[eventlistener:it]\ncommand={command}\nevents={events}\nstderr_logfile={{folder}}/it.err\n"


# supervisorctl


def test_the_original_takes_over_a_changed_file(run: Any) -> None:
    daemon = run(WEB + "[program:old]\ncommand=sleep 1000\n")
    pid = daemon.wait_state("web", "RUNNING")["pid"]
    daemon.write(WEB + "[program:new]\ncommand=sleep 1000\n")
    assert daemon.ctl(THEIRS, "reread") == (0, "new: available\nold: disappeared\n")
    assert "new                              avail     auto      999:999\n" in daemon.ctl(THEIRS, "avail")[1]
    assert daemon.ctl(THEIRS, "add", "new") == (0, "new: added process group\n")
    assert daemon.ctl(THEIRS, "add", "new") == (0, "ERROR: process group already active\n")
    assert daemon.ctl(THEIRS, "remove", "old") == (1, "ERROR: process/group still running: old\n")
    assert daemon.ctl(THEIRS, "update") == (0, "old: stopped\nold: removed process group\n")
    assert daemon.ctl(THEIRS, "update") == (0, "")
    daemon.wait_state("new", "RUNNING")
    assert daemon.wait_state("web", "RUNNING")["pid"] == pid
    daemon.write(WEB.replace("1000", "2000"))
    assert daemon.ctl(THEIRS, "reread") == (0, "new: disappeared\nweb: changed\n")
    told = daemon.ctl(THEIRS, "update", "web")
    assert told == (0, "web: stopped\nweb: updated process group\n")
    assert daemon.wait_state("web", "RUNNING")["pid"] != pid
    daemon.write(WEB + "autostart=perhaps\n")
    code, told = daemon.ctl(THEIRS, "reread")
    assert code == 1 and told.startswith("ERROR: CANT_REREAD: ")
    assert daemon.wait_state("new", "RUNNING")


def test_the_original_talks_in_the_foreground(run: Any) -> None:
    """Its second thread follows the log; ended before it has connected, or while it sleeps, it fails or waits 30 s."""
    daemon = run("[program:cat]\ncommand=cat\n")
    daemon.wait_state("cat", "RUNNING")
    told = daemon.folder / "fg.out"
    argv = [*THEIRS, "-c", str(daemon.ini), "fg", "cat"]
    with told.open("w") as out:
        talk = subprocess.Popen(argv, stdin=-1, stdout=out, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert talk.stdin
    until(lambda: "==> Press Ctrl-C to exit <==" in told.read_text())
    talk.stdin.write("hello\n")
    talk.stdin.flush()
    until(lambda: "hello\n" in told.read_text())
    talk.stdin.close()
    until(lambda: "Exiting foreground" in told.read_text())
    until(lambda: daemon.rpc.sendProcessStdin("cat", "wake up\n") and talk.poll() is not None)
    assert talk.wait() == 0


@pytest.mark.parametrize("word", ["shutdown", "reload"])
def test_the_original_ends_it_or_starts_it_over(run: Any, word: str) -> None:
    daemon = run(WEB)
    pid = daemon.wait_state("web", "RUNNING")["pid"]
    said = {"shutdown": "Shut down\n", "reload": "Restarted supervisord\n"}
    assert daemon.ctl(THEIRS, word) == (0, said[word])
    if word == "shutdown":
        assert daemon.process.wait(60) == 0
    else:
        until(lambda: daemon.answers() and daemon.rpc.getProcessInfo("web")["pid"] not in (0, pid))


# superlance


def test_memmon_restarts_what_is_too_big(run: Any, bin: Path) -> None:
    daemon = run(WEB + listener(f"{bin}/memmon -p web=1KB", "TICK_5"))
    pid = daemon.wait_state("web", "RUNNING")["pid"]
    until(lambda: daemon.wait_state("web", "RUNNING")["pid"] != pid, 60, "memmon restarts web")
    assert "Restarting web:web" in (daemon.folder / "it.err").read_text()
    assert daemon.rpc.getProcessInfo("it")["statename"] == "RUNNING"


class Sick(http.server.BaseHTTPRequestHandler):
    """A web page that does not work."""

    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        pass


def test_httpok_restarts_what_does_not_answer(run: Any, bin: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Sick) as sick:
        threading.Thread(target=sick.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{sick.server_port}/"
        daemon = run(WEB + listener(f"{bin}/httpok -t 5 -p web {url}", "TICK_5"))
        pid = daemon.wait_state("web", "RUNNING")["pid"]
        until(lambda: daemon.wait_state("web", "RUNNING")["pid"] != pid, 60, "httpok restarts web")
        sick.shutdown()


def test_crashmail_tells_of_an_unexpected_exit(run: Any, bin: Path) -> None:
    mail = "/bin/sh -c 'cat >{folder}/mail.tmp && mv {folder}/mail.tmp {folder}/mail'"
    script = "#!/bin/sh\nexec " + mail + "\n"
    daemon = Daemon("initd", "[program:x]\ncommand=true\nautostart=false\n")
    try:
        sender = daemon.folder / "send"
        sender.write_text(script.replace("{folder}", str(daemon.folder)))
        sender.chmod(0o755)
        crash = '[program:web]\ncommand=/bin/sh -c "sleep 2; exit 3"\nautorestart=false\n'
        other = Daemon(
            "initd", crash + listener(f"{bin}/crashmail -p web -m me@localhost -s {sender}", "PROCESS_STATE_EXITED")
        )
        try:
            other.start()
            text = until(lambda: _text(daemon.folder / "mail"), 60, "the mail")
            assert "Process web in group web exited unexpectedly" in text
        finally:
            other.destroy()
    finally:
        daemon.destroy()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


# multivisor


def test_multivisor_shows_and_steers(run: Any, bin: Path, tmp_path: Path) -> None:
    port, web = free_ports(2)
    daemon = run(
        WEB + listener(f"{bin}/multivisor-rpc --bind=tcp://127.0.0.1:{port}", "PROCESS_STATE,SUPERVISOR_STATE_CHANGE")
    )
    daemon.wait_state("it", "RUNNING")
    config = tmp_path / "multivisor.conf"
    config.write_text(f"[global]\nname=test\n[supervisor:here]\nurl=127.0.0.1:{port}\n")
    with open(tmp_path / "log", "wb") as log:
        server = subprocess.Popen(
            [str(bin / "multivisor"), "-c", str(config), f"--bind=127.0.0.1:{web}"], stdout=log, stderr=log
        )
    try:
        api = f"http://127.0.0.1:{web}/api"
        rows = until(lambda: _processes(api), 60, "multivisor knows the processes")
        assert {row["name"]: row["statename"] for row in rows}["web"] == "RUNNING"
        pid = daemon.wait_state("web", "RUNNING")["pid"]
        uid = next(row["uid"] for row in rows if row["name"] == "web")
        _post(f"{api}/process/restart", f"uid={uid}")
        until(lambda: daemon.wait_state("web", "RUNNING")["pid"] != pid, 60, "multivisor restarts web")
        _post(f"{api}/process/stop", f"uid={uid}")
        daemon.wait_state("web", "STOPPED")
        until(lambda: _state(api, "web") == "STOPPED", 60, "multivisor hears of it by an event")
    finally:
        server.kill()
        server.wait()


def _processes(api: str) -> list[dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{api}/data", timeout=10) as answer:
            data = json.load(answer)
    except OSError:
        return []
    return [row for one in data["supervisors"].values() for row in one["processes"].values()]


def _state(api: str, name: str) -> str | None:
    return next((row["statename"] for row in _processes(api) if row["name"] == name), None)


def _post(url: str, form: str) -> None:
    with urllib.request.urlopen(url, form.encode(), timeout=30) as answer:
        assert answer.status == 200
