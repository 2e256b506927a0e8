"""What PID 1 has loaded when the last autostart program is started, when it serves, and ever after."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.proc.conftest import Begin

pytestmark = pytest.mark.proc

STAGE1 = (
    # named by the architecture
    "os select errno fcntl gc "
    # what these pull in
    "os.path posixpath genericpath stat abc _abc _collections_abc codecs _codecs io _stat "
    # the C halves of signal, collections and heapq (initd.native)
    "_collections _signal _heapq "
    # built into the interpreter, or there at its start
    "builtins sys time posix marshal zipimport _imp _io _thread _warnings _weakref _frozen_importlib "
    "_frozen_importlib_external __main__ __future__ site _typing _suggestions _sysconfig _weakrefset "
    # users
    "pwd "
    # of the interpreter's start; no other codec is asked for
    "encodings encodings.aliases encodings.utf_8"
)
"""Standard modules that stage 1 may have loaded."""

NEVER = ("asyncio", "zmq", "psutil", "msgpack", "logging", "subprocess", "dataclasses", "typing", "threading", "ctypes")
OURS_NEVER = ("initd.link", "initd.ctl", "initd.compat", "wire.codec", "wire.messages", "wire.client", "hub", "console")
NOT_IN_STAGE1 = (
    "re",
    "_json",
    "configparser",
    "shlex",
    "_socket",
    "initd.control",
    "initd.listener",
    "initd.serve",
    "initd.shutdown",
    "initd.sweep",
)


@pytest.fixture
def stages(begin: Begin, tmp_path: Path) -> dict[str, set[str]]:
    """Modules by stage, of an initd that was asked, reloaded and stopped meanwhile."""
    trace = tmp_path / "trace"
    init = begin("[program:web]\nstartsecs=0\ncommand=sleep 1000\n", env={"PIDONE_TRACE_IMPORTS": str(trace)})
    init.wait_state("web", "RUNNING")
    for verb in ("about", "healthy", "events", "exits"):
        init.ask(verb)
    init.ask("restart", names=["web"], wait=10)
    init.ask("tail", name="web")
    init.send(signal.SIGUSR2)
    init.send(signal.SIGHUP)
    init.wait_said("web started", 3)
    assert init.stop() == 0
    lines = [line.split() for line in trace.read_text().splitlines()]
    return {stage: set(names) for stage, *names in lines}


def test_stage_1_has_only_what_starting_programs_needs(stages: dict[str, set[str]]) -> None:
    foreign = {name for name in stages["stage1"] if name.split(".")[0] not in ("initd", "wire")}
    assert foreign <= set(STAGE1.split())
    assert not stages["stage1"] & set(NOT_IN_STAGE1)


def test_nothing_is_imported_after_stage_2(stages: dict[str, set[str]]) -> None:
    assert stages["end"] == stages["stage2"]


def test_some_modules_never_come_in(stages: dict[str, set[str]]) -> None:
    found = {name for name in stages["end"] if name.split(".")[0] in NEVER or name.startswith(OURS_NEVER)}
    assert found == set()


def test_stage_2_takes_the_c_halves_alone(stages: dict[str, set[str]]) -> None:
    assert not stages["stage2"] & {"re", "enum", "functools", "collections", "selectors", "socket", "json"}


def test_stage_2_can_serve(stages: dict[str, set[str]]) -> None:
    assert {"_json", "initd.control", "initd.listener"} <= stages["stage2"]
