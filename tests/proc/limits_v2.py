"""Runs inside the cgroup v2 guest: an initd whose programs have cgroup limits; prints what the kernel made of them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.proc.test_oom import EAT
from tests.support.cgroup1 import ENTER
from tests.support.pid1 import ROOT, Pid1
from tests.support.waiting import until

LIMITS = "cgroup_memory_max=32MB\ncgroup_memory_high=30MB\ncgroup_cpu_max=0.5\ncgroup_pids_max=50\n"
CONFIG = (
    f"[initd]\n[program:web]\nstartsecs=0\ncommand=sleep 1000\nautorestart=false\n{LIMITS}"
    f"[program:hog]\nstartsecs=0\nautostart=false\nautorestart=false\ncommand={sys.executable} -IS -c '{EAT}'\n"
    "cgroup_memory_max=32MB\n"
)
box = Path("/sys/fs/cgroup/pidone")
box.mkdir()
INITD = (sys.executable, "-IS", str(ROOT / "initd" / "__main__.py"))
init = Pid1(Path(tempfile.mkdtemp()), CONFIG, launcher=(*ENTER, str(box), *INITD))  # alone there, as in a container


def read(name: str) -> str:
    return (box / name).read_text().strip()


try:
    init.wait_state("web", "RUNNING")
    print("controllers", *sorted(set(read("cgroup.subtree_control").split()) & {"cpu", "memory", "pids"}))
    limits = ("memory.max", "memory.high", "cpu.max", "pids.max")
    print("limits", *(read(f"pidone-web/{name}") for name in limits))
    print("leaf", sum(1 for pid in read("pidone-init/cgroup.procs").split() if int(pid) == init.pid))
    init.ask("start", names=["hog"])
    init.exits()
    init.ask("signal", names=["web"], signal="KILL")
    for record in init.exits(2):
        print(record["name"], record["signal"], record["cause"])
    until(lambda: not (box / "pidone-web").exists() and not (box / "pidone-hog").exists(), what="no cgroups")
    print("gone")
except Exception:
    print(init.said(), file=sys.stderr)
    raise
finally:
    init.destroy()
