"""Figures that only a process's own user may read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from initd.link.__main__ import HELPER
from initd.link.reader import Reader, read_as
from initd.prefix import command
from tests.support.services import need_root
from tests.support.waiting import until

NOBODY = 65534


@pytest.fixture
def theirs() -> Iterator[int]:
    """A process of another user with some files open."""
    need_root()
    code = "import os, time; files = [os.memfd_create('x') for _ in range(3)]; print(flush=True); time.sleep(60)"
    run = [sys.executable, "-IS", "-c", code]
    process = subprocess.Popen(run, user=NOBODY, group=NOBODY, extra_groups=[], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.communicate()


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader([*command("initd.link"), HELPER])
    yield reader
    reader.close()


def test_a_child_of_that_user_reads(theirs: int) -> None:
    [(pid, (_, _, fds))] = read_as(NOBODY, NOBODY, [theirs]).items()
    assert int(pid) == theirs and fds is not None and fds >= 4


def test_it_is_that_user_for_good(theirs: int) -> None:
    """As another user, root's own process (this one) tells nothing that needs to be its user."""
    found = read_as(NOBODY, NOBODY, [os.getpid()])
    assert all(numbers[0] is None for numbers in found.values())


def test_the_helper_brings_an_answer_and_serves_on(reader: Reader, theirs: int) -> None:
    for _ in range(2):
        reader.ask({(NOBODY, NOBODY): [theirs, 2**22 - 1]})
        found = until(reader.take)
        assert found[theirs].fds >= 4


def test_one_question_at_a_time(reader: Reader, theirs: int) -> None:
    for _ in range(5):
        reader.ask({(NOBODY, NOBODY): [theirs]})
    until(reader.take)
    assert reader.take() == {}


def test_a_helper_that_is_gone_is_no_error(reader: Reader) -> None:
    reader.ask({(0, 0): [os.getpid()]})
    assert reader.pid
    os.kill(reader.pid, 9)
    until(lambda: Path(f"/proc/{reader.pid}/stat").read_text().split()[2] == "Z")
    for _ in range(3):
        reader.take()
        reader.ask({(0, 0): [os.getpid()]})


def test_without_need_there_is_no_helper(reader: Reader) -> None:
    reader.ask({})
    assert reader.pid == 0 and reader.take() == {}
