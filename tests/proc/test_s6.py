"""What s6's documentation promises of a supervisor, where it applies to initd; s6 has no test suite of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import INITD, Pid1
from tests.support.procfs import status
from tests.support.waiting import until

pytestmark = pytest.mark.proc


def stamps(init: Pid1) -> list[float]:
    return [float(line) for line in init.out().split() if line.replace(".", "").isdigit()]


def test_runs_of_a_program_that_ends_at_once_are_a_second_apart(begin: Begin) -> None:
    """s6-supervise never starts more than once a second; here the first five deaths are forgiven."""
    init = begin("[program:x]\ncommand=cut -d' ' -f1 /proc/uptime\nstartsecs=0\nautorestart=true\n")
    runs = until(lambda: found if len(found := stamps(init)) >= 9 else None)
    assert runs[8] - runs[6] > 1.8, runs


FINISH = (
    "[program:x]\nstartsecs=0\nautorestart=false\ncommand=sh -c '{run}'\npost_stop=sh -c 'env | grep ^PIDONE_EXIT_'\n"
)


@pytest.mark.parametrize(("run", "said"), [("exit 7", "CODE=7"), ("kill -9 $$", "SIGNAL=SIGKILL")])
def test_the_finish_hook_learns_how_it_ended(begin: Begin, run: str, said: str) -> None:
    """./finish gets the exit code, or the signal."""
    init = begin(FINISH.format(run=run))
    init.wait_out(said)


def test_a_finish_hook_that_hangs_is_killed(begin: Begin) -> None:
    """./finish may take 5 s by default; here it is an option."""
    init = begin(
        "[program:x]\nstartsecs=0\ncommand=sh -c 'echo run; exit 1'\npost_stop=sleep 1000\npost_stop_timeout=0.5\n"
        "autorestart=true\n"
    )
    init.wait_out("run\nrun")


def test_so_many_deaths_in_so_much_time_are_a_permanent_failure(begin: Begin) -> None:
    """s6-permafailon 60 3 1-255."""
    init = begin("[program:x]\ncommand=sh -c 'exit 1'\nstartsecs=0\nautorestart=true\ncrash_loop=3 in 60s\nbackoff=0\n")
    init.wait_state("x", "FATAL")
    assert len(init.exits(3)) == 3


def test_down_sends_term_then_cont_and_kills_after_its_timeout(begin: Begin) -> None:
    """s6-svc -d; timeout-kill."""
    deaf = "sh -c 'trap \"echo told\" TERM; echo up; while :; do sleep 0.1; done'"
    init = begin(f"[program:deaf]\ncommand={deaf}\nstopwaitsecs=1\nstartsecs=0\n")
    init.wait_out("up")
    [shell] = until(lambda: [pid for pid in init.children() if status(pid, "Name") == "sh"])
    os.kill(shell, signal.SIGSTOP)
    init.ask("stop", names=["deaf"], wait=20)
    [record] = init.exits(1)
    assert "told" in init.out() and record["signal"] == signal.SIGKILL


def test_readiness_is_a_newline_on_a_descriptor(begin: Begin) -> None:
    """notification-fd."""
    init = begin(
        "[program:db]\ncommand=sh -c 'sleep 0.5; echo listening; echo >&3; exec sleep 1000'\nreadiness=fd:3\n"
        "[program:web]\ncommand=sh -c 'echo web; exec sleep 1000'\ndepends_on=db:ready\n"
    )
    init.wait_out("listening\nweb")


def test_a_second_one_on_the_same_socket_leaves_the_first_alone(begin: Begin, tmp_path: Path) -> None:
    """A second s6-supervise on one directory gives up; a second initd runs without that socket."""
    init = begin("[program:x]\ncommand=sleep 1000\nstartsecs=0\n", namespace=False)
    init.wait_state("x", "RUNNING")
    config = tmp_path / "second.ini"
    config.write_text(f"[supervisord]\npidfile={tmp_path}/pid2\n[program:y]\ncommand=sh -c 'sleep 1; kill $PPID'\n")
    environ = {**os.environ, "PIDONE_SOCKET": init.socket}
    done = subprocess.run([INITD, "-c", config], env=environ, capture_output=True, text=True, timeout=60)
    assert init.socket in done.stderr
    assert [row["name"] for row in init.ask("status")] == ["x"]


def test_the_log_outlives_the_program_and_loses_no_line_at_shutdown(begin: Begin) -> None:
    """s6's loggers end after their services."""
    words = (
        'trap "for i in 1 2 3 4 5 6 7 8 9; do echo last \\$i; done; exit 0" TERM; echo up; while :; do sleep 0.05; done'
    )
    init = begin(f"[program:x]\ncommand=sh -c '{words}'\nstartsecs=0\n")
    init.wait_out("up")
    assert init.stop() == 0
    assert [line for line in init.out().splitlines() if "last" in line] == [f"last {i}" for i in range(1, 10)]


@pytest.fixture
def family(begin: Begin) -> Iterator[Pid1]:
    """A program whose leader obeys while a member of its group does not."""
    script = 'sh -c "trap : TERM; echo member; while :; do sleep 0.1; done" & echo up; exec sleep 1000'
    yield begin(f"[program:x]\ncommand=sh -c '{script}'\nstartsecs=0\nstop_scope=group\nstopwaitsecs=1\n")


def test_the_whole_group_is_ended_where_that_is_asked(family: Pid1) -> None:
    """flag-timeout-killpg."""
    family.wait_out("member")
    family.ask("stop", names=["x"], wait=20)
    until(lambda: family.children() == [])
