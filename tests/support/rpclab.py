"""initd and the real supervisord under the same file, and the clients that talk to both."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import xmlrpc.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.procfs import children, command_line
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
INITD = str(ROOT / "bin" / "initd")
SUPERVISORD = [sys.executable, "-m", "supervisor.supervisord"]
THEIRS = [sys.executable, "-m", "supervisor.supervisorctl"]
OURS = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "initd.compat.supervisorctl"]
"""The original client and ours."""

HEAD = """\
[supervisord]
logfile={folder}/main.log
pidfile={folder}/pid
childlogdir={folder}
[unix_http_server]
file={folder}/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/s.sock
"""


class UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.path)
        return connection


class Daemon:
    """One daemon with a folder of its own, run by initd or by supervisord."""

    def __init__(self, kind: str, programs: str, head: str = HEAD, env: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix="rpc-"))
        self.folder.chmod(0o755)
        self.ini = self.folder / "app.ini"
        self.head = head
        self.write(programs)
        self.url = f"unix://{self.folder}/s.sock"
        command = [INITD, "-c", str(self.ini)] if kind == "initd" else [*SUPERVISORD, "-n", "-c", str(self.ini)]
        self.control = f"{self.folder}/control.sock"
        self.said = self.folder / "said"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
                env={**os.environ, "PIDONE_SOCKET": self.control, **(env or {})},
            )

    def write(self, programs: str) -> None:
        """Another configuration, for a reload."""
        self.ini.write_text((self.head + programs).replace("{folder}", str(self.folder)))

    def start(self) -> Daemon:
        """Wait until it answers."""
        until(self.answers, 60, f"{self.kind} answers: {self.said.read_text()}")
        return self

    def answers(self) -> bool:
        assert self.process.poll() is None, self.said.read_text()
        try:
            return bool(self.rpc.getState())
        except (OSError, http.client.HTTPException):
            return False

    @property
    def rpc(self) -> Any:
        """The methods of `supervisor.`"""
        return self.proxy.supervisor

    @property
    def proxy(self) -> Any:
        return xmlrpc.client.ServerProxy("http://localhost", UnixTransport(f"{self.folder}/s.sock"))

    def wait_state(self, name: str, *states: str) -> dict[str, Any]:
        """Wait until a process is in one of these states; its info."""

        def found() -> dict[str, Any] | None:
            info: dict[str, Any] = self.rpc.getProcessInfo(name)
            return info if info["statename"] in states else None

        return until(found, 60, f"{name} becomes {states}")  # type: ignore[return-value]

    def ctl(
        self, client: list[str], *words: str, options: tuple[str, ...] | None = None, text: str = ""
    ) -> tuple[int, str]:
        """Exit status and stdout of a supervisorctl."""
        told = ("-c", str(self.ini)) if options is None else options
        done = subprocess.run(
            [*client, *told, *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
            input=text,
            env={**os.environ, "PIDONE_SOCKET": self.control, "PYTHONUTF8": "1"},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout

    def children(self) -> list[int]:
        return children(self.process.pid)

    def server_pid(self) -> int:
        """Process id of initd's rpc server, 0 where there is none."""
        return next((pid for pid in self.children() if "initd.compat.rpc" in command_line(pid)), 0)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        with self.awake():
            return self.process.wait(60)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """supervisord looks after deferred answers and groups to stop once a second, unless it is asked things."""
        over = threading.Event()
        asker = threading.Thread(target=self._ask_until, args=(over,))
        if self.kind == "supervisord":
            asker.start()
        try:
            yield
        finally:
            over.set()
            if asker.ident is not None:
                asker.join(60)

    def _ask_until(self, over: threading.Event) -> None:
        while not over.wait(0.02):
            with suppress(OSError, http.client.HTTPException, xmlrpc.client.Error):
                self.rpc.getState()

    def destroy(self) -> None:
        """Leave nothing behind."""
        try:
            self.stop()
        finally:
            self.process.kill()
            shutil.rmtree(self.folder, ignore_errors=True)


class Pair:
    """The same programs under both."""

    def __init__(self, programs: str) -> None:
        self.ours, self.theirs = Daemon("initd", programs), Daemon("supervisord", programs)
        self.ours.start()
        self.theirs.start()

    def each(self) -> tuple[Daemon, Daemon]:
        return self.ours, self.theirs

    def wait_state(self, name: str, *states: str) -> None:
        for daemon in self.each():
            daemon.wait_state(name, *states)

    def destroy(self) -> None:
        try:
            self.ours.destroy()
        finally:
            self.theirs.destroy()


def outcome(call: Any) -> Any:
    """The result of a call, or its fault or status."""
    try:
        return call()
    except xmlrpc.client.Fault as fault:
        return (fault.faultCode, fault.faultString)
    except xmlrpc.client.ProtocolError as error:
        return error.errcode


def plain(text: str, *folders: Path) -> str:
    """Without what differs from run to run: pids, spans, dates, folders, random names."""
    for folder in folders:
        text = text.replace(str(folder), "FOLDER")
    text = re.sub(r"pid \d+, uptime \d+:\d\d:\d\d", "pid N, uptime T", text)
    text = re.sub(r"[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M", "DATE", text)
    return re.sub(r"---supervisor-\w{8}\.log", "---supervisor-XXXXXXXX.log", text)
