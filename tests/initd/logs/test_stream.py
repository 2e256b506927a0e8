from __future__ import annotations

import errno
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from initd.logs import pen as pens
from initd.logs.pen import Pen
from initd.logs.sink import Origin
from initd.logs.stream import StreamSink
from initd.output import Output
from tests.support.estate import at_the_end, emptied, owned, piped
from tests.support.forked import forked
from tests.support.handloop import HandLoop
from tests.support.pipes import opened
from tests.support.programs import program
from wire.limits import OUTPUT_BUFFER_BYTES, OUTPUT_PAUSE_SECONDS, SINK_RETRY_SECONDS, WIDE_PIPE_BYTES

Ends = tuple[int, int]


@contextmanager
def no_waiting(seconds: int = 10) -> Iterator[None]:
    """Fail if what is inside blocks: everything here must return at once."""

    def fail(*_: object) -> None:
        raise AssertionError("it waited for the reader")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def make_pipe() -> Ends:
    return piped()


def make_terminal() -> Ends:
    ends = os.openpty()
    owned(*ends)
    return ends


def make_socket(kind: int) -> Callable[[], Ends]:
    def make() -> Ends:
        one, two = socket.socketpair(type=kind)
        ends = one.detach(), two.detach()
        owned(*ends)
        return ends

    return make


KINDS = {
    "pipe": make_pipe,
    "terminal": make_terminal,
    "stream socket": make_socket(socket.SOCK_STREAM),
    "datagram socket": make_socket(socket.SOCK_DGRAM),
}
TEXTS = {"letters": b"x" * 5000, "newlines": b"\n" * 5000, "lines": b"some words\n" * 500}


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def ends(request) -> Iterator[Ends]:
    reader, writer = request.param()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def fill(pen: Pen, text: bytes) -> int:
    """Write until the pen refuses; the number of bytes taken."""
    taken = 0
    with no_waiting():
        try:
            while taken < 50_000_000:
                taken += pen.write(memoryview(text))
        except BlockingIOError:
            pass
    return taken


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_stalled_reader_never_makes_a_pen_wait(ends, text):
    pen = Pen(ends[1], ours=False)
    assert 0 < fill(pen, text) < 50_000_000
    assert os.get_blocking(ends[1])
    pen.close()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_nor_where_the_kernel_lacks_the_better_ways(ends, text, monkeypatch):
    """An old kernel without RWF_NOWAIT, and a terminal of another user: the ways through poll."""

    def refuse(*_: object) -> int:
        raise OSError(errno.EOPNOTSUPP, "refused")

    monkeypatch.setattr(os, "pwritev", refuse)
    monkeypatch.setattr(pens.os, "open", refuse)
    assert 0 < fill(Pen(ends[1], ours=False), text) < 50_000_000


def test_nor_where_python_was_built_without_pwritev2(monkeypatch):
    monkeypatch.setattr(pens, "NOWAIT", None)
    reader, writer = piped()
    assert fill(Pen(writer, ours=False), b"x" * 5000) == 65536
    os.close(reader)


def test_a_pipe_shared_with_other_writers_does_not_make_a_pen_wait():
    """poll(2) alone would not do: between its answer and the write another process may fill the pipe."""
    reader, writer = piped()
    pen = Pen(writer, ours=False)
    fill(pen, b"x" * 4096)
    with no_waiting(), pytest.raises(BlockingIOError):
        pen.write(memoryview(b"y"))
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        pen.write(memoryview(b"y"))


class Stalled:
    """A StreamSink into a pipe that nobody reads until the test does."""

    def __init__(self, **options: object) -> None:
        self.loop = HandLoop()
        self.reader, self.writer = piped()
        os.set_blocking(self.reader, False)
        self.said: list[str] = []
        self.origin = Origin("web stdout")
        self.sink = StreamSink("stdout", self.loop, self.said.append, fd=self.writer, **options)
        at_the_end(self.sink.close)

    def write(self, text: bytes) -> None:
        with no_waiting():
            self.sink.write(text, self.origin)

    def read_all(self) -> bytes:
        parts = []
        for _ in range(10_000):
            try:
                parts.append(os.read(self.reader, 1 << 20))
            except BlockingIOError:
                if not self.loop.turn():
                    return b"".join(parts)
        raise AssertionError("no end")


def test_what_a_slow_reader_leaves_is_queued_and_arrives_in_order():
    stalled, text = Stalled(), bytes(range(256)) * 2000
    for start in range(0, len(text), 1000):
        stalled.write(text[start : start + 1000])
    assert stalled.sink.queued > 0 and stalled.origin.dropped == 0
    assert stalled.read_all() == text
    assert not stalled.loop.watched and stalled.said == []


def test_what_is_written_after_a_splice_never_waits_and_stays_in_order():
    """The kernel takes RWF_NOWAIT from a pipe that was spliced into, so it goes by ferry."""
    stalled, (source, mouth) = Stalled(), piped()
    stalled.write(b"first\n")
    os.write(mouth, b"moved\n")
    assert stalled.sink.splice(source, 100) == 6
    text = b"".join(b"%099d\n" % number for number in range(6000))
    with no_waiting():
        stalled.write(text[:1000])
        stalled.sink.relay((bytearray(text[1000:1200]), bytearray(text[1200:90_000])), stalled.origin)
        for start in range(90_000, len(text), 1000):
            stalled.write(text[start : start + 1000])
    assert stalled.sink.queued > 0 and not stalled.sink.splice(source, 100)
    assert stalled.read_all() == b"first\nmoved\n" + text and stalled.origin.dropped == 0
    stalled.sink.close()


def test_a_reader_that_went_away_is_noticed_by_ferry_too():
    stalled, (source, mouth) = Stalled(), piped()
    stalled.write(b"first\n")
    os.write(mouth, b"moved\n")
    stalled.sink.splice(source, 100)
    os.close(stalled.reader)
    stalled.write(b"lost\n")
    assert stalled.origin.dropped == 5 and "Broken pipe" in stalled.said[0]


def test_beyond_the_bound_the_newest_is_dropped_counted_and_said_later():
    stalled = Stalled()
    for _ in range(3000):
        stalled.write(b"x" * 1000)
    assert stalled.sink.queued <= OUTPUT_BUFFER_BYTES and stalled.said == []
    arrived = stalled.read_all()
    assert len(arrived) + stalled.origin.dropped == 3_000_000 and stalled.origin.dropped > 0
    [line] = stalled.said
    assert line.startswith(f"{stalled.origin.dropped} bytes of output did not reach stdout: web stdout")


def test_a_stalled_sink_is_watched_and_the_loop_does_not_spin():
    stalled = Stalled()
    stalled.write(b"x" * 400_000)
    assert stalled.loop.watched[stalled.writer][0] == select.EPOLLOUT
    assert not stalled.loop.turn()


def test_a_reader_that_went_away_costs_one_try_in_a_while():
    stalled = Stalled()
    os.close(stalled.reader)
    for _ in range(100):
        stalled.write(b"x" * 10)
    assert stalled.origin.dropped == 1000 and not stalled.loop.watched
    assert len(stalled.said) == 1 and "Broken pipe" in stalled.said[0]
    stalled.loop.advance(SINK_RETRY_SECONDS)
    stalled.write(b"again")
    assert stalled.origin.dropped == 1005 and len(stalled.said) == 1


def test_a_reader_that_goes_away_with_a_queue_is_noticed():
    stalled = Stalled()
    stalled.write(b"x" * 400_000)
    os.close(stalled.reader)
    assert stalled.loop.turn() and not stalled.loop.watched
    assert stalled.sink.queued == 0 and stalled.origin.dropped == 400_000 - WIDE_PIPE_BYTES


def test_a_closed_descriptor_is_survived():
    stalled = Stalled()
    os.close(stalled.writer)
    stalled.write(b"x")
    assert stalled.origin.dropped == 1 and "Bad file descriptor" in stalled.said[0]


def test_a_fifo_is_written_once_somebody_reads(tmp_path):
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    loop, said, origin = HandLoop(), [], Origin("web stdout")
    sink = StreamSink(path, loop, said.append, path=path)
    at_the_end(sink.close)
    with no_waiting():
        sink.write(b"nobody there", origin)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    owned(reader)
    loop.advance(SINK_RETRY_SECONDS)
    sink.write(b"hello", origin)
    assert os.read(reader, 100) == b"hello" and origin.dropped == 12
    assert len(said) == 2 and "12 bytes" in said[1]


def test_a_file_is_written_whole(tmp_path):
    fd = os.open(tmp_path / "out", os.O_CREAT | os.O_WRONLY)
    owned(fd)
    sink = StreamSink("stdout", HandLoop(), lambda text: None, fd=fd)
    sink.write(b"x" * 1_000_000, Origin("web"))
    assert os.stat(tmp_path / "out").st_size == 1_000_000 and sink.queued == 0


class Loud:
    """A program whose stdout goes to a container stream that the test reads, or does not."""

    def __init__(self) -> None:
        self.loop, (self.reader, self.writer), (_, stderr) = HandLoop(), piped(), piped()
        os.set_blocking(self.reader, False)
        self.output = emptied(Output(self.loop, lambda: 0.0, self.writer, stderr))
        self.pipes = opened(self.output, program(stdout_logfile="AUTO"))
        self.mouth = self.pipes.stdout_w
        os.set_blocking(self.mouth, False)

    def shout(self, text: bytes) -> int:
        """Write as much as the pipe takes, turning the loop; returns how much that was."""
        written = 0
        while written < len(text):
            try:
                written += os.write(self.mouth, text[written:])
            except BlockingIOError:
                if not self.loop.turn():
                    break
        self.loop.settle()
        return written


def test_programs_run_on_while_nobody_reads_the_containers_stdout():
    """The whole path with real full pipes: after one pause, megabytes go through although none is ever read."""
    loud = Loud()
    with no_waiting(60):
        assert loud.shout(b"x" * 3_000_000) < 2_000_000
        loud.loop.advance(OUTPUT_PAUSE_SECONDS)
        assert loud.shout(b"line of text\n" * 250_000) == 13 * 250_000
    assert loud.output.dropped("web").stdout > 2_000_000
    assert loud.output.tail("web", "stdout").endswith(b"line of text\n")
    loud.loop.advance(1.0)
    assert os.get_blocking(loud.writer) and loud.loop.timers == 0


def test_a_reader_slower_than_a_burst_loses_nothing():
    loud, text, arrived = Loud(), bytes(range(32, 127)) * 40_000, []
    left = text
    while left or loud.loop.watched.keys() & {loud.writer}:
        left = left[loud.shout(left) :]
        try:
            arrived.append(os.read(loud.reader, 50_000))
        except BlockingIOError:
            break
        loud.loop.advance(OUTPUT_PAUSE_SECONDS / 20)
    loud.loop.settle()
    assert b"".join(arrived) + _rest(loud) == text and loud.output.dropped("web").stdout == 0


def _rest(loud: Loud) -> bytes:
    loud.loop.advance(1.0)
    parts = []
    while True:
        try:
            parts.append(os.read(loud.reader, 1 << 20))
        except BlockingIOError:
            if not loud.loop.turn():
                return b"".join(parts)


def test_hope_returns_when_the_reader_does():
    loud = Loud()
    loud.shout(b"x" * 3_000_000)
    loud.loop.advance(OUTPUT_PAUSE_SECONDS)
    loud.shout(b"y" * 3_000_000)
    _rest(loud)
    dropped = loud.output.dropped("web").stdout
    assert loud.shout(b"z" * 3_000_000) < 2_000_000 and loud.output.dropped("web").stdout == dropped > 0


def test_a_paused_pipe_that_ends_is_closed_when_read_on():
    loud = Loud()
    loud.shout(b"x" * 3_000_000)
    loud.pipes.spawned()
    loud.output.drain("web")
    _rest(loud)
    assert loud.output._intake._paused == [] and loud.output.dropped("web").stdout == 0


def test_flush_waits_for_a_slow_reader_but_not_longer_than_told():
    loop, (reader, writer), (_, stderr) = HandLoop(), piped(), piped()
    output = emptied(Output(loop, lambda: 0.0, writer, stderr))
    pipes = opened(output, program(stdout_logfile="AUTO"))
    for _ in range(10):
        os.write(pipes.stdout_w, b"x" * 60_000 + b"\n")
        loop.settle()
    with no_waiting():
        assert not output.flush(0.0)

    def read_all() -> None:
        while os.read(reader, 1 << 20):
            pass

    pid = forked(read_all)
    try:
        with no_waiting(60):
            assert output.flush(30.0)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
