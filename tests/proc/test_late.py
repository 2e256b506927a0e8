"""A reload to whatever a file may use, out of a pack, after everything that was installed is gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from initd.parts import late
from tests.proc.conftest import Begin
from tests.support.pid1 import ROOT

pytestmark = pytest.mark.proc

FIRST = "[program:web]\nstartsecs=0\ncommand=sleep 1000\n"
SECOND = """
[program:all]
command=sleep 1000
startsecs=0
essential=false
depends_on=web
readiness=exec:true
liveness=exec:true
pre_start=true
backoff=2
stop_scope=group
log_prefix=true
rlimit_core=0
env_allow=PATH
restart_age=1h
[program:later]
command=true
type=oneshot
schedule=0 0 1 1 *
[program:inner]
command=sleep 1000
[group:pool]
programs=inner
[eventlistener:ear]
command=cat
events=TICK_3600
[include]
files=none*.ini
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """What pip would install: our packages and their pack."""
    site = tmp_path / "site"
    for package in ("initd", "wire"):
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__", "packed.c*"))
    packing = [sys.executable, "-IS", "-X", "no_debug_ranges", str(site / "initd/packing.py"), str(site)]
    subprocess.run(packing, check=True, stdout=subprocess.DEVNULL)
    return site


def stages(trace: Path) -> dict[str, set[str]]:
    return {stage: set(names) for stage, *names in map(str.split, trace.read_text().splitlines())}


def test_a_reload_uses_what_nobody_used_before(begin: Begin, installed: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    launcher = (sys.executable, "-IS", str(installed / "initd/__main__.py"))
    init = begin(FIRST, launcher=launcher, env={"PIDONE_TRACE_IMPORTS": str(trace)})
    init.wait_state("web", "RUNNING")
    init.ask("about")
    os.truncate(next(installed.glob("initd/packed.c*")), 0)
    shutil.rmtree(installed)
    with open(init.folder / "app.ini", "a") as file:
        file.write(SECOND)
    init.send(signal.SIGHUP)
    init.wait_state("all", "RUNNING")
    assert init.stop() == 0
    found = stages(trace)
    came = found["end"] - found["stage2"]
    assert came <= set(late()) | {name for name in came if name.startswith("initd.")}
    assert {"initd.probes.part", "initd.limits.part", "initd.jobs.part", "initd.eventlistener.part"} <= came
