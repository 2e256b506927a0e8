from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from initd.logs.rotation import Calendar, Keeping, loose, period, shift, whereabouts
from initd.logs.sink import FileSink, Origin
from tests.support.estate import at_the_end

DAY = 86400.0


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


class Dated:
    """A FileSink rotated by time, with a clock that the test moves."""

    def __init__(self, path: Path, every: str | int, backups: int = 3, maxbytes: int = 0) -> None:
        self.now = 1_700_000_000.0
        self.said: list[str] = []
        self.path = path
        keeping = Keeping(maxbytes, backups, every)
        self.sink = FileSink(str(path), keeping, lambda: 0.0, self.said.append, lambda: self.now)
        at_the_end(self.sink.close)

    def write(self, text: bytes, later: float = 0.0) -> None:
        self.now += later
        self.sink.write(text, Origin("web"))

    @property
    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.path.parent.iterdir()}


def test_a_day_ends_at_midnight_of_the_containers_zone(berlin):
    number, certain = period("daily", at("2024-01-10 23:59:59"))
    assert certain == at("2024-01-11 00:00:00") and period("daily", certain)[0] == number + 1


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27"])
def test_days_of_23_and_25_hours_are_one_day(berlin, day):
    calendar = Calendar("daily")
    calendar.begin(at(f"{day} 00:30:00"))
    assert not any(calendar.is_over(at(f"{day} {hour:02d}:59:59")) for hour in range(1, 24))
    assert calendar.is_over(at(f"{day} 23:59:59") + 2)


def test_an_hour_ends_with_the_hour(berlin):
    number, certain = period("hourly", at("2024-01-10 12:34:56"))
    assert certain == at("2024-01-10 13:00:00") and period("hourly", certain)[0] == number + 1


def test_a_clock_that_goes_back_ends_no_period():
    calendar = Calendar(60)
    calendar.begin(6000.0)
    assert [calendar.is_over(now) for now in (6059.0, 5000.0, 6060.0)] == [False, False, True]


def test_the_first_write_of_a_new_period_begins_a_new_file(tmp_path):
    log = Dated(tmp_path / "log", 100)
    log.write(b"one\n")
    log.write(b"two\n", later=99)
    log.write(b"three\n", later=1)
    log.write(b"four\n", later=500)
    assert log.files == {"log": b"four\n", "log.1": b"three\n", "log.2": b"one\ntwo\n"}


def test_a_restart_neither_skips_a_rotation_nor_repeats_one(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"old\n")
    log = Dated(path, 100)
    os.utime(path, (log.now - 1000, log.now - 1000))
    log.write(b"new\n")
    log.sink.close()
    Dated(path, 100).write(b"newer\n", later=1)
    assert log.files == {"log": b"new\nnewer\n", "log.1": b"old\n"}


def test_an_empty_file_is_not_rotated(tmp_path):
    log = Dated(tmp_path / "log", 100)
    log.write(b"one\n")
    log.sink.clear()
    log.write(b"two\n", later=100)
    assert log.files == {"log": b"two\n"}


def test_time_and_size_rotate_the_same_file(tmp_path):
    log = Dated(tmp_path / "log", 100, maxbytes=4)
    log.write(b"one\n")
    log.write(b"2\n")
    log.write(b"3\n", later=100)
    assert log.files == {"log": b"3\n", "log.1": b"2\n", "log.2": b"one\n"}


def test_a_file_that_cannot_be_rotated_is_tried_once_a_period(tmp_path, monkeypatch):
    log = Dated(tmp_path / "log", 100)
    log.write(b"one\n")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    log.write(b"two\n", later=100)
    log.write(b"three\n", later=1)
    assert log.files == {"log": b"one\ntwo\nthree\n"} and len(log.said) == 1
    monkeypatch.undo()
    log.write(b"four\n", later=100)
    assert log.files["log"] == b"four\n"


def test_compressed_parts_move_along_and_the_oldest_goes(tmp_path):
    for name in ("log", "log.1", "log.2.gz", "log.3.gz"):
        (tmp_path / name).write_text(name)
    shift(str(tmp_path / "log"), Keeping(0, 3, compress=True))
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == {"log.1": "log", "log.2": "log.1", "log.3.gz": "log.2.gz"}


def test_a_part_of_the_other_kind_does_not_stay_behind(tmp_path):
    for name in ("log", "log.1", "log.2.gz"):
        (tmp_path / name).write_text(name)
    shift(str(tmp_path / "log"), Keeping(0, 2, compress=True))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"log.1": "log", "log.2": "log.1"}


def test_an_old_part_is_found_again_by_what_it_is(tmp_path):
    path, keeping = str(tmp_path / "log"), Keeping(0, 3)
    (tmp_path / "log").write_text("x")
    inode = os.stat(path).st_ino
    shift(path, keeping)
    (tmp_path / "log").write_text("y")
    shift(path, keeping)
    assert whereabouts(path, keeping, inode) == f"{path}.2"
    assert list(loose(path, keeping)) == [f"{path}.2", f"{path}.1"]
    os.unlink(f"{path}.2")
    assert whereabouts(path, keeping, inode) is None
