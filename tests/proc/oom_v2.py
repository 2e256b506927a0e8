"""Runs inside the cgroup v2 guest: an initd under memory.max, one OOM kill, one kill -9; prints their causes."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.proc.test_oom import config
from tests.support.cgroup1 import ENTER
from tests.support.pid1 import Pid1
from tests.support.procfs import runs
from tests.support.waiting import until

group = Path("/sys/fs/cgroup/pidone")
group.mkdir()
(group / "memory.max").write_text("96M")
(group / "memory.swap.max").write_text("0") if (group / "memory.swap.max").exists() else None

init = Pid1(Path(tempfile.mkdtemp()), config(), wrapper=(*ENTER, str(group)))
try:
    init.ask("start", names=["hog"])
    init.exits()
    web = until(lambda: [pid for pid in init.children() if runs(pid, "sleep")])
    os.kill(web[0], signal.SIGKILL)
    for record in init.exits(2):
        print(record["name"], record["signal"], record["cause"])
finally:
    init.destroy()
