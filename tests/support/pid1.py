"""A real initd as PID 1 of a PID namespace of its own (root), or as an ordinary process; for tests with real forks."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tests.support.procfs import children, command_line, descendants
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
INITD = str(ROOT / "bin" / "initd")
Found = TypeVar("Found")
NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--mount")


class Pid1:
    """One initd under test; `said()` is what it wrote to stderr, `out()` its stdout, unless `streams` takes both."""

    def __init__(
        self,
        folder: Path,
        config: str = "",
        command: tuple[str, ...] = (),
        namespace: bool = True,
        env: Mapping[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        streams: int | None = None,
        launcher: tuple[str, ...] = (INITD,),
    ) -> None:
        self.folder = folder
        self._mark = "initd/__main__.py" if os.path.realpath(launcher[0]) == INITD else launcher[-1]
        # The address of a unix socket is short (108 bytes), pytest's folders are long.
        self.socket = f"{tempfile.mkdtemp(prefix='p1-')}/s"
        path = folder / "app.ini"
        if config and "[supervisord]" not in config:
            config = f"[supervisord]\npidfile={folder}/pid\n{config}"
        path.write_text(config)
        arguments = ("--", *command) if command else ("-c", str(path), *options)
        self._out, self._err = folder / "stdout", folder / "stderr"
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = subprocess.Popen(
                (*wrapper, *(NAMESPACE if namespace else ()), *launcher, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=out if streams is None else streams,
                stderr=err if streams is None else streams,
                cwd=folder,
                env={**os.environ, "PIDONE_SOCKET": self.socket, **(env or {})},
            )
        self.namespaced = namespace
        self._pid: int | None = None

    # Looking

    @property
    def pid(self) -> int:
        """initd's pid as seen from outside; waits until it is there."""
        if self._pid is None:
            self._pid = until(self._find, what="initd's process")
        return self._pid

    def _find(self) -> int | None:
        assert self.process.poll() is None, self.said()
        if not self.namespaced and self._mark in command_line(self.process.pid):
            return self.process.pid
        found = [pid for pid in descendants(self.process.pid) if self._mark in command_line(pid)]
        return found[0] if found else None

    def said(self) -> str:
        return self._err.read_text(errors="replace")

    def out(self) -> str:
        return self._out.read_text(errors="replace")

    def children(self) -> list[int]:
        return children(self.pid)

    def wait_said(self, pattern: str, count: int = 1) -> list[str]:
        """Wait until stderr holds `count` matches; returns the first group (or the match) of each."""

        def enough() -> list[str] | None:
            found = [match.group(match.lastindex or 0) for match in re.finditer(pattern, self.said())]
            return found if len(found) >= count else None

        return self._until(enough, pattern)

    def wait_out(self, pattern: str, seconds: float = 60.0) -> str:
        """Wait until stdout matches; returns the match."""
        return self._until(lambda: re.search(pattern, self.out()), pattern, seconds).group()

    def _until(self, condition: Callable[[], Found], pattern: str, seconds: float = 60.0) -> Found:
        try:
            return until(condition, seconds)
        except AssertionError:
            raise AssertionError(
                f"no {pattern!r} in stderr:\n{self.said()[-3000:]}\nstdout:\n{self.out()[-1000:]}"
            ) from None

    def ask(self, verb: str, **args: object) -> Any:
        """One request over the control socket; its result."""
        with socket.socket(socket.AF_UNIX) as client:
            self._until(lambda: client.connect_ex(self.socket) == 0, "an answer on the control socket")
            client.sendall(json.dumps({"id": 1, "verb": verb, "args": args}).encode() + b"\n")
            reply = json.loads(client.makefile("rb").readline())
        assert reply["ok"], reply
        return reply["result"]

    def exits(self, count: int = 1, **args: object) -> list[dict[str, Any]]:
        """Wait for the first `count` exit records; returns them, oldest first."""

        def enough() -> list[dict[str, Any]] | None:
            rows = self.ask("exits", after=0, limit=count, **args)
            return [row["body"] for row in rows] if len(rows) >= count else None

        return self._until(enough, f"{count} exit records", 120)

    def wait_state(self, name: str, state: str) -> dict[str, Any]:
        """Wait until `status` shows it; returns the row."""

        def row() -> dict[str, Any] | None:
            rows = [row for row in self.ask("status") if row["name"] == name and row["state"] == state]
            return rows[0] if rows else None

        return self._until(row, f"{name} {state}")

    # Acting

    def send(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def wait(self, seconds: float = 60.0) -> int:
        """The exit status (unshare passes on its child's)."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        """Ask it to shut down and wait for the end."""
        self.send(signal.SIGTERM)
        return self.wait()

    def destroy(self) -> None:
        """Whatever happened, leave nothing behind."""
        shutil.rmtree(os.path.dirname(self.socket), ignore_errors=True)
        if self.process.poll() is None:
            # Stopped first, from the top: who is killed before initd would be restarted by it.
            family = [self.process.pid]
            for pid in family:
                signal_quietly(pid, signal.SIGSTOP)
                family += children(pid)
            for pid in family:
                signal_quietly(pid, signal.SIGKILL)
            self.process.wait(30)


def signal_quietly(pid: int, signum: int) -> None:
    """Signal it if it is still there."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass
