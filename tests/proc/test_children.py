"""What a program finds when it begins, whatever initd itself was given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import Pid1
from tests.support.procfs import environment

pytestmark = pytest.mark.proc

HOSTILE = (
    "import os, signal, sys\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD})\n"
    "for name in ('SIGINT', 'SIGUSR2', 'SIGTERM', 'SIGALRM'): signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
    "os.dup2(1, 77)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)
"""A runtime that leaves signals blocked and ignored and a descriptor open."""

LOOK = 'while read -r line; do echo "$line"; done </proc/self/status; ls /proc/$$/fd; echo end; sleep 1000'


@pytest.fixture
def seen(begin: Begin, tmp_path: Path) -> tuple[dict[str, int], set[str]]:
    wrapper = tmp_path / "hostile.py"
    wrapper.write_text(HOSTILE)
    init = begin(f"[program:look]\ncommand=sh -c '{LOOK}'\n", wrapper=(sys.executable, str(wrapper)))
    init.wait_out("end")
    lines = init.out().splitlines()
    pairs = [line.split(":") for line in lines if line.startswith("Sig") and not line.startswith("SigQ")]
    return {name: int(value, 16) for name, value in pairs}, {line for line in lines if line.isdecimal()}


INTERNAL = 1 << 31 | 1 << 32
"""glibc's posix_spawn leaves its own two real-time signals, 32 and 33, ignored."""


def test_mask_empty_dispositions_default_and_nothing_but_three_descriptors(
    seen: tuple[dict[str, int], set[str]],
) -> None:
    sets, descriptors = seen
    alarm = 1 << 14 - 1  # ignored by the runtime, handled by nobody here: passed on
    assert sets["SigBlk"] == 0
    assert sets["SigIgn"] & ~INTERNAL == alarm
    assert descriptors == {"0", "1", "2"}


def test_stdin_is_silent_but_not_at_its_end(begin: Begin) -> None:
    init = begin("[program:reader]\nstartsecs=1\ncommand=cat\n")
    row = init.wait_state("reader", "RUNNING")
    assert row["restarts"] == 0


def environment_of(init: Pid1, name: str) -> dict[str, str]:
    found = (one for one in map(environment, init.children()) if "SUPERVISOR_PROCESS_NAME" in one)
    return next(found)


def test_secrets_stay_here_and_the_rest_arrives_unaltered(begin: Begin) -> None:
    env = {"PIDONE_JOIN": "", "PYTHONPATH": "/app/lib", "PYTHONHOME": "/app", "LANG": "C", "ODD.name": "kept"}
    init = begin('[program:web]\nstartsecs=0\nenvironment=B="x y"\ncommand=sleep 1000\n', env=env)
    init.wait_state("web", "RUNNING")
    found = environment_of(init, "web")
    assert "PIDONE_JOIN" not in found
    assert {key: found[key] for key in ("PYTHONPATH", "PYTHONHOME", "ODD.name", "B", "SUPERVISOR_ENABLED")} == {
        "PYTHONPATH": "/app/lib", "PYTHONHOME": "/app", "ODD.name": "kept", "B": "x y", "SUPERVISOR_ENABLED": "1",
    }  # fmt: skip
    assert set(found) - set(os.environ) - set(env) <= {
        "B", "PIDONE_SOCKET", "SUPERVISOR_ENABLED", "SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME",
    }  # fmt: skip


def test_user_directory_and_umask(begin: Begin, tmp_path: Path) -> None:
    init = begin(
        "[program:who]\nuser=nobody\ndirectory=/\numask=027\ncommand=sh -c 'id -un; pwd; umask; echo end; sleep 1000'\n"
    )
    init.wait_out("end")
    assert init.out().split() == ["nobody", "/", "0027", "end"]


def test_each_program_leads_a_group_of_its_own(begin: Begin) -> None:
    init = begin("[program:a]\nstartsecs=0\ncommand=sleep 1000\n[program:b]\nstartsecs=0\ncommand=sleep 1000\n")
    for name in "ab":
        init.wait_state(name, "RUNNING")
    assert all(os.getpgid(pid) == pid for pid in init.children())


def test_a_failed_start_names_step_and_errno(begin: Begin, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/nowhere/interpreter\n")
    script.chmod(0o755)
    init = begin(
        f"[program:x]\nstartretries=0\ncommand={script}\n"
        "[program:d]\nstartretries=0\ndirectory=/nowhere\ncommand=true\n"
        '[program:q]\nstartretries=0\ncommand="unclosed\n'
    )
    init.wait_state("x", "FATAL")
    found = {row["name"]: (row["cause"], row["step"], row["errno"]) for row in init.exits(3)}
    assert found == {
        "x": ("start failure", "exec", 2), "d": ("start failure", "chdir", 2), "q": ("start failure", "command", None),
    }  # fmt: skip
