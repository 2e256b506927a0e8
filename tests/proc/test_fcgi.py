"""[fcgi-program:x]: the shared socket as descriptor 0, as under supervisord."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.proc.conftest import Begin
from tests.support.ports import free_ports
from tests.support.recorder import Supervisord
from tests.support.waiting import until

pytestmark = pytest.mark.proc

SERVER = """
import json, os, socket, sys
listening = socket.socket(fileno=os.dup(0))
told = {"family": listening.family.name, "accepts": listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)}
while True:
    client, _ = listening.accept()
    client.sendall(json.dumps({**told, "pid": os.getpid()}).encode())
    client.close()
"""


@pytest.fixture
def server(tmp_path: Path) -> str:
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    return f"command={sys.executable} {path}\nstartsecs=0\n"


def ask(address: str | tuple[str, int]) -> dict[str, Any]:
    """One answer of the program behind the socket."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(30)
        client.connect(address)
        found: dict[str, Any] = json.loads(client.makefile("rb").read())
    return found


def attempt(path: Path) -> dict[str, Any] | None:
    """An answer, if somebody listens; supervisord makes its socket twice."""
    try:
        return ask(str(path))
    except OSError:
        return None


def facts(path: Path) -> dict[str, Any]:
    told = until(lambda: attempt(path), 60)
    assert told is not None
    status = os.stat(path)
    return {"mode": oct(status.st_mode), "uid": status.st_uid, "gid": status.st_gid, **told, "pid": 0}


SECTION = "[fcgi-program:app]\nsocket=unix://{path}\nsocket_owner=nobody:daemon\nsocket_mode=0742\n"


def test_the_same_socket_as_supervisord(begin: Begin, tmp_path: Path, server: str) -> None:
    ours, theirs = Path(f"/tmp/fcgi-{os.getpid()}-o"), Path(f"/tmp/fcgi-{os.getpid()}-t")
    try:
        with Supervisord(tmp_path / "supervisord", SECTION.format(path=theirs) + server):
            expected = facts(theirs)
        init = begin(SECTION.format(path=ours) + server)
        assert facts(ours) == expected and expected["accepts"] == 1
        assert init.stop() == 0
    finally:
        for path in (ours, theirs):
            path.unlink(missing_ok=True)


def test_all_processes_share_it_and_it_goes_with_the_last(begin: Begin, server: str) -> None:
    [port] = free_ports(1)
    text = f"[fcgi-program:app]\nsocket=tcp://127.0.0.1:{port}\nnumprocs=2\nprocess_name=a%(process_num)d\n{server}"
    init = begin(text)
    rows = [init.wait_state(name, "RUNNING") for name in ("a0", "a1")]
    init.ask("stop", names=["app:a0"], wait=30)
    assert ask(("127.0.0.1", port))["family"] == "AF_INET"
    assert len({row["pid"] for row in rows}) == 2
    init.ask("stop", names=["app:a1"], wait=30)
    with pytest.raises(ConnectionRefusedError):
        ask(("127.0.0.1", port))
    init.ask("start", names=["all"], wait=30)
    assert ask(("127.0.0.1", port))["accepts"] == 1


def test_an_address_in_use_is_said_and_tried_again(begin: Begin, server: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        init = begin(f"[fcgi-program:app]\nsocket=tcp://127.0.0.1:{port}\nstartretries=100\n{server}")
        [record] = init.exits(1)
        assert record["cause"] == "start failure" and record["step"] == "socket"
        init.wait_said("socket: tcp://127.0.0.1:[0-9]+: Address already in use")
    init.wait_state("app", "RUNNING")
    assert ask(("127.0.0.1", port))["accepts"] == 1
