"""A real consoled in a process of its own on 127.0.0.1, and somebody who talks HTTP to it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.livehub import ROOT, LiveHub
from tests.support.ports import free_ports
from tests.support.waiting import until
from wire.keys import ClientKey

PASSWORD = "four random words, say"


class Answered(NamedTuple):
    """An answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def said(self) -> Any:
        return json.loads(self.text)


class Visitor:
    """A browser without a window: keeps the cookie, sends the session's word."""

    def __init__(self, port: int, prefix: str = "", bearer: str = "") -> None:
        self.port, self.prefix, self.bearer = port, prefix, bearer
        self.cookie = self.csrf = ""

    def ask(self, method: str, path: str, said: Any = None, **headers: str) -> Answered:
        """One question; header names with _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent = {"cookie": self.cookie, "x-csrf-token": self.csrf, **sent}
        if self.bearer:
            sent["authorization"] = f"Bearer {self.bearer}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, self.prefix + path, None if said is None else json.dumps(said), sent)
        answer = connection.getresponse()
        found = Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
        connection.close()
        self._keep(found)
        return found

    def _keep(self, found: Answered) -> None:
        if "set-cookie" in found.headers:
            self.cookie = found.headers["set-cookie"].partition(";")[0]
        if found.status == 200 and '"csrf"' in found.text:
            self.csrf = found.said.get("csrf", "")

    def api(self, method: str, path: str, said: Any = None, **headers: str) -> Answered:
        """A question to the REST API."""
        return self.ask(method, f"/api/v1{path}", said, **headers)


class LiveConsole:
    """One console of these hubs; `start` and `kill` may follow each other, its accounts stay."""

    def __init__(self, folder: Path, hubs: list[LiveHub], more: str = "", prefix: str = "") -> None:
        self.folder, self.prefix = folder, prefix
        folder.mkdir(exist_ok=True)
        (self.port,) = free_ports(1)
        keys = [self._key(hub, folder / f"hub{number}.json") for number, hub in enumerate(hubs)]
        self.ini, self.log = folder / "consoled.ini", folder / "consoled.log"
        self.ini.write_text(
            f"[consoled]\nlisten = 127.0.0.1:{self.port}\nkeys = {', '.join(keys)}\n"
            f"store = sqlite:{folder}/access.db\nsecure_cookie = no\n{more}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def _key(self, hub: LiveHub, path: Path) -> str:
        client = hub.user(f"console-{path.parent.name}", "admin")
        client.key.save(path)
        assert ClientKey.load(path) == client.key
        return str(path)

    def start(self) -> LiveConsole:
        """Starts it and waits until it answers."""
        command = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "console", "-c", str(self.ini)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, 60, f"consoled answers; log: {self.log}")
        return self

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log.read_text()
        try:
            return Visitor(self.port, self.prefix).ask("GET", "/healthz").said["hub"] == "up"
        except (OSError, ValueError, KeyError):
            return False

    @property
    def code(self) -> str:
        """The setup code that it printed last."""
        return re.findall(r"good for a day: (\S+)", self.log.read_text())[-1]

    def visitor(self, user: str = "", password: str = PASSWORD) -> Visitor:
        """Somebody; with a name, logged in."""
        found = Visitor(self.port, self.prefix)
        if user:
            answer = found.api("POST", "/session", {"user": user, "password": password})
            assert answer.status == 200, answer
        return found

    def founded(self, user: str = "root") -> Visitor:
        """The first admin, logged in."""
        found = Visitor(self.port, self.prefix)
        answer = found.api("POST", "/setup", {"code": self.code, "user": user, "password": PASSWORD})
        assert answer.status == 200, answer
        return found

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Ends it by this signal; its exit status."""
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.process.wait(30)

    def stop(self) -> None:
        """Ends it."""
        if self.process is not None and self.process.poll() is None:
            self.kill(signal.SIGTERM)
