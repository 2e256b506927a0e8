"""Dependencies and probes of every kind, by a real PID 1 with real programs."""

from __future__ import annotations

import sys

import pytest

from tests.proc.conftest import Begin

pytestmark = pytest.mark.proc

PYTHON = sys.executable
SERVE = (
    f'{PYTHON} -c "import http.server as h, sys; '
    "h.HTTPServer(('127.0.0.1', 18081), h.SimpleHTTPRequestHandler).serve_forever()\""
)
NOTIFY = (
    f'{PYTHON} -c "import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); '
    "s.connect(chr(0) + os.environ['NOTIFY_SOCKET'][1:]); {}\""
)


def program(name: str, command: str, *options: str) -> str:
    return "\n".join([f"[program:{name}]", f"command={command}", "startsecs=0", *options, ""])


def first_of(said: list[str], *names: str) -> list[str]:
    return [name for name in said if name in names]


def test_they_come_up_in_order_and_go_down_in_reverse(begin: Begin) -> None:
    trap = "sh -c 'trap \"echo {0} down; exit\" TERM; echo {0} up; while :; do sleep 0.05; done'"
    init = begin(
        program("web", trap.format("web"), "depends_on=app")
        + program("app", trap.format("app"), "depends_on=db", "readiness=log:app up")
        + program("db", trap.format("db"), "readiness=log:*db up")
    )
    init.wait_out("web up")
    assert init.stop() == 0
    assert init.out().split("\n")[:6] == ["db up", "app up", "web up", "web down", "app down", "db down"]


def test_waiting_for_a_one_shot(begin: Begin) -> None:
    init = begin(
        program("web", "sleep 1000", "depends_on=migrate:done")
        + program("migrate", "sh -c 'while ! test -e go; do sleep 0.05; done'", "type=oneshot")
    )
    row = init.wait_state("web", "STOPPED")
    assert row["why"] == "waits for migrate:done"
    (init.folder / "go").touch()
    init.wait_state("web", "RUNNING")


@pytest.mark.parametrize(
    ("command", "probe"),
    [
        (SERVE, "tcp:127.0.0.1:18081"),
        (SERVE, "http://localhost:18081/"),
        ("sh -c 'sleep 0.2; touch made; sleep 1000'", "exec:test -e made"),
        ("sh -c 'sleep 0.2; touch made; sleep 1000'", "file:%(here)s/made"),
        ("sh -c 'sleep 0.2; echo >&5; sleep 1000'", "fd:5"),
        ("sh -c 'sleep 0.2; echo now ready; sleep 1000'", "log:ready"),
        (NOTIFY.format("time.sleep(0.2); s.send(b'READY=1'); time.sleep(1000)"), "sd_notify"),
    ],
    ids=["tcp", "http", "exec", "file", "fd", "log", "sd_notify"],
)
def test_every_kind_of_readiness(begin: Begin, command: str, probe: str) -> None:
    init = begin(program("web", command, f"readiness={probe}", "readiness_interval=0.1") + "directory=%(here)s\n")
    init.wait_state("web", "RUNNING")
    bodies = [(row["mono"], row["body"]) for row in init.ask("events") if row["kind"] == "state"]
    [started, ready] = [mono for mono, body in bodies if body["state"] in ("STARTING", "RUNNING")]
    assert ready - started > 0.03, "without the probe it would be RUNNING at once"


def test_who_is_not_ready_is_given_up(begin: Begin) -> None:
    options = ("readiness=tcp:127.0.0.1:1", "readiness_within=2", "startretries=0")
    init = begin(program("web", "sleep 1000", *options))
    assert "Connection refused" in init.wait_state("web", "FATAL")["why"]


def test_who_fails_its_liveness_is_replaced(begin: Begin) -> None:
    options = ("liveness=exec:test -e alive", "liveness_interval=0.1", "liveness_failures=2", "directory=%(here)s")
    init = begin(program("web", "sh -c 'touch alive; exec sleep 1000'", *options))
    init.wait_state("web", "RUNNING")
    (init.folder / "alive").unlink()
    [record] = init.exits(1)
    assert record["cause"] == "probe"
    init.wait_state("web", "RUNNING")


def test_a_probe_that_hangs_is_killed(begin: Begin) -> None:
    options = ("liveness=exec:sleep 1000", "liveness_interval=0.1", "liveness_timeout=0.1", "liveness_failures=2")
    init = begin(program("web", "sleep 1000", *options))
    assert init.exits(1)[0]["cause"] == "probe"
    assert init.stop() == 0


def test_a_watchdog(begin: Begin) -> None:
    speak = "[s.send(b'WATCHDOG=1') or time.sleep(0.1) for _ in range(5)]; time.sleep(1000)"
    init = begin(
        program("web", NOTIFY.format(speak), "liveness=watchdog", "liveness_interval=2", "liveness_failures=1")
    )
    assert init.exits(1)[0]["cause"] == "probe"


def test_a_stranger_may_not_say_ready(begin: Begin) -> None:
    init = begin(
        program("web", "sh -c 'echo $NOTIFY_SOCKET >address; sleep 1000'", "readiness=sd_notify", "directory=%(here)s")
        + program(
            "evil",
            f'{PYTHON} -c "import socket, time; time.sleep(0.5); s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); '
            "s.sendto(b'READY=1', chr(0) + open('address').read().strip()[1:]); time.sleep(1000)\"",
            "directory=%(here)s",
        )
    )
    init.wait_said("none of its processes")
    assert init.wait_state("web", "STARTING")


def test_a_file_that_changes(begin: Begin) -> None:
    options = ("restart_on_change=%(here)s/*.conf", "restart_look=0.1")
    init = begin(program("web", "sleep 1000", *options))
    init.wait_state("web", "RUNNING")
    (init.folder / "new.conf").touch()
    assert init.exits(1)[0]["cause"] == "renewal"


def test_too_much_memory(begin: Begin) -> None:
    eat = f"sh -c \"{PYTHON} -c 'import time; x = bytearray(60 << 20); time.sleep(1000)'\""
    init = begin(program("web", eat, "restart_memory=50MB", "restart_look=0.2"))
    assert init.exits(1)[0]["cause"] == "renewal"


def test_a_schedule(begin: Begin) -> None:
    init = begin(program("job", "echo ran", "schedule=every 1s") + program("other", "sleep 1000"))
    init.wait_out("ran\nran")
    assert "next run 2" in init.wait_state("job", "EXITED")["why"]
