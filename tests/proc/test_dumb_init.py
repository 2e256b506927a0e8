"""Called as dumb-init, initd does what dumb-init's own tests ask of it, and ends as the original does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.names import called, original, statuses, terminal
from tests.support.pid1 import Pid1
from tests.support.procfs import descendants, status
from tests.support.waiting import until

pytestmark = pytest.mark.proc

MODES = {"session": "1", "single child": "0"}
HEARD = [n for n in range(1, 32) if n not in (9, 17, 19, 20, 21, 22)]
ECHO = """
import signal
signals = set(range(1, 32)) - {9, 17, 19}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
print("ready", flush=True)
while True:
    print(f"got {signal.sigwait(signals):d}.", flush=True)
"""
"""Blocked, they wait until it asks: between a handler's end and the next pause() one would go unheard."""


@pytest.fixture
def dumb_init(tmp_path: Path) -> str:
    return called("dumb-init", tmp_path)


def echo(begin: Begin, *launcher: str, mode: str = "session") -> Pid1:
    """It with a command that says each signal it gets."""
    init = begin(
        command=(sys.executable, "-IS", "-c", ECHO), launcher=launcher, namespace=False,
        env={"DUMB_INIT_SETSID": MODES[mode]},
    )  # fmt: skip
    init.wait_out("ready")
    return init


def heard(init: Pid1, count: int) -> list[int]:
    """The first signals that the command got."""
    until(lambda: init.out().count("got ") >= count)
    return [int(line.split()[1].rstrip(".")) for line in init.out().splitlines() if line.startswith("got ")]


def state(pid: int) -> str:
    return status(pid, "State")[0]


@pytest.mark.parametrize("mode", MODES)
def test_every_signal_arrives(begin: Begin, dumb_init: str, mode: str) -> None:
    init = echo(begin, dumb_init, mode=mode)
    for number in HEARD:
        init.send(number)
        init.wait_out(rf"got {number}\.")


REWRITES = {
    "one": (["-r", "15:2"], [15, 3, 18, 2], [2, 3, 18, 2]),
    "swapped": (["-r", "15:2", "--rewrite=2:15", "-r3:3"], [15, 3, 18, 2], [2, 3, 18, 15]),
    "first and last": (["-r", "1:31", "-r", "31:1"], [1, 31], [31, 1]),
    "dropped": (["-r", "15:3", "-r", "2:0", "-r", "28:0"], [15, 2, 28, 1], [3, 1]),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", REWRITES)
def test_signals_are_rewritten(begin: Begin, dumb_init: str, case: str, mode: str) -> None:
    options, sent, expected = REWRITES[case]
    init = echo(begin, dumb_init, *options, mode=mode)
    awaited = 0
    for number in sent:
        init.send(number)
        awaited += f"{number}:0" not in options
        heard(init, awaited)
    assert heard(init, len(expected)) == expected


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signum", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_a_suspension_stops_both_and_cont_wakes_both(begin: Begin, dumb_init: str, mode: str, signum: int) -> None:
    init = echo(begin, dumb_init, mode=mode)
    [command] = init.children()
    init.send(signum)
    until(lambda: state(init.pid) == "T" and (mode != "session" or state(command) == "T"))
    init.send(signal.SIGCONT)
    expected = [signal.SIGCONT] if mode == "session" else [signum, signal.SIGCONT]
    assert heard(init, len(expected)) == expected
    until(lambda: state(init.pid) == state(command) == "S")


def test_a_suspension_can_be_rewritten(begin: Begin, dumb_init: str) -> None:
    init = echo(begin, dumb_init, "-r", "20:15")
    init.send(signal.SIGTSTP)
    assert heard(init, 1) == [15]
    until(lambda: state(init.pid) == "T")
    init.send(signal.SIGCONT)
    assert heard(init, 2) == [15, 18]


PIPELINE = "sleep 1000 | cat & sleep 1001 | cat; :"


@pytest.mark.parametrize(("mode", "left"), [("session", 0), ("single child", 4)])
def test_term_reaches_the_whole_group_or_the_command_alone(begin: Begin, dumb_init: str, mode: str, left: int) -> None:
    init = begin(
        command=("sh", "-c", PIPELINE), launcher=(dumb_init,), namespace=False, env={"DUMB_INIT_SETSID": MODES[mode]}
    )
    family = until(lambda: found if len(found := list(descendants(init.pid))) == 5 else None)
    init.send(signal.SIGTERM)
    assert init.wait() == 143
    until(lambda: len([pid for pid in family if is_alive(pid)]) == left)
    for pid in filter(is_alive, family):
        os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}") and state(pid) != "Z"


LEAVES = (
    "(trap 'echo told >told; exit' TERM; echo up >up; while :; do sleep 0.05; done) & while [ ! -e up ]; do :; done"
)


@pytest.mark.parametrize("mode", MODES)
def test_what_the_command_leaves_gets_term_in_a_session(dumb_init: str, tmp_path: Path, mode: str) -> None:
    environ = {**os.environ, "DUMB_INIT_SETSID": MODES[mode]}
    script = f"{LEAVES}; echo $! >pid; exit 3"
    assert subprocess.run([dumb_init, "sh", "-c", script], cwd=tmp_path, env=environ, timeout=60).returncode == 3
    if mode == "session":
        until(lambda: (tmp_path / "told").exists())
        return
    assert not (tmp_path / "told").exists()
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("mode", MODES)
def test_statuses_pass(mode: str) -> None:
    codes, signals = [0, 1, 2, 32, 64, 127, 254, 255], [15, 1, 3, 9]
    scripts = [f"exit {code}" for code in codes] + [f"ulimit -c 0; kill -{number} $$" for number in signals]
    argvs = [["sh", "-c", script] for script in scripts]
    assert statuses("dumb_init", argvs, {"DUMB_INIT_SETSID": MODES[mode]}) == codes + [128 + n for n in signals]


@pytest.mark.parametrize("mode", MODES)
def test_it_leaves_its_directory_and_the_command_does_not(dumb_init: str, tmp_path: Path, mode: str) -> None:
    done = subprocess.run(
        [dumb_init, "sh", "-c", "readlink /proc/$PPID/cwd; pwd"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "DUMB_INIT_SETSID": MODES[mode]},
    )  # fmt: skip
    assert done.stdout == f"/\n{tmp_path}\n"


BAD = [["-r"], ["-r", ""], ["-r", "x"], ["-r", "x:y"], ["-r", "15"], ["-r", "15::12"], ["-r", "15:x"], ["-r", "0:1"]]
BAD += [["-r", "15:12", "-r", "1:32"], ["-r", "15:-1"], ["-r", "TERM:INT"], ["--yolo"], ["-x"], ["--rewrite"]]
LINES = [[], ["-h"], ["--help"], ["-V"], ["--version"], ["/nowhere"], ["--", "/nowhere"], ["-c", "/etc/passwd"]]
LINES += [
    ["-cv", "false"],
    ["--sin", "true"],
    ["sh", "-c", "exit 3"],
    ["--", "sh", "-c", "exit 3"],
    ["no-such-command"],
]


@pytest.mark.parametrize("line", [*LINES, *([*words, "true"] for words in BAD)], ids=" ".join)
def test_it_ends_as_the_original_does(dumb_init: str, line: list[str]) -> None:
    def end(program: str) -> int:
        return subprocess.run([program, *line], capture_output=True, timeout=60).returncode

    assert end(dumb_init) == end(original("dumb-init"))


@pytest.mark.parametrize("words", [["/nowhere"], ["--", "/nowhere"], ["-c", "/nowhere"]])
def test_a_command_that_is_not_there_is_named(dumb_init: str, words: list[str]) -> None:
    done = subprocess.run([dumb_init, *words], capture_output=True, text=True)
    assert done.stderr == "[dumb-init] /nowhere: No such file or directory\n"


@pytest.mark.parametrize("way", [(["-v"], {}), ([], {"DUMB_INIT_DEBUG": "1"})])
def test_it_tells_on_request(dumb_init: str, way: tuple[list[str], dict[str, str]]) -> None:
    done = subprocess.run(
        [dumb_init, *way[0], "echo", "hi"], capture_output=True, text=True, env={**os.environ, **way[1]}
    )
    assert done.stdout == "hi\n"
    assert "[dumb-init] Child spawned with PID " in done.stderr and "exited with exit status 0" in done.stderr


@pytest.mark.parametrize("mode", MODES)
def test_the_command_has_the_terminal_and_job_control(dumb_init: str, mode: str) -> None:
    with terminal([dumb_init, "bash", "--norc", "-m"], DUMB_INIT_SETSID=MODES[mode]) as shell:
        shell.type(b'echo "flags: [$-]"; exit 0\n')
        assert shell.status() == 0
        shell.wait_for(b"flags: [")
        shell.wait_for(b"]\r\n")
    assert b"m" in shell.said.split(b"flags: [")[-1].split(b"]")[0]
    assert b"no job control" not in shell.said


def test_the_hang_up_of_the_hand_over_is_not_passed_on(dumb_init: str) -> None:
    with terminal([dumb_init, "-v", "sleep", "1000"]) as sleeper:
        sleeper.wait_for(b"Ignoring tty hand-off signal 1.")
        sleeper.wait_for(b"Ignoring tty hand-off signal 18.")
        os.kill(sleeper.pid, signal.SIGHUP)
        assert sleeper.status() == 129
        assert b"Forwarded signal 18" not in sleeper.said


def test_a_double_fork_leaves_no_zombie(begin: Begin, dumb_init: str) -> None:
    init = begin(
        command=("sh", "-c", "(sh -c : &); (sh -c 'sleep 0.1' &); echo up; exec sleep 1000"), launcher=(dumb_init,)
    )
    init.wait_out("up")
    until(lambda: len(list(descendants(init.pid))) == 1)
