"""A running initd takes over a changed file, and touches only what changed."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import Pid1
from tests.support.waiting import until

pytestmark = pytest.mark.proc

SLEEP = "command=sleep 1000\nstartsecs=0\n"
WEB = f"[program:web]\n{SLEEP}"


def rewrite(init: Pid1, text: str) -> None:
    (init.folder / "app.ini").write_text(f"[supervisord]\npidfile={init.folder}/pid\n{text}")


def pids(init: Pid1) -> dict[str, int | None]:
    return {row["full_name"]: row["pid"] for row in init.ask("status")}


def error(init: Pid1, verb: str, **args: object) -> Any:
    """A request that is refused."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(init.socket)
        client.sendall(json.dumps({"id": 1, "verb": verb, "args": args}).encode() + b"\n")
        reply = json.loads(client.makefile("rb").readline())
    assert not reply["ok"], reply
    return reply["error"]


def test_only_what_changed_is_touched(begin: Begin) -> None:
    init = begin(WEB + f"[program:db]\n{SLEEP}[program:old]\n{SLEEP}")
    before = {name: init.wait_state(name, "RUNNING")["pid"] for name in ("web", "db", "old")}
    rewrite(init, WEB + f"priority=3\n[program:db]\n{SLEEP}umask=077\n[program:new]\n{SLEEP}")
    told = init.ask("reread")
    assert told["groups"] == {"added": ["new"], "changed": ["web", "db"], "removed": ["old"]}
    assert pids(init) == before
    result = init.ask("update", wait=30)
    assert result["outcome"] == "done", result
    after = pids(init)
    assert (
        after["web"] == before["web"] and after["db"] not in (before["db"], None) and set(after) == {"web", "db", "new"}
    )
    assert init.ask("reread")["differences"] == []


def test_a_file_with_errors_changes_nothing(begin: Begin) -> None:
    init = begin(WEB)
    pid = init.wait_state("web", "RUNNING")["pid"]
    rewrite(init, "[program:web]\ncommand=other\nstartsecs=soon\n")
    for verb in ("reread", "update", "reload"):
        told = error(init, verb)
        assert told["code"] == "bad-configuration" and "app.ini:5: startsecs" in told["message"]
    assert pids(init) == {"web": pid}


def test_one_group_alone(begin: Begin) -> None:
    init = begin(WEB)
    init.wait_state("web", "RUNNING")
    rewrite(init, f"[program:a]\n{SLEEP}[program:b]\n{SLEEP}")
    assert init.ask("update", groups=["a"], wait=30)["outcome"] == "done"
    assert set(pids(init)) == {"web", "a"}
    assert error(init, "update", groups=["nobody"])["code"] == "unknown-group"


def test_add_and_remove(begin: Begin) -> None:
    init = begin(WEB)
    init.wait_state("web", "RUNNING")
    rewrite(init, WEB + f"[program:a]\n{SLEEP}")
    assert error(init, "add", group="web")["code"] == "already-there"
    assert init.ask("add", group="a", wait=30)["outcome"] == "done"
    assert error(init, "remove", group="a")["code"] == "still-running"
    init.ask("stop", names=["a"], wait=30)
    assert init.ask("remove", group="a", wait=30)["outcome"] == "done"
    assert set(pids(init)) == {"web"} and error(init, "add", group="zzz")["code"] == "unknown-group"


POOL = f"[program:w]\n{SLEEP}process_name=w%(process_num)d\nnumprocs=2\n"


def test_scaling_up_and_down_keeps_the_others(begin: Begin) -> None:
    init = begin(POOL)
    before = {name: init.wait_state(name[2:], "RUNNING")["pid"] for name in ("w:w0", "w:w1")}
    assert init.ask("scale", program="w", count=4, wait=30)["outcome"] == "done"
    more = pids(init)
    assert len(more) == 4 and {name: more[name] for name in before} == before
    assert init.ask("update", wait=30)["processes"] == []
    assert init.ask("scale", program="w", count=1, wait=30)["outcome"] == "done"
    assert pids(init) == {"w:w0": before["w:w0"]}


def test_scaling_needs_names_for_all(begin: Begin) -> None:
    init = begin(WEB)
    init.wait_state("web", "RUNNING")
    assert "process_num" in error(init, "scale", program="web", count=2)["message"]
    assert error(init, "scale", program="nobody", count=2)["code"] == "unknown-program"
    assert init.ask("scale", program="web", count=0, wait=30)["outcome"] == "done" and pids(init) == {}
    assert init.ask("scale", program="web", count=1, wait=30)["outcome"] == "done"


def test_a_reload_forgets_the_scale(begin: Begin) -> None:
    init = begin(POOL)
    init.wait_state("w1", "RUNNING")
    init.ask("scale", program="w", count=3, wait=30)
    assert init.ask("reload")["outcome"] == "done"
    until(lambda: set(pids(init)) == {"w:w0", "w:w1"}, 60)


def test_writing_to_a_program(begin: Begin, tmp_path: Path) -> None:
    init = begin("[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n")
    init.wait_state("cat", "RUNNING")
    assert init.ask("write", name="cat", text="hällo\n")["written"] == 7
    init.wait_out("hällo")
    init.ask("stop", names=["cat"], wait=30)
    assert error(init, "write", name="cat", text="x")["code"] == "not-running"


def test_who_does_not_read_is_refused_and_waits_for_nobody(begin: Begin) -> None:
    init = begin(WEB)
    init.wait_state("web", "RUNNING")
    for _ in range(6):
        init.ask("write", name="web", text="x" * 48_000)
    assert error(init, "write", name="web", text="x" * 48_000)["code"] == "not-writable"
    assert init.stop() == 0


def test_hup_during_a_shutdown_is_ignored(begin: Begin) -> None:
    init = begin(
        "[program:deaf]\ncommand=sh -c 'trap \"\" TERM; while :; do sleep 1; done'\nstartsecs=0\nstopwaitsecs=3\n"
    )
    init.wait_state("deaf", "RUNNING")
    init.send(signal.SIGTERM)
    os.kill(init.pid, signal.SIGHUP)
    init.wait_said("ignored, everything is being stopped")
    assert init.wait() == 0
