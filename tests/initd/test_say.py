"""initd's own lines: whole, harmless, and never waited for."""

from __future__ import annotations

import os
import re
import tty
from collections.abc import Iterator

import pytest

from initd.say import LINE_BYTES, Voice, printable


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def test_one_line_with_our_name(pipe: tuple[int, int]) -> None:
    Voice(pipe[1]).say("web started")
    assert os.read(pipe[0], 100) == b"initd: web started\n"


def test_lines_are_kept_while_held_and_said_in_order(pipe: tuple[int, int]) -> None:
    voice = Voice(pipe[1])

    def act() -> None:
        voice.say("one")
        voice.say("two", "debug")
        voice.together(lambda: voice.say("three", "error"))
        with pytest.raises(BlockingIOError):
            os.read(pipe[0], 100)

    os.set_blocking(pipe[0], False)
    voice.together(act)
    voice.say("four")
    assert os.read(pipe[0], 100) == b"initd: one\ninitd: three\ninitd: four\n"


def test_many_lines_are_written_as_many_at_once_as_a_pipe_takes_whole(pipe: tuple[int, int]) -> None:
    voice, written = Voice(pipe[1]), []
    voice.through = written.append
    lines = [f"{number} " + "é" * number for number in range(200)]
    voice.together(lambda: [voice.say(line) for line in lines])  # type: ignore[func-returns-value]
    assert "\n".join(written).split("\n") == lines
    assert 1 < len(written) < 40
    assert max(len(text.encode()) for text in written) < LINE_BYTES


def test_what_was_said_is_told_although_it_ended_badly(pipe: tuple[int, int]) -> None:
    voice = Voice(pipe[1])

    def act() -> None:
        voice.say("so far")
        raise LookupError

    with pytest.raises(LookupError):
        voice.together(act)
    assert os.read(pipe[0], 100) == b"initd: so far\n"


@pytest.mark.parametrize(("level", "heard"), [("error", 1), ("warn", 2), ("info", 3), ("debug", 4)])
def test_levels(pipe: tuple[int, int], level: str, heard: int) -> None:
    voice = Voice(pipe[1], level)
    for one in ("error", "warn", "info", "debug"):
        voice.say(one, one)
    assert os.read(pipe[0], 1000).count(b"\n") == heard


def test_control_characters_cannot_forge_a_line_or_steer_a_terminal() -> None:
    assert printable("a\ninitd: b\x1b[2Jé") == "a\\ninitd: b\\x1b[2Jé"


def test_a_long_line_is_cut(pipe: tuple[int, int]) -> None:
    Voice(pipe[1]).say("x" * 10_000)
    assert len(os.read(pipe[0], 20_000)) == LINE_BYTES


def test_a_reader_that_stopped_costs_lines_not_time(pipe: tuple[int, int]) -> None:
    voice = Voice(pipe[1])
    for _ in range(200):
        voice.say("x" * 4000)
    assert voice.dropped > 0
    os.read(pipe[0], 1 << 20)
    voice.say("again")
    assert os.read(pipe[0], 1000) == f"initd: again ({voice.dropped} lines lost before this one)\n".encode()


def test_a_reader_that_went_away_is_no_error() -> None:
    r, w = os.pipe()
    os.close(r)
    voice = Voice(w)
    voice.say("nobody")
    assert voice.dropped == 1
    os.close(w)


def test_the_way_through_an_output_is_taken_and_may_fail(pipe: tuple[int, int]) -> None:
    voice, said = Voice(pipe[1]), []
    voice.through = said.append
    voice.say("to the output")
    assert said == ["to the output"]

    def starve(text: str) -> None:
        raise MemoryError

    voice.through = starve
    voice.say("lost")
    assert voice.dropped == 1


def test_a_terminal_nobody_reads_is_not_waited_for() -> None:
    keeper, terminal = os.openpty()
    tty.setraw(terminal)
    voice = Voice(terminal)
    for number in range(100):
        voice.say(f"{number} " + "x" * 2000)
    assert voice.dropped > 0
    told, again = b"", 0
    while not (b"initd: again" in told and told.endswith(b"\n")):  # the terminal takes on as it likes meanwhile
        told += os.read(keeper, 65536)
        voice.say("again")
        again += 1
    line = re.compile(rb"initd: (?:\d+ x{2000}|(again))(?: \((\d+) lines lost before this one\))?")
    lines = [line.fullmatch(text) for text in told.splitlines()]
    assert all(lines), "a line came in pieces"
    first = next(index for index, found in enumerate(lines) if found and found[1])
    lost = sum(int(found[2] or 0) for found in lines[: first + 1] if found)
    assert 100 <= first + lost < 100 + again, "told and lost lines are all there are"
    assert 0 < lost <= voice.dropped
    os.close(keeper)
    os.close(terminal)


def test_a_pipe_that_others_filled_is_not_waited_for(pipe: tuple[int, int]) -> None:
    voice = Voice(pipe[1])
    voice.say("first")
    os.set_blocking(pipe[1], False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(pipe[1], b"x" * 4096)
    os.set_blocking(pipe[1], True)
    voice.say("lost")
    assert voice.dropped == 1
