from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supervisor.loggers import RotatingFileHandler

from initd.logs.rotation import Keeping
from initd.logs.sink import FileSink, Losses, Origin
from tests.support.estate import at_the_end
from tests.support.tmpfs import tiny_tmpfs
from wire.limits import NOTE_CHARS, SINK_RETRY_SECONDS


class Log:
    """A FileSink with a clock and an ear for what it says."""

    def __init__(self, path: Path, maxbytes: int = 0, backups: int = 0) -> None:
        self.path = path
        self.now = 0.0
        self.said: list[str] = []
        self.origin = Origin("web stdout")
        self.sink = FileSink(str(path), Keeping(maxbytes, backups), lambda: self.now, self.said.append)
        at_the_end(self.sink.close)

    def write(self, text: bytes) -> None:
        self.sink.write(text, self.origin)

    @property
    def text(self) -> bytes:
        return self.path.read_bytes()


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "log")


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def by_supervisord(directory: Path, chunks: list[bytes], maxbytes: int, backups: int) -> dict[str, bytes]:
    """What supervisord's own handler leaves in the directory."""
    handler = RotatingFileHandler(str(directory / "log"), maxBytes=maxbytes, backupCount=backups)
    for chunk in chunks:
        handler.stream.write(chunk)
        handler.stream.flush()
        handler.doRollover()
    handler.close()
    return contents(directory)


def by_initd(directory: Path, chunks: list[bytes], maxbytes: int, backups: int) -> dict[str, bytes]:
    log = Log(directory / "log", maxbytes, backups)
    for chunk in chunks:
        log.write(chunk)
    log.sink.close()
    assert log.said == []
    return contents(directory)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=30), st.integers(0, 40), st.integers(0, 4))
def test_rotation_leaves_the_same_files_as_supervisord(chunks, maxbytes, backups):
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        theirs = by_supervisord(Path(one), chunks, maxbytes, backups)
        assert by_initd(Path(two), chunks, maxbytes, backups) == theirs


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=20), st.integers(1, 40))
def test_rotation_loses_nothing_while_backups_suffice(chunks, maxbytes):
    with TemporaryDirectory() as directory:
        left = by_initd(Path(directory), chunks, maxbytes, backups=len(chunks))
        numbered = [left.pop(f"log.{number}") for number in range(len(left) - 1, 0, -1)]
        assert b"".join(numbered) + left["log"] == b"".join(chunks)


def test_an_old_log_is_continued_and_counts_for_rotation(tmp_path):
    (tmp_path / "log").write_bytes(b"12345678")
    log = Log(tmp_path / "log", maxbytes=10, backups=1)
    log.write(b"90")
    assert contents(tmp_path) == {"log": b"", "log.1": b"1234567890"}


def test_a_missing_directory_is_made(tmp_path):
    log = Log(tmp_path / "a" / "b" / "log")
    log.write(b"x")
    assert log.text == b"x"


def test_reopen_follows_logrotate(log, tmp_path):
    log.write(b"one")
    log.path.rename(tmp_path / "old")
    log.write(b"two")
    log.sink.reopen()
    log.write(b"three")
    assert contents(tmp_path) == {"old": b"onetwo", "log": b"three"}


def test_a_file_that_was_cut_is_not_rotated_too_early(tmp_path):
    log = Log(tmp_path / "log", maxbytes=10, backups=1)
    log.write(b"12345678")
    os.truncate(log.path, 0)
    log.write(b"9012")
    assert contents(tmp_path) == {"log": b"9012"}


def test_a_file_that_was_moved_away_is_not_rotated_again(tmp_path):
    log = Log(tmp_path / "log", maxbytes=10, backups=2)
    log.write(b"12345678")
    log.path.rename(tmp_path / "log.1")
    log.write(b"9012")
    log.write(b"new")
    assert contents(tmp_path) == {"log": b"new", "log.1": b"123456789012"}


def test_rotation_that_fails_keeps_the_text(tmp_path):
    (tmp_path / "log.1").mkdir()
    (tmp_path / "log.1" / "in the way").touch()
    log = Log(tmp_path / "log", maxbytes=4, backups=1)
    for word in (b"one.", b"two", b"more"):
        log.write(word)
    assert log.text == b"one.twomore"
    assert len(log.said) == 2 and "cannot rotate" in log.said[0]


def test_a_device_is_never_rotated():
    log = Log(Path("/dev/full"), maxbytes=1, backups=1)
    log.write(b"xx")
    log.now += SINK_RETRY_SECONDS
    log.write(b"xx")
    assert not os.path.exists("/dev/full.1") and log.origin.dropped == 4


def test_a_full_disk_is_dropped_counted_and_left_alone_for_a_while(tmp_path):
    with tiny_tmpfs(tmp_path / "disk", 64 * 1024) as disk:
        log = Log(disk / "log")
        log.write(b"x" * 60_000)
        log.write(b"y" * 10_000)
        assert "No space left" in log.said[0] and len(log.said) == 1
        lost = 70_000 - log.path.stat().st_size
        assert log.origin.dropped == lost > 0
        log.write(b"z" * 100)
        assert log.origin.dropped == lost + 100 and len(log.said) == 1
        os.truncate(log.path, 0)
        log.write(b"too soon")
        log.now += SINK_RETRY_SECONDS
        log.write(b"works again")
        assert log.text == b"works again"
        assert f"{lost + 108} bytes of output did not reach" in log.said[1] and "No space left" in log.said[1]
        log.sink.close()


def test_a_full_disk_can_still_rotate(tmp_path):
    with tiny_tmpfs(tmp_path / "disk", 64 * 1024) as disk:
        log = Log(disk / "log", maxbytes=16 * 1024, backups=1)
        for _ in range(30):
            log.write(b"x" * 4096)
        assert log.said == [] and sum(path.stat().st_size for path in disk.iterdir()) <= 32 * 1024
        log.sink.close()


def test_no_descriptor_is_kept_while_a_sink_has_failed():
    before = os.listdir("/proc/self/fd")
    log = Log(Path("/dev/full"))
    log.write(b"x")
    assert os.listdir("/proc/self/fd") == before


def test_reopen_of_a_file_that_cannot_be_opened_is_said(tmp_path):
    (tmp_path / "log").mkdir()
    log = Log(tmp_path / "log")
    log.sink.reopen()
    assert "Is a directory" in log.said[0]


def test_losses_are_told_once_and_in_one_bounded_line():
    losses = Losses("the file")
    for number in range(1000):
        losses.add(Origin(f"program-{number}"), 2, "it was full")
    text = losses.settle()
    assert text.startswith("2000 bytes of output did not reach the file: program-0 2,") and "\n" not in text
    assert text.endswith("... (it was full)") and len(text) < NOTE_CHARS + 100 and not losses


def test_clear_begins_the_file_anew_and_leaves_its_readers_the_old_one(log, tmp_path):
    log.write(b"old\n")
    with open(log.sink.path, "rb") as reader:
        log.sink.clear()
        assert contents(tmp_path) == {"log": b""}
        log.write(b"new\n")
        assert (contents(tmp_path), reader.read()) == ({"log": b"new\n"}, b"old\n")
