"""A real PID 1 with the options of the topic `logs`."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.pid1 import INITD, Pid1
from tests.support.waiting import until

pytestmark = pytest.mark.proc

PAIR = """
[initd]
log_format=json
log_mask=password=*
[program:web]
command=sh -c 'printf "caf\\303\\351 \\"x\\"\\n"; echo "password=hunter2 end"; echo bad >&2; exec sleep 1000'
startsecs=0
"""
LOUD = """
[initd]
log_prefix=true
[program:{name}]
command=sh -c 'i=0; while [ $i -lt 20000 ]; do echo {name} line $i; i=$((i+1)); done; echo done; exec sleep 1000'
startsecs=0
"""
FLOOD = """
[program:loud]
command=sh -c 'i=0; while :; do i=$((i+1)); head -c 3000000 /dev/zero | tr "\\0" x; echo $i; done'
startsecs=0
stdout_logfile=NONE
[program:quiet]
command=sh -c 'while :; do date +%%N; sleep 0.02; done'
startsecs=0
stdout_logfile=NONE
"""
ROTATED = """
[program:web]
command=sh -c 'while read word; do head -c 300000 /dev/zero | tr "\\0" "$word"; echo; done < {fifo}'
startsecs=0
stdout_logfile={log}
stdout_logfile_maxbytes=200KB
stdout_logfile_backups=3
logfile_compress=true
"""
TALKER = """
[program:web]
command=sh -c 'echo from $$; while :; do echo tick; sleep 0.05; done'
startsecs=0
stdout_logfile={log}
stdout_logfile_maxbytes=1KB
stdout_logfile_backups=1
[program:db]
command=sh -c 'echo db here; exec sleep 1000'
startsecs=0
stdout_logfile=NONE
"""


def test_json_lines_of_a_real_run(begin: Begin) -> None:
    init = begin(PAIR)
    init.wait_out("hunter|end")
    rows = [json.loads(line) for line in init.out().splitlines()]
    pid = init.ask("status")[0]["pid"]
    assert {(row["program"], row["stream"], row["pid"]) for row in rows} == {("web", "stdout", pid)}
    assert [row["line"] for row in rows] == ['caf\\xc3\\xe9 "x"', "password=*** end"] and rows[0]["escaped"]
    assert json.loads(init.wait_said('.*"line":"bad".*')[0])["stream"] == "stderr"
    assert "hunter2" not in json.dumps([init.ask("tail", name="web"), init.ask("logs")])


def test_two_loud_programs_lose_no_line_and_mix_none(begin: Begin) -> None:
    init = begin(LOUD.format(name="a") + LOUD.format(name="b").partition("log_prefix=true\n")[2])
    for name in "ab":
        init.wait_out(f"(?m)^{name} \\| done$", 120)
    lines = init.out().splitlines()
    for name in "ab":
        mine = [line for line in lines if line.startswith(f"{name} | ")]
        assert mine[:-1] == [f"{name} | {name} line {number}" for number in range(20000)]
    assert len(lines) == 40002


def test_a_flood_starves_neither_the_control_socket_nor_others(begin: Begin) -> None:
    init = begin(FLOOD)
    init.wait_state("quiet", "RUNNING")
    for _ in range(20):
        before = init.ask("tail", name="loud")
        assert {row["state"] for row in init.ask("status")} == {"RUNNING"}
        until(lambda: init.ask("tail", name="loud") != before, what="more of the flood")  # noqa: B023
        said = init.ask("tail", name="quiet")
        until(lambda: init.ask("tail", name="quiet") != said, what="the quiet one")  # noqa: B023
    assert init.stop() == 0


def compressed(log: Path) -> dict[str, set[bytes]]:
    """The letters in each old part that is compressed."""
    return {path.name: set(gzip.decompress(path.read_bytes()).split()) for path in log.parent.glob("*.gz")}


def test_old_parts_are_compressed_by_a_child_while_the_log_goes_on(begin: Begin, tmp_path: Path) -> None:
    log, fifo = tmp_path / "logs" / "web.log", tmp_path / "fifo"
    os.mkfifo(fifo)
    init = begin(ROTATED.format(log=log, fifo=fifo))
    with open(fifo, "w") as mouth:
        for letter in "abcde":
            print(letter, file=mouth, flush=True)
        until(lambda: set(compressed(log)) == {f"web.log.{number}.gz" for number in (1, 2, 3)}, what="archives")
        until(lambda: not list(log.parent.glob("*.part")) and not (log.parent / "web.log.1").exists(), what="the end")
    letters = {bytes(set(word)) for words in compressed(log).values() for word in words}
    assert letters <= {b"a", b"b", b"c", b"d", b"e"} and b"d" in b"".join(letters)
    assert "uncompressed" not in init.said() and init.stop() == 0


def follower(init: Pid1, *argv: str) -> tuple[subprocess.Popen[bytes], Path]:
    seen = init.folder / "seen"
    with open(seen, "wb") as out:
        return subprocess.Popen([INITD, *argv, "--socket", init.socket], stdout=out), seen


def test_tail_goes_on_over_rotation_restart_and_reload(begin: Begin, tmp_path: Path) -> None:
    init = begin(TALKER.format(log=tmp_path / "log"))
    init.wait_state("web", "RUNNING")
    reader, seen = follower(init, "tail", "web", "-f")
    try:
        until(lambda: b"tick" in seen.read_bytes(), what="the first words")
        for act in (lambda: init.ask("restart", names=["web"], wait=10), lambda: init.send(signal.SIGHUP)):
            before = seen.read_bytes().count(b"from ")
            act()
            until(lambda: seen.read_bytes().count(b"from ") > before, what="the next run")  # noqa: B023
        until(lambda: (tmp_path / "log.1").exists(), what="a rotation")
        assert reader.poll() is None
    finally:
        reader.kill()
        reader.wait()


def test_logs_has_everybody(begin: Begin, tmp_path: Path) -> None:
    init = begin(TALKER.format(log=tmp_path / "log"))
    init.wait_state("db", "RUNNING")
    reader, seen = follower(init, "logs", "-f")
    try:
        until(lambda: b"db  | db here\n" in seen.read_bytes() or b"db | db here\n" in seen.read_bytes(), what="db")
        until(lambda: seen.read_bytes().count(b"web | tick\n") > 3, what="web")
    finally:
        reader.kill()
        reader.wait()
