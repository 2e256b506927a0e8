"""The whole path of output with the options of the topic `logs`, capture mode, events and syslog."""

from __future__ import annotations

import json
import os
import socket

import pytest

from initd.config.topics.logs import Logs
from initd.logs import syslog
from initd.logs.capture import BEGIN, END
from tests.initd.test_output import Bench, read
from tests.support.pipes import opened
from tests.support.programs import program
from wire.limits import PARTIAL_LINE_SECONDS


@pytest.fixture
def bench():
    return Bench()


def test_lines_of_two_programs_have_their_prefix_and_do_not_mix(bench):
    logs = Logs(log_prefix="{name} |")
    one, two = (opened(bench.output, program(name, stdout_logfile="AUTO", logs=logs)) for name in ("a", "b"))
    bench.write(one.stdout_w, b"a1 ")
    bench.write(two.stdout_w, b"b1\nb2\n")
    bench.loop.advance(PARTIAL_LINE_SECONDS)
    bench.write(two.stdout_w, b"b3\n")
    bench.write(one.stdout_w, b"a2\n")
    assert read(bench.stdout) == b"b | b1\nb | b2\na | a1 \nb | b3\na | ... a2\n"
    assert bench.output.tail("a", "stdout") == b"a1 a2\n"


def test_json_lines_say_which_run_spoke_and_when(bench):
    config = program(stdout_logfile="AUTO", logs=Logs(log_format="json"))
    pipes = opened(bench.output, config)
    bench.output.ran(config, 77)
    bench.write(pipes.stdout_w, b"hello\n")
    row = json.loads(read(bench.stdout))
    assert row == {"ts": "1970-01-01T00:00:05.000Z", "program": "web", "stream": "stdout", "pid": 77, "line": "hello"}


def test_a_run_that_ends_in_the_middle_of_a_line_ends_the_line(bench):
    logs = Logs(log_format="json")
    for word in (b"one", b"two"):
        pipes = opened(bench.output, program(stdout_logfile="AUTO", logs=logs))
        bench.write(pipes.stdout_w, word)
        bench.loop.advance(PARTIAL_LINE_SECONDS)
        bench.output.drain("web")
    rows = [json.loads(line) for line in read(bench.stdout).splitlines()]
    assert [(row["line"], "partial" in row) for row in rows] == [
        ("one", True),
        ("", False),
        ("two", True),
        ("", False),
    ]


@pytest.mark.parametrize(("log_files", "text"), [(False, b"hi\n"), (True, b"web | hi\n")])
def test_log_files_have_the_prefix_only_if_wanted(bench, tmp_path, log_files, text):
    path = tmp_path / "log"
    bench.run(b"hi\n", stdout_logfile=str(path), logs=Logs(log_prefix="{name} |", log_files=log_files))
    assert path.read_bytes() == text and bench.output.logfile("web", "stdout") == str(path)
    bench.output.clear("web")
    assert path.read_bytes() == b""


def test_a_secret_reaches_no_log_no_ring_and_no_exit_record(bench, tmp_path):
    heard, config = [], {"stdout_logfile": str(tmp_path / "log"), "logs": Logs(log_mask=("password=*",))}
    bench.output.follow("web", "stdout", heard.append)
    pipes = opened(bench.output, program(stdout_events_enabled=True, **config))
    bench.output.on_log(lambda name, stream, text: heard.append(text))
    bench.write(pipes.stdout_w, b"login password=hun")
    bench.write(pipes.stdout_w, b"ter2\nbye password=xyz")
    pipes.spawned()
    bench.output.drain("web")
    seen = [(tmp_path / "log").read_bytes(), bench.output.tail("web", "stdout"), b"".join(heard[::2])]
    assert seen == [b"login password=***\nbye password=***"] * 3
    assert bench.output.last_lines("web") == ("login password=***", "bye password=***")


def test_escape_sequences_are_taken_out_for_everybody(tmp_path):
    bench = Bench(strip_ansi=True)
    bench.run(b"\x1b[31mred\x1b[0m\n", stdout_logfile="AUTO")
    assert read(bench.stdout) == bench.output.tail("web", "stdout") == b"red\n"


def test_messages_go_to_who_listens_and_not_to_the_log(bench):
    heard: list[tuple[str, str, bytes]] = []
    bench.output.on_capture(lambda *message: heard.append(message))
    bench.run(b"a" + BEGIN + b"hel", b"lo" + END + b"b\n<!--", stdout_logfile="AUTO", stdout_capture_maxbytes=100)
    assert heard == [("web", "stdout", b"hello")] and read(bench.stdout) == b"ab\n"
    bench.output.drain("web")
    assert bench.output.tail("web", "stdout") == b"ab\n<!--"


def test_events_of_the_log_are_for_programs_that_have_them_and_include_messages(bench):
    heard: list[tuple[str, str, bytes]] = []
    bench.output.on_log(lambda *event: heard.append(event))
    bench.run(b"quiet\n")
    bench.run(b"x" + BEGIN + b"y" + END, stdout_events_enabled=True, stdout_capture_maxbytes=100)
    assert heard == [("web", "stdout", b"x"), ("web", "stdout", b"y")]


def test_a_listener_that_fails_costs_a_line_and_nothing_else(bench):
    bench.output.on_log(lambda *event: 1 / 0)
    bench.run(b"hello\n", stdout_events_enabled=True, stdout_logfile="AUTO")
    assert read(bench.stdout) == b"hello\n" and b"ZeroDivisionError" in read(bench.stderr)


def test_lines_go_to_syslog_and_to_the_container_while_there_is_none(bench, tmp_path, monkeypatch):
    place = str(tmp_path / "dev-log")
    monkeypatch.setattr(syslog, "PLACE", place)
    options = {"stdout_syslog": True, "logs": Logs(log_prefix="{name}:")}
    pipes = opened(bench.output, program(**options))
    bench.write(pipes.stdout_w, b"early\n")
    assert read(bench.stdout) == b"web: early\n"
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    daemon.bind(place)
    daemon.settimeout(10)
    bench.loop.advance(10)
    bench.write(pipes.stdout_w, b"one\ntw")
    assert daemon.recv(1000).endswith(b" supervisord: web one") and read(bench.stdout) == b""
    bench.output.remove("web")
    assert daemon.recv(1000).endswith(b" supervisord: web tw")


def test_with_a_stream_of_its_own_syslog_is_besides(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(syslog, "PLACE", str(tmp_path / "none"))
    bench.run(b"one\n", stdout_logfile="AUTO", stdout_syslog=True)
    assert read(bench.stdout) == b"one\n"


def test_followers_stay_when_a_name_is_taken_out_and_comes_back(bench):
    heard: list[bytes] = []
    bench.run(b"one\n")
    stop = bench.output.follow("web", "stdout", heard.append)
    bench.output.remove("web")
    bench.run(b"two\n")
    stop()
    bench.run(b"three\n")
    assert heard == [b"two\n"]


def test_who_follows_is_not_disturbed_by_rotation(bench, tmp_path):
    heard: list[bytes] = []
    bench.output.follow("web", "stdout", heard.append)
    options = {"stdout_logfile": str(tmp_path / "log"), "stdout_logfile_maxbytes": 8, "stdout_logfile_backups": 1}
    pipes = opened(bench.output, program(**options))
    for number in range(20):
        bench.write(pipes.stdout_w, b"line %d\n" % number)
    assert b"".join(heard) == b"".join(b"line %d\n" % number for number in range(20))
    assert len(os.listdir(tmp_path)) == 2


def test_what_the_plugin_supervisor_stdout_showed_is_shown(bench, tmp_path):
    logs = Logs(log_prefix="web {stream} |", relay=("stdout",))
    bench.run(b"one\n", logs=logs)
    bench.run(b"two\n", stdout_logfile=str(tmp_path / "log"), logs=logs)
    bench.run(b"three\n", stdout_logfile="/dev/stdout", logs=logs)
    assert read(bench.stdout) == b"web stdout | one\nweb stdout | two\nweb stdout | three\n"
    assert (tmp_path / "log").read_bytes() == b"two\n"


def test_a_secret_cut_off_by_the_end_of_a_run_masks_nothing_of_the_next(bench):
    for words in (b"password=", b"plain text\n"):
        pipes = opened(bench.output, program(logs=Logs(log_mask=("password=*",))))
        bench.write(pipes.stdout_w, words)
        bench.output.drain("web")
    assert bench.output.tail("web", "stdout") == b"password=plain text\n"
