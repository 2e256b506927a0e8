from __future__ import annotations

import errno
import fcntl
import os
from unittest.mock import Mock

import pytest

from initd.logs.channel import Channel
from initd.output import Dropped, Output
from tests.support.descriptors import few_descriptors
from tests.support.estate import emptied, owned, piped
from tests.support.handloop import HandLoop
from tests.support.pipes import opened
from tests.support.programs import program
from wire.limits import DRAIN_BYTES, LINGERING_PIPES, PARTIAL_LINE_SECONDS


class Bench:
    """An Output whose container streams are pipes that the test reads."""

    def __init__(self, **options: object) -> None:
        self.loop = HandLoop()
        self.stdout, self._stdout_w = piped()
        self.stderr, self._stderr_w = piped()
        for fd in (self.stdout, self.stderr):
            os.set_blocking(fd, False)
        self.output = emptied(Output(self.loop, lambda: 5.0, self._stdout_w, self._stderr_w, **options))

    def write(self, fd: int, text: bytes) -> None:
        os.write(fd, text)
        self.loop.settle()

    def run(self, *words: bytes, **options: object) -> None:
        """A whole run of `web`: each word is written to its stdout, then it dies."""
        pipes = opened(self.output, program(**options))
        for word in words:
            os.write(pipes.stdout_w, word)
        pipes.spawned()
        self.loop.settle()


@pytest.fixture
def bench():
    return Bench()


def read(fd: int) -> bytes:
    try:
        return os.read(fd, 1 << 20)
    except BlockingIOError:
        return b""


def test_output_reaches_the_container_stream_and_the_ring(bench):
    bench.run(b"hello\n", stdout_logfile="AUTO")
    assert read(bench.stdout) == b"hello\n"
    assert bench.output.tail("web", "stdout") == b"hello\n"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/1/fd/1"])
def test_names_of_the_container_stream_mean_the_inherited_descriptor(bench, name):
    bench.run(b"hello\n", stdout_logfile=name)
    assert read(bench.stdout) == b"hello\n"


def test_stdout_may_go_to_the_containers_stderr(bench):
    bench.run(b"hello\n", stdout_logfile="/dev/stderr")
    assert read(bench.stderr) == b"hello\n"


def test_syslog_means_the_container_stream(bench):
    bench.run(b"one\n", stdout_logfile="syslog")
    bench.run(b"two\n", stdout_logfile=None, stdout_syslog=True)
    assert read(bench.stdout) == b"one\ntwo\n"


@pytest.mark.parametrize("logfile", [None, "/dev/null"])
def test_without_a_sink_only_the_ring_remembers(bench, logfile):
    bench.run(b"hello\n", stdout_logfile=logfile)
    assert read(bench.stdout) == b"" and bench.output.tail("web", "stdout") == b"hello\n"
    assert bench.output.dropped("web") == Dropped(0, 0)


def test_redirected_stderr_shares_one_pipe(bench):
    pipes = opened(bench.output, program(redirect_stderr=True))
    assert pipes.stdout_w == pipes.stderr_w


def test_stdout_and_stderr_are_kept_apart(bench):
    pipes = opened(bench.output, program(stdout_logfile="AUTO", stderr_logfile="AUTO"))
    bench.write(pipes.stderr_w, b"bad\n")
    bench.write(pipes.stdout_w, b"good\n")
    assert (read(bench.stdout), read(bench.stderr)) == (b"good\n", b"bad\n")
    assert bench.output.tail("web", "stderr") == b"bad\n"


def test_the_ends_are_closed_on_exec_and_only_the_parents_is_nonblocking(bench):
    pipes = opened(bench.output, program())
    assert not os.get_inheritable(pipes.stdout_w) and os.get_blocking(pipes.stdout_w)
    assert not any(os.get_blocking(fd) for fd in bench.loop.watched)


def test_auto_goes_to_a_file_where_childlogdir_is_set(tmp_path):
    bench = Bench(childlogdir=str(tmp_path), identifier="here")
    bench.run(b"hello\n", stdout_logfile="AUTO")
    [path] = tmp_path.glob("web-stdout---here-*.log")
    assert path.read_bytes() == b"hello\n" and read(bench.stdout) == b""


def test_auto_files_of_an_earlier_run_are_swept_and_nothing_else(tmp_path):
    ours = ["web-stdout---here-0a1b2c3d.log", "web-stderr---here-0a1b2c3d.log", "a-b-stdout---here-XyZ_1234.log.2"]
    others = ["web-stdout---there-0a1b2c3d.log", "web.log", "stdout---here-0a1b2c3d.log", "x---here-1.log", "a.log.1"]
    kept = ["web-stdout---here-0a1b2c3d.log.x", "web-stdout---here-0a1b2c3d.logs"]
    for name in ours + others + kept:
        (tmp_path / name).touch()
    Bench(childlogdir=str(tmp_path), identifier="here")
    assert len(list(tmp_path.iterdir())) == len(ours + others + kept)
    Bench(childlogdir=str(tmp_path), identifier="here", nocleanup=False)
    assert {path.name for path in tmp_path.iterdir()} == set(others + kept)


def test_two_programs_share_one_file_and_rotate_it_once(bench, tmp_path):
    path = tmp_path / "shared.log"
    options = {"stdout_logfile": str(path), "stdout_logfile_maxbytes": 8, "stdout_logfile_backups": 2}
    bench.run(b"first..\n", name="a", **options)
    bench.run(b"second\n", name="b", **options)
    assert path.read_bytes() == b"second\n" and (tmp_path / "shared.log.1").read_bytes() == b"first..\n"


def test_lines_of_two_programs_do_not_mix(bench):
    one, two = (opened(bench.output, program(name, stdout_logfile="AUTO")) for name in ("a", "b"))
    bench.write(one.stdout_w, b"a1 ")
    bench.write(two.stdout_w, b"b1\n")
    bench.write(one.stdout_w, b"a2\na3")
    assert read(bench.stdout) == b"b1\na1 a2\n"


def test_an_unfinished_line_waits_only_a_moment(bench):
    pipes = opened(bench.output, program(stdout_logfile="AUTO"))
    bench.write(pipes.stdout_w, b"login: ")
    assert read(bench.stdout) == b""
    bench.loop.advance(PARTIAL_LINE_SECONDS)
    assert read(bench.stdout) == b"login: " and bench.loop.timers == 0


def test_a_busy_writers_unfinished_line_is_as_young_as_its_last_newline(bench):
    pipes = opened(bench.output, program(stdout_logfile="AUTO"))
    bench.write(pipes.stdout_w, b"one\ntw")
    bench.loop.advance(PARTIAL_LINE_SECONDS * 0.9)
    bench.write(pipes.stdout_w, b"o\nthr")
    bench.loop.advance(PARTIAL_LINE_SECONDS * 0.2)
    assert read(bench.stdout) == b"one\ntwo\n"
    bench.loop.advance(PARTIAL_LINE_SECONDS)
    assert read(bench.stdout) == b"thr" and bench.loop.timers == 0


def test_last_lines_merge_both_streams_in_the_order_read(bench):
    pipes = opened(bench.output, program())
    for fd, text in ((pipes.stdout_w, b"one\n"), (pipes.stderr_w, b"two\n"), (pipes.stdout_w, b"three\nfour")):
        bench.write(fd, text)
    assert bench.output.last_lines("web") == ("one", "two", "three", "four")


def test_last_lines_come_from_the_present_run_only(bench):
    bench.run(b"old\n")
    bench.run(b"new\n")
    assert bench.output.last_lines("web") == ("new",)
    assert bench.output.tail("web", "stdout") == b"old\nnew\n"


def test_last_lines_are_harmless(bench):
    bench.run(b"\x1b[31mred\x07\tx\xff\r\n" + b"y" * 5000 + b"\n")
    first, second = bench.output.last_lines("web")
    assert first == "\\x1b[31mred\\x07    x\\xff" and len(second) == 512 and second.endswith("...")


def test_drain_takes_what_a_dead_process_left(bench):
    pipes = opened(bench.output, program(stdout_logfile="AUTO"))
    os.write(pipes.stdout_w, b"last words")
    pipes.spawned()
    bench.output.drain("web")
    assert bench.output.last_lines("web") == ("last words",)
    assert read(bench.stdout) == b"last words"
    bench.loop.settle()
    assert not bench.loop.watched


def test_drain_never_waits_for_a_grandchild_and_its_words_still_arrive(bench):
    pipes = opened(bench.output, program(stdout_logfile="AUTO"))
    grandchild = os.dup(pipes.stdout_w)
    pipes.spawned()
    bench.output.drain("web")
    bench.run(b"next run\n", stdout_logfile="AUTO")
    bench.write(grandchild, b"still here\n")
    assert read(bench.stdout) == b"next run\nstill here\n"


def test_the_end_of_pid_1_takes_what_a_grandchild_wrote_after_its_programs_death(bench):
    pipes = opened(bench.output, program(stdout_logfile="AUTO"))
    grandchild = os.dup(pipes.stdout_w)
    owned(grandchild)
    pipes.spawned()
    bench.output.drain("web")
    os.write(grandchild, b"good bye\n")
    bench.output.flush(0.0)
    assert read(bench.stdout) == b"good bye\n"


def test_drain_is_bounded(bench):
    pipes = opened(bench.output, program())
    fill = os.dup(pipes.stdout_w)
    owned(fill)
    os.set_blocking(fill, False)
    fcntl.fcntl(fill, fcntl.F_SETPIPE_SZ, 1 << 20)
    written = os.write(fill, b"x" * (1 << 20))
    bench.output.drain("web")
    taken = bench.output._desks["web"].channels["stdout"].ring.total
    assert written > 2 * DRAIN_BYTES and DRAIN_BYTES <= taken <= 2 * DRAIN_BYTES


def test_pipes_of_earlier_runs_are_bounded(bench):
    for _ in range(LINGERING_PIPES + 5):
        pipes = opened(bench.output, program(redirect_stderr=True))
        owned(os.dup(pipes.stdout_w))
        pipes.spawned()
    assert len(bench.loop.watched) == LINGERING_PIPES + 1


def test_remove_closes_everything(bench, tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    bench.run(b"x\n", stdout_logfile=str(tmp_path / "log"))
    opened(bench.output, program(stdout_logfile=str(tmp_path / "log"))).spawned()
    bench.output.remove("web")
    assert len(os.listdir("/proc/self/fd")) == before and not bench.loop.watched
    bench.output.remove("web")


def test_a_changed_logfile_takes_effect_at_the_next_run(bench, tmp_path):
    bench.run(b"one\n", stdout_logfile=str(tmp_path / "a"))
    bench.run(b"two\n", stdout_logfile=str(tmp_path / "b"))
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"one\n", b"two\n"]


def test_a_program_that_says_nothing_has_its_file_from_the_start(bench, tmp_path):
    """As under supervisord, whose /logtail page answers 404 where there is none."""
    opened(bench.output, program(stdout_logfile=str(tmp_path / "log"), stderr_logfile="/proc/nowhere/log"))
    assert (tmp_path / "log").read_bytes() == b""
    assert b"cannot write /proc/nowhere/log" in read(bench.stderr)


def test_followers_hear_chunks_until_they_leave(bench):
    heard: list[bytes] = []
    stop = bench.output.follow("web", "stdout", heard.append)
    bench.output.follow("web", "stdout", lambda chunk: 1 / 0)
    pipes = opened(bench.output, program())
    bench.write(pipes.stdout_w, b"one")
    stop()
    stop()
    bench.write(pipes.stdout_w, b"two")
    assert heard == [b"one"] and bench.output.spoke_at("web", "stdout") == 5.0


def test_a_name_that_never_ran_has_nothing_to_show(bench):
    output = bench.output
    assert (output.tail("new", "stdout"), output.last_lines("new"), output.dropped("new")) == (b"", (), Dropped(0, 0))
    output.drain("new")


@pytest.mark.parametrize("left", [1, 2, 3])
def test_without_descriptors_no_pipes_are_made_and_none_leaks(bench, left):
    before = set(os.listdir("/proc/self/fd"))
    with few_descriptors(left), pytest.raises(OSError):
        bench.output.open(program())
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_pipe_that_cannot_be_watched_now_is_read_later(bench, monkeypatch):
    watch = bench.loop.watch
    monkeypatch.setattr(bench.loop, "watch", Mock(side_effect=OSError(errno.ENOSPC, "no space")))
    pipes = opened(bench.output, program())
    bench.write(pipes.stdout_w, b"early\n")
    monkeypatch.setattr(bench.loop, "watch", watch)
    bench.loop.advance(PARTIAL_LINE_SECONDS)
    bench.loop.settle()
    assert bench.output.tail("web", "stdout") == b"early\n"


@pytest.mark.parametrize("where", ["watch", "begin"])
def test_a_run_whose_attaching_ran_out_of_memory_can_be_attached_again(bench, monkeypatch, where):
    old = opened(bench.output, program())
    target = bench.loop if where == "watch" else Channel
    with monkeypatch.context() as short, pytest.raises(MemoryError):
        short.setattr(target, where, Mock(side_effect=MemoryError))
        pipes = bench.output.open(program())
        bench.output.attach(program(), pipes)
    bench.output.attach(program(), pipes)
    bench.write(old.stdout_w, b"old ")
    bench.write(pipes.stdout_w, b"new")
    desk = bench.output._desks["web"]
    fds = [pipe.fd for pipe in desk.present + desk.lingering]
    assert bench.output.tail("web", "stdout") == b"old new" and len(fds) == len(set(fds)) == 4


def test_a_log_file_that_cannot_be_opened_does_not_stop_the_program(bench):
    bench.run(b"hello\n", stdout_logfile="/proc/nowhere/log")
    assert b"cannot write /proc/nowhere/log" in read(bench.stderr)
    assert bench.output.dropped("web").stdout == 6 and bench.output.tail("web", "stdout") == b"hello\n"


def test_what_initd_says_goes_to_the_containers_stderr(bench):
    bench.output.say("ready")
    assert read(bench.stderr) == b"initd: ready\n"


def test_one_pipe_for_both_streams_keeps_their_order():
    loop, (reader, writer) = HandLoop(), piped()
    output = Output(loop, lambda: 0.0, writer, os.dup(writer))
    assert output._routes._streams["stdout"] is output._routes._streams["stderr"]
    output.say("x")
    assert os.read(reader, 100) == b"initd: x\n"


def test_flush_lets_unfinished_lines_go(bench):
    pipes = opened(bench.output, program(stdout_logfile="AUTO"))
    bench.write(pipes.stdout_w, b"half")
    assert bench.output.flush(0.0) and read(bench.stdout) == b"half"


def test_clear_empties_rings_and_begins_files_anew(bench, tmp_path):
    log = tmp_path / "log"
    bench.run(b"hello\n", stdout_logfile=str(log))
    assert (bench.output.logfile("web", "stdout"), bench.output.logfile("web", "stderr")) == (str(log), None)
    assert bench.output.size("web", "stdout") == 6
    bench.output.clear("web")
    assert (log.read_bytes(), bench.output.tail("web", "stdout"), bench.output.size("web", "stdout")) == (b"", b"", 0)
    bench.run(b"again\n", stdout_logfile=str(log))
    assert (log.read_bytes(), bench.output.tail("web", "stdout")) == (b"again\n", b"again\n")
