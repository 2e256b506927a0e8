"""The short way of loud programs, with real pipes: nothing is lost, mixed or changed on it, and nobody starves."""

from __future__ import annotations

import errno
import fcntl
import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initd.output import Output
from tests.support.estate import emptied, give_back, piped
from tests.support.handloop import HandLoop
from tests.support.pipes import opened
from tests.support.programs import program
from wire.limits import (
    LAST_LINES,
    OUTPUT_PAUSE_SECONDS,
    READ_BYTES,
    RING_BYTES,
    TURN_READS,
    WIDE_PIPE_BYTES,
    WIDE_PIPES,
)

LINES = b"".join(b"%07d of a loud program\n" % number for number in range(60_000))


class Flood:
    """Programs that write as much as their pipes take to a container stream that the test reads."""

    def __init__(self, *names: str, logfile: str = "AUTO") -> None:
        self.loop, (self.reader, self.writer), (_, stderr) = HandLoop(), piped(), piped()
        os.set_blocking(self.reader, False)
        self.output = emptied(Output(self.loop, lambda: 0.0, self.writer, stderr))
        self.mouths = {
            name: opened(self.output, program(name=name, stdout_logfile=logfile)).stdout_w for name in names or ("web",)
        }
        for mouth in self.mouths.values():
            os.set_blocking(mouth, False)
        self.left = dict.fromkeys(self.mouths, b"")
        self.arrived = bytearray()

    def write(self, most: int = 1 << 30) -> int:
        """Each writes on where it stopped; how much that was."""
        done = 0
        for name, mouth in self.mouths.items():
            try:
                count = os.write(mouth, self.left[name][:most]) if self.left[name] else 0
            except BlockingIOError:
                count = 0
            self.left[name], done = self.left[name][count:], done + count
        return done

    def read(self, most: int = 1 << 20) -> int:
        """The container's reader; how much it found."""
        try:
            got = os.read(self.reader, most)
        except BlockingIOError:
            return 0
        self.arrived += got
        return len(got)

    def go_on(self, turns: int) -> None:
        """Let all of them work a while."""
        for _ in range(turns):
            self.write()
            self.loop.turn()
            self.read()

    def until_quiet(self) -> None:
        """Let all of them work until nothing moves."""
        moved = True
        while moved:
            moved = self.write() > 0
            moved = self.loop.turn() or moved
            moved = self.read() > 0 or moved

    @property
    def relay(self):
        return self.output._intake._relay

    def pipe(self, name: str = "web"):
        return self.output._desks[name].present[0]


@pytest.fixture
def spliced(monkeypatch) -> Iterator[list[int]]:
    """How many bytes each splice out of a program's pipe moved."""
    moved, real = [], os.splice

    def splice(source: int, target: int, count: int, **options: int) -> int:
        done = real(source, target, count, **options)
        moved.append(done)
        return done

    monkeypatch.setattr(os, "splice", splice)
    return moved


def test_a_flood_arrives_as_it_was_written_and_most_of_it_uncopied(spliced):
    flood = Flood()
    flood.left["web"] = LINES
    flood.until_quiet()
    assert flood.arrived == LINES and max(spliced) > READ_BYTES
    assert flood.output.tail("web", "stdout") == LINES[-RING_BYTES:]
    assert flood.output.size("web", "stdout") == len(LINES)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([1, 30, 3000, 20_000]))
def test_however_writer_and_reader_take_turns_nothing_changes(chance: random.Random, longest: int):
    """Lines of any length, a reader that stalls and dribbles: queue, ferry, partial splices."""
    flood = Flood()
    text = b"".join(b"%d" % number + b"x" * chance.randrange(longest) + b"\n" for number in range(40))
    flood.left["web"] = text = text * (1 + 1_500_000 // len(text))
    for _ in range(150):
        chance.choice(
            [
                flood.write,
                lambda: flood.write(chance.randrange(1, 90_000)),
                flood.loop.turn,
                flood.loop.turn,
                flood.read,
            ]
            + [lambda: flood.read(chance.randrange(1, 9000))]
        )()
        kept = flood.output.tail("web", "stdout")
        place = flood.output.size("web", "stdout")
        assert kept == text[place - len(kept) : place]
    flood.until_quiet()
    assert flood.arrived == text and flood.output.dropped("web").stdout == 0
    give_back()


def test_what_waits_for_a_stalled_reader_is_not_overwritten_by_later_reads():
    flood, text = Flood(), LINES[:1_080_000]
    flood.left["web"] = text
    for _ in range(2):
        while flood.write() or flood.loop.turn():
            pass
        flood.loop.advance(OUTPUT_PAUSE_SECONDS)
    sink = flood.pipe().channel.shared[0]
    assert sink.queued > 4 * READ_BYTES
    flood.until_quiet()
    assert flood.arrived == text and flood.output.dropped("web").stdout == 0


def test_lines_of_two_loud_programs_do_not_mix():
    flood = Flood("a", "b")
    for name in "ab":
        flood.left[name] = (name.encode() * 99 + b"\n") * 20_000
    flood.until_quiet()
    lines = flood.arrived.split(b"\n")[:-1]
    assert sorted(lines) == [b"a" * 99] * 20_000 + [b"b" * 99] * 20_000


def test_a_lone_flood_is_read_a_few_times_a_turn_and_two_only_once_each(monkeypatch):
    flood, reads, real = Flood("a", "b"), [], os.readv

    def readv(fd: int, parts: object) -> int:
        reads.append(fd)
        flood.read(1 << 20)
        flood.write()
        return real(fd, parts)

    monkeypatch.setattr(os, "readv", readv)
    flood.left["a"] = LINES * 9
    flood.go_on(9)
    reads.clear()
    flood.loop.turn()
    assert reads == [flood.pipe("a").fd] * TURN_READS
    flood.left["b"] = LINES * 9
    flood.go_on(9)
    reads.clear()
    flood.loop.turn()
    assert sorted(reads) == sorted(flood.pipe(name).fd for name in "ab")


def test_a_quiet_program_is_heard_in_the_same_turn_as_a_loud_one():
    flood = Flood("loud", "quiet")
    flood.left["loud"] = LINES
    flood.go_on(5)
    flood.left["quiet"] = b"here I am\n"
    flood.write()
    flood.loop.turn()
    assert flood.output.tail("quiet", "stdout") == b"here I am\n"


@pytest.mark.parametrize("call", ["readv", "splice"])
@pytest.mark.parametrize("why", [errno.EPERM, errno.EACCES])
def test_what_a_seccomp_profile_refuses_is_done_without(call, why, monkeypatch):
    def refuse(*_: object, **__: object) -> int:
        raise OSError(why, "refused")

    monkeypatch.setattr(os, call, refuse)
    flood = Flood()
    flood.left["web"] = LINES
    flood.until_quiet()
    assert flood.arrived == LINES


def test_without_descriptors_for_a_ferry_it_arrives_all_the_same(monkeypatch):
    flood = Flood()

    def refuse(*_: object) -> tuple[int, int]:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "pipe2", refuse)
    flood.left["web"] = LINES
    flood.until_quiet()
    assert flood.arrived == LINES and not flood.pipe().channel.may_splice
    assert flood.output.tail("web", "stdout") == LINES[-RING_BYTES:]


def test_who_listens_gets_everything_from_then_on_and_then_it_is_fast_again(spliced):
    flood, heard = Flood(), []
    flood.left["web"] = LINES
    flood.until_quiet()
    stop = flood.output.follow("web", "stdout", heard.append)
    spliced.clear()
    flood.left["web"] = LINES
    flood.until_quiet()
    stop()
    assert b"".join(heard) == LINES and max(spliced, default=0) <= READ_BYTES
    flood.left["web"] = LINES
    flood.until_quiet()
    assert max(spliced) > READ_BYTES and flood.arrived == LINES * 3


def test_a_log_file_gets_it_all(tmp_path):
    flood = Flood(logfile=str(tmp_path / "log"))
    flood.left["web"] = LINES
    flood.until_quiet()
    assert b"".join(path.read_bytes() for path in tmp_path.iterdir()) == LINES


def test_the_last_words_of_a_loud_program_are_in_its_record():
    flood = Flood()
    flood.left["web"] = LINES
    while flood.left["web"]:
        flood.write()
        if flood.left["web"]:
            flood.loop.turn()
            flood.read()
    assert fcntl.fcntl(flood.mouths["web"], fcntl.F_GETPIPE_SZ) == WIDE_PIPE_BYTES
    flood.output.drain("web")
    assert "\n".join(flood.output.last_lines("web")).encode() + b"\n" == b"".join(LINES.splitlines(True)[-LAST_LINES:])


def test_only_so_many_pipes_are_wide_and_who_ends_makes_room():
    names = [f"p{number}" for number in range(WIDE_PIPES + 2)]
    flood = Flood(*names)
    flood.left = dict.fromkeys(names, LINES[:400_000])
    flood.until_quiet()
    assert len(flood.relay._wide) == WIDE_PIPES
    flood.output.remove(next(iter(flood.relay._wide)).channel.origin.label.split()[0])
    assert len(flood.relay._wide) == WIDE_PIPES - 1


def test_a_quiet_program_costs_no_buffer():
    flood = Flood()
    for _ in range(50):
        flood.left["web"] = b"a line\n" * 100
        flood.until_quiet()
    assert flood.relay is None and fcntl.fcntl(flood.mouths["web"], fcntl.F_GETPIPE_SZ) < WIDE_PIPE_BYTES
