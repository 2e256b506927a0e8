"""The file of initd's own lines: supervisord's form, only where the configuration names one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from initd.activity import ActivityLog, stamped
from initd.config import load
from initd.config.records import Daemon
from initd.output import Output
from tests.support.handloop import HandLoop

LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO web started\n"


def settings(folder: Path, text: str) -> Daemon:
    (folder / "a.ini").write_text("[supervisord]\n" + text)
    config = load(str(folder / "a.ini"), {}, advise=False).config
    assert config is not None
    return config.daemon


@pytest.fixture
def log() -> ActivityLog:
    return ActivityLog(Output(HandLoop(), lambda: 0.0))


def test_lines_look_as_supervisords() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,250 CRIT x\n", stamped("x", "critical", 1.6e9 + 0.25))
    assert stamped("x", "blather", 0.0).endswith(",000 BLAT x\n")


def test_the_file_and_its_directory_are_made(log: ActivityLog, tmp_path: Path) -> None:
    log.follow(settings(tmp_path, f"logfile={tmp_path}/var/log/s.log\n"))
    log.write([("web started", "info")])
    assert re.fullmatch(LINE, (tmp_path / "var/log/s.log").read_text())


def test_it_is_rotated(log: ActivityLog, tmp_path: Path) -> None:
    log.follow(settings(tmp_path, f"logfile={tmp_path}/s.log\nlogfile_maxbytes=60\nlogfile_backups=1\n"))
    for _ in range(5):
        log.write([("web started", "info")])
    assert sorted(path.name for path in tmp_path.glob("s.log*")) == ["s.log", "s.log.1"]
    assert re.fullmatch(LINE * 2, (tmp_path / "s.log.1").read_text())


@pytest.mark.parametrize("text", ["", "logfile=/dev/null\n", "logfile=/dev/stdout\n", "logfile=/dev/fd/1\n"])
def test_no_file(log: ActivityLog, tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log.follow(settings(tmp_path, text + "logfile_maxbytes=0\n"))
    log.write([("web started", "info")])
    assert [path.name for path in tmp_path.iterdir()] == ["a.ini"]


def test_another_file_after_a_reload(log: ActivityLog, tmp_path: Path) -> None:
    for name in ("one", "two"):
        log.follow(settings(tmp_path, f"logfile={tmp_path}/{name}\n"))
        log.write([("web started", "info")])
    log.follow(settings(tmp_path, ""))
    log.write([("web started", "info")])
    assert [len((tmp_path / name).read_text().splitlines()) for name in ("one", "two")] == [1, 1]
