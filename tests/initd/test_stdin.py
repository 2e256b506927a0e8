"""The stdin that programs read and others write to, on real pipes in a loop turned by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from initd.errors import NotWritable
from initd.stdin import Inlet, Inlets
from tests.support.handloop import HandLoop
from wire.limits import STDIN_BYTES

SILENT = 999


@pytest.fixture
def loop() -> HandLoop:
    return HandLoop()


@pytest.fixture
def inlets(loop: HandLoop) -> Iterator[Inlets]:
    inlets = Inlets(loop, SILENT)
    yield inlets
    inlets.close("cat")


@pytest.fixture
def reader(inlets: Inlets) -> Iterator[int]:
    """The program's end, as a program keeps it."""
    theirs = os.dup(inlets.open("cat"))
    inlets.spawned("cat")
    yield theirs
    try:
        os.close(theirs)
    except OSError:
        pass


def inlet_of(inlets: Inlets) -> Inlet:
    inlet = inlets.of("cat")
    assert inlet is not None
    return inlet


def test_what_is_written_is_read(inlets: Inlets, reader: int) -> None:
    inlet_of(inlets).write(b"hello\n")
    assert os.read(reader, 100) == b"hello\n"


def test_the_programs_end_blocks_as_ever(inlets: Inlets, reader: int) -> None:
    assert os.get_blocking(reader)


def test_what_the_pipe_does_not_take_goes_out_when_it_is_read(inlets: Inlets, reader: int, loop: HandLoop) -> None:
    text = os.urandom(200_000)
    inlet_of(inlets).write(text)
    assert inlet_of(inlets).waiting > 0
    read = b""
    while len(read) < len(text):
        read += os.read(reader, 65536)
        loop.settle()
    assert read == text and not loop.watched


def test_order_is_kept_while_something_waits(inlets: Inlets, reader: int, loop: HandLoop) -> None:
    inlet_of(inlets).write(b"a" * 100_000)
    inlet_of(inlets).write(b"b")
    read = b""
    while not read.endswith(b"b"):
        read += os.read(reader, 65536)
        loop.settle()
    assert read == b"a" * 100_000 + b"b"


def test_too_much_is_refused_whole(inlets: Inlets, reader: int) -> None:
    inlet_of(inlets).write(b"x" * STDIN_BYTES)
    waiting = inlet_of(inlets).waiting
    with pytest.raises(NotWritable, match="does not read"):
        inlet_of(inlets).write(b"y" * STDIN_BYTES)
    assert inlet_of(inlets).waiting == waiting


def test_a_closed_reader_is_told_of(inlets: Inlets, reader: int) -> None:
    os.close(reader)
    for _ in range(2):
        with pytest.raises(NotWritable, match="closed"):
            inlet_of(inlets).write(b"x")


def test_a_reader_that_leaves_costs_what_waits(inlets: Inlets, reader: int, loop: HandLoop) -> None:
    inlet_of(inlets).write(b"x" * 100_000)
    inlet = inlet_of(inlets)
    waiting = inlet.waiting
    os.close(reader)
    loop.settle()
    assert inlet.lost == waiting and not loop.watched


def test_the_reader_finds_the_end_when_the_process_is_gone(inlets: Inlets, reader: int) -> None:
    inlets.close("cat")
    assert os.read(reader, 10) == b"" and inlets.of("cat") is None


def test_a_new_process_gets_a_new_pipe(inlets: Inlets, reader: int) -> None:
    inlet_of(inlets).write(b"old")
    theirs = inlets.open("cat")
    inlet_of(inlets).write(b"new")
    assert os.read(theirs, 10) == b"new"
    inlets.spawned("cat")


def test_without_descriptors_the_silent_pipe_is_shared(inlets: Inlets, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_flags: int) -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe2", refuse)
    assert inlets.open("cat") == SILENT and inlets.of("cat") is None
    inlets.spawned("cat")
