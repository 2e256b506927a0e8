"""script/engine: uses what answers, starts one where none does, and stops only its own."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.support import services
from tests.support.containers import ROOT, need_engine

SCRIPT = str(ROOT / "script" / "engine")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
ALONE = ["unshare", "--net", "--mount", "--propagation", "private"]
"""A network namespace of its own: a second dockerd beside the first would take its bridge and firewall rules away."""


def engine(*argv: str, place: Path | None = None, before: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    environ = dict(os.environ)
    if place:
        environ |= {"PIDONE_ENGINE_SOCKET": f"{place}/socket", "PIDONE_ENGINE_RUN": f"{place}/run"}
        environ |= {"PIDONE_ENGINE_ROOT": f"{place}/root"}
    return subprocess.run([*(before or []), *argv], env=environ, capture_output=True, text=True, timeout=240)


@pytest.mark.engine
def test_an_engine_that_answers_is_used() -> None:
    need_engine()
    assert "API" in engine(SCRIPT, "status").stdout
    done = engine(SCRIPT, "start")
    assert done.returncode == 0 and "using the engine" in done.stderr


def test_no_engine_is_exit_status_3(tmp_path: Path) -> None:
    done = engine(SCRIPT, "status", place=tmp_path)
    assert done.returncode == 3 and "no engine answers" in done.stderr


@pytest.mark.proc
def test_a_user_who_may_not_use_the_engine_is_told_why() -> None:
    services.need_root()
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX) as there:
        there.bind(f"{place}/socket")
        os.chmod(place, 0o755)
        os.chmod(f"{place}/socket", 0o660)
        done = engine(SCRIPT, "start", place=Path(place), before=NOBODY)
    assert done.returncode == 3 and "is not for user nobody: see its group root" in done.stderr


def test_stopping_leaves_engines_alone_that_are_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pid").write_text(str(os.getpid()))
    done = engine(SCRIPT, "stop", place=tmp_path)
    assert done.returncode == 0 and "left alone" in done.stderr


def test_unknown_verb_is_usage() -> None:
    done = engine(SCRIPT, "dance")
    assert done.returncode == 2 and "script/engine start" in done.stdout


@pytest.mark.engine
def test_a_second_one_beside_the_first_is_refused(tmp_path: Path) -> None:
    services.need_root()
    need_engine()
    done = engine(SCRIPT, "start", place=tmp_path)
    assert done.returncode == 1 and "would break it" in done.stderr


@pytest.mark.engine
@pytest.mark.slow
def test_starts_and_stops_one_of_its_own() -> None:
    services.need_root()
    need_engine()
    steps = "set -e; ip link set lo up; $0 start; $0 status; $0 stop; $0 status || [ $? = 3 ]"
    with tempfile.TemporaryDirectory() as place:  # a socket's path has 107 characters at most, and tmp_path is long
        done = engine("bash", "-c", steps, SCRIPT, place=Path(place), before=ALONE)
    assert done.returncode == 0, done.stderr
    assert "started by script/engine" in done.stdout and "stopped dockerd" in done.stderr


@pytest.mark.engine
@pytest.mark.slow
def test_one_that_was_killed_is_followed_by_another() -> None:
    services.need_root()
    need_engine()
    steps = "set -e; ip link set lo up; $0 start; kill -9 $(cat $PIDONE_ENGINE_RUN/pid); $0 start; $0 status; $0 stop"
    with tempfile.TemporaryDirectory() as place:
        done = engine("bash", "-c", steps, SCRIPT, place=Path(place), before=ALONE)
    assert done.returncode == 0, done.stderr
    assert "clearing away" in done.stderr and "stopped dockerd" in done.stderr


@pytest.mark.engine
@pytest.mark.slow
def test_one_that_cannot_start_is_told_at_once(tmp_path: Path) -> None:
    services.need_root()
    need_engine()
    (tmp_path / "root").write_text("no directory")
    begun = time.monotonic()
    done = engine(SCRIPT, "start", place=tmp_path, before=ALONE)
    assert done.returncode == 1 and "dockerd ended" in done.stderr
    assert time.monotonic() - begun < 50, "it did not wait for the time to pass"
