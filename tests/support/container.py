"""A container without an engine: a PID and mount namespace with its own /run and /tmp, initd as its PID 1 (root)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.support.pid1 import INITD, ROOT
from tests.support.procfs import command_line, descendants
from tests.support.services import need_root
from tests.support.waiting import until

ENTER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--mount")


class Container:
    """initd as PID 1; `initd(verb, ...)` runs the command inside, like docker exec.

    stdout and stderr of PID 1 are pipes that nobody reads unless the test does.
    """

    def __init__(self, folder: Path, config: str, setup: str = "", run_as: str = "") -> None:
        need_root()
        path = folder / "app.ini"
        path.write_text(config)
        folder.chmod(0o755)
        # The test's own folder may lie in /tmp: keep it visible under another name, and the source tree under its own.
        # The default pidfile goes to the working directory, which is therefore one of the container's own.
        script = f"""
        mount --make-rprivate / && mkdir -p /mnt && mount --bind {folder} /mnt &&
        mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/tree && mount --bind {ROOT} /run/tree &&
        mount -t tmpfs -o mode=1777 tmpfs /tmp && mkdir -p {ROOT} && mount --bind /run/tree {ROOT} &&
        umount /run/tree && rmdir /run/tree && cd /run || exit 99
        {setup}
        exec {run_as} {INITD} -c /mnt/app.ini
        """
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PIDONE")}
        self.process = subprocess.Popen(
            (*ENTER, "sh", "-c", script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
        )
        self._environ = environ
        self.pid: int = until(self._find, what="initd as PID 1")

    def _find(self) -> int:
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.stderr()}")
        for pid in descendants(self.process.pid):
            if re.search(r"__main__\.pyc? -c /mnt/app\.ini", command_line(pid)):  # compiled where it is the bundle's
                return pid
        return 0

    def initd(self, *words: str, user: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `initd words...` inside, as `user`."""
        return subprocess.run(self.command(*words, user=user), capture_output=True, text=True, env=self._environ)

    def command(self, *words: str, user: int = 0) -> tuple[str, ...]:
        """The command line of that."""
        drop = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups") if user else ()
        return ("nsenter", "--target", str(self.pid), "--pid", "--mount", *drop, INITD, *words)

    def json(self, *words: str) -> Any:
        """What a verb prints with --json."""
        done = self.initd(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def wait_state(self, name: str, state: str) -> dict[str, Any]:
        """Wait until `status` shows it; returns the row."""

        def look() -> dict[str, Any] | None:
            done = self.initd("status", "--json")
            rows = json.loads(done.stdout) if done.returncode == 0 else []
            return next((row for row in rows if row["full_name"] == name and row["state"] == state), None)

        return until(look, what=f"{name} {state}")

    def stderr(self) -> str:
        """Everything on PID 1's stderr so far, without waiting for more."""
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        return (self.process.stderr.read() or b"").decode(errors="replace")

    def destroy(self) -> None:
        """Whatever happened, leave nothing behind."""
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait(30)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


def cpu_seconds(pid: int) -> float:
    """CPU time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stays_idle(pid: int, seconds: float = 1.0) -> float:
    """CPU seconds a process uses in a while of real time."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return cpu_seconds(pid) - before
