"""Environments from files with a real initd: read at each start, and secrets nowhere but in the program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import INITD, Pid1
from tests.support.procfs import environment, runs
from tests.support.waiting import until

pytestmark = pytest.mark.proc

SECRET = "hunter2-correct-horse"


def variables(init: Pid1) -> dict[str, str]:
    """The environment of the program, once it is executed."""
    [pid] = until(lambda: [pid for pid in init.children() if runs(pid, "sleep")], what="the program")
    return environment(pid)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SECRET + "\n")
    return tmp_path / "secret"


def config(tmp_path: Path) -> str:
    return (
        "[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\nuser=nobody\nset_home=true\n"
        f"env_allow=PATH,KEEP*\nenv_file=../more.env,-nowhere\nsecrets=PW={tmp_path}/secret\nenvironment=A=1\n"
    )


def test_a_program_has_what_was_asked_for_and_no_more(begin: Begin, secret: Path, tmp_path: Path) -> None:
    (tmp_path / "more.env").write_text("X='a b'\nA=2\n")
    init = begin(config(tmp_path), env={"KEEP_ME": "1", "DROP_ME": "1"})
    init.wait_state("web", "RUNNING")
    found = variables(init)
    assert {name for name in found if not name.startswith(("SUPERVISOR_", "PIDONE_"))} == {
        "PATH", "KEEP_ME", "X", "A", "PW", "HOME", "USER", "LOGNAME", "SHELL",
    }  # fmt: skip
    assert [found[name] for name in ("X", "A", "PW", "USER")] == ["a b", "1", SECRET, "nobody"]


def test_files_are_read_at_each_start(begin: Begin, secret: Path, tmp_path: Path) -> None:
    init = begin(f"[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\nsecrets=PW={secret}\n")
    init.wait_state("web", "RUNNING")
    secret.write_text("new")
    init.ask("restart", names=["web"], wait=30)
    assert variables(init)["PW"] == "new"


def test_a_missing_file_is_a_failed_start_with_its_step(begin: Begin, tmp_path: Path) -> None:
    init = begin(f"[initd]\n[program:web]\nstartretries=0\ncommand=sleep 1000\nsecrets=PW={tmp_path}/nowhere\n")
    init.wait_state("web", "FATAL")
    record = init.exits()[0]
    assert (record["cause"], record["step"], record["errno"]) == ("start failure", "environment", 2)
    assert f"web did not start: environment: {tmp_path}/nowhere: No such file or directory" in init.said()


def test_a_secret_is_nowhere_but_in_the_program(begin: Begin, secret: Path, tmp_path: Path) -> None:
    text = f"[initd]\nloglevel=trace\n[program:web]\nstartsecs=0\ncommand=sleep 1000\nsecrets=PW={secret}\n"
    init = begin(text)
    init.wait_state("web", "RUNNING")
    assert variables(init)["PW"] == SECRET
    init.ask("restart", names=["web"], wait=30)
    answers = [init.ask(verb) for verb in ("about", "status", "events", "exits", "healthy")]
    explained = subprocess.run([INITD, "explain", "--json", "-c", str(init.folder / "app.ini")], capture_output=True)
    initial = Path(f"/proc/{init.pid}/environ").read_bytes()
    said = json.dumps(answers) + init.said() + explained.stdout.decode()
    assert str(secret) in said
    assert SECRET not in said
    assert SECRET.encode() not in initial


def test_a_value_in_place_of_a_path_is_not_repeated(begin: Begin) -> None:
    init = begin(f"[initd]\n[program:web]\ncommand=sleep 1\nsecrets=PW={SECRET}\n")
    assert init.wait() != 0
    assert "PW: write the path of the file that holds it" in init.said()
    assert SECRET not in init.said()
