"""The rpc server of a live initd: its sockets, its clients good and bad, its deaths."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import stat
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_ports
from tests.support.procfs import status
from tests.support.rpclab import HEAD, OURS, THEIRS, Daemon, UnixTransport
from tests.support.waiting import until
from wire.limits import CONTROL_ASKED, RPC_BODY_BYTES, RPC_CLIENTS, RPC_HEAD_BYTES

pytestmark = pytest.mark.proc

WEB = '[program:web]\ncommand=/bin/sh -c "echo ready; exec cat"\nstdout_logfile={folder}/web.log\n'
Begin = Callable[..., Daemon]


@pytest.fixture
def begin() -> Iterator[Begin]:
    begun: list[Daemon] = []

    def start(programs: str = WEB, head: str = HEAD, **options: object) -> Daemon:
        begun.append(Daemon("initd", programs, head, **options))  # type: ignore[arg-type]
        return begun[-1].start()

    yield start
    for one in begun:
        one.destroy()


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    daemon = Daemon("initd", WEB)
    try:
        daemon.start().wait_state("web", "RUNNING")
        yield daemon
    finally:
        daemon.destroy()


def talk(daemon: Daemon, request: bytes, seconds: float = 20) -> bytes:
    """What comes back until the server ends the connection."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(seconds)
        sock.connect(f"{daemon.folder}/s.sock")
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := sock.recv(1 << 16):
            answer += chunk
    return answer


def post(body: bytes, path: str = "/RPC2", more: str = "") -> bytes:
    return f"POST {path} HTTP/1.0\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


# The process


def test_it_is_nobody_and_shows_no_password(begin: Begin) -> None:
    head = HEAD.replace("[rpcinterface", "username=me\npassword=tellnobody\n[rpcinterface")
    daemon = Daemon("initd", WEB, head)
    try:
        until((daemon.folder / "s.sock").exists)
        assert b" 401 " in talk(daemon, b"GET / HTTP/1.0\r\n\r\n")
        pid = until(daemon.server_pid)
        until(lambda: _uids(pid) == {65534} if os.geteuid() == 0 else True)
        for file in ("cmdline", "environ"):
            assert b"tellnobody" not in Path(f"/proc/{pid}/{file}").read_bytes()
        assert oct(os.stat(f"{daemon.folder}/s.sock").st_mode)[-3:] == "700"
    finally:
        daemon.destroy()


def _uids(pid: int) -> set[int]:
    return set(map(int, status(pid, "Uid").split()))


def test_its_death_disturbs_nobody_and_it_comes_back(begin: Begin) -> None:
    daemon = begin()
    web = daemon.wait_state("web", "RUNNING")["pid"]
    first = daemon.server_pid()
    os.kill(first, signal.SIGKILL)
    until(lambda: daemon.answers() and daemon.server_pid() not in (0, first))
    assert daemon.rpc.getProcessInfo("web")["pid"] == web


def test_it_is_not_there_before_its_first_client() -> None:
    daemon = Daemon("initd", WEB)
    try:
        until(lambda: (daemon.folder / "s.sock").exists() and Path(daemon.control).exists())
        assert daemon.server_pid() == 0
        assert daemon.rpc.getState()["statecode"] == 1
        assert daemon.server_pid() != 0
    finally:
        daemon.destroy()


def test_nobody_is_lost_while_it_is_gone(begin: Begin) -> None:
    """A client that comes before the next life is served by it."""
    daemon = begin()
    for _ in range(3):
        os.kill(daemon.server_pid(), signal.SIGKILL)
        assert daemon.rpc.getState()["statecode"] == 1


def test_a_name_is_looked_up_by_the_child() -> None:
    [port] = free_ports(1)
    head = HEAD.replace("[rpcinterface", f"[inet_http_server]\nport={socket.gethostname()}:{port}\n[rpcinterface")
    daemon = Daemon("initd", WEB, head)
    try:
        until(lambda: _accepts(port, socket.gethostname()))
    finally:
        daemon.destroy()


def test_its_name_goes_with_it_unless_somebody_took_it(begin: Begin) -> None:
    ours, theirs = begin(), begin()
    (theirs.folder / "s.sock").unlink()
    (theirs.folder / "s.sock").touch()
    assert (ours.stop(), theirs.stop()) == (0, 0)
    assert not (ours.folder / "s.sock").exists() and (theirs.folder / "s.sock").exists()


def test_without_a_server_section_there_is_no_such_process(begin: Begin) -> None:
    daemon = Daemon("initd", WEB, "[supervisord]\npidfile={folder}/pid\n")
    try:
        until(lambda: Path(daemon.control).exists())
        assert daemon.server_pid() == 0
    finally:
        daemon.destroy()


def test_programs_are_told_the_url(begin: Begin) -> None:
    daemon = begin('[program:tell]\ncommand=/bin/sh -c "env; exec sleep 1000"\nstdout_logfile={folder}/env\n')
    until(lambda: f"SUPERVISOR_SERVER_URL=unix://{daemon.folder}/s.sock\n" in (daemon.folder / "env").read_text())


def test_a_reload_with_other_servers_moves_it(begin: Begin) -> None:
    daemon = begin()
    daemon.head = HEAD.replace("{folder}/s.sock", "{folder}/other.sock")
    daemon.write(WEB)
    daemon.process.send_signal(signal.SIGHUP)
    until((daemon.folder / "other.sock").exists)
    until(lambda: not (daemon.folder / "s.sock").exists())
    proxy = xmlrpc.client.ServerProxy("http://localhost", UnixTransport(f"{daemon.folder}/other.sock"))
    assert until(lambda: proxy.supervisor.getIdentification()) == "supervisor"


# Sockets


def test_a_stale_socket_is_replaced_and_a_live_one_left_alone(begin: Begin) -> None:
    daemon = Daemon("initd", WEB)
    try:
        daemon.start()
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        left = daemon.folder / "s.sock"
        assert stat.S_ISSOCK(left.lstat().st_mode)
        again = Daemon("initd", WEB, HEAD.replace("{folder}/s.sock", str(left)))
        try:
            until(lambda: _identifies(str(left)))
            third = Daemon("initd", WEB, HEAD.replace("{folder}/s.sock", str(left)))
            try:
                until(lambda: "another daemon listens there; it is tried again" in third.said.read_text())
                assert again.stop() == 0
                until(lambda: "is free now: listening" in third.said.read_text())
                assert _identifies(str(left))
            finally:
                third.destroy()
        finally:
            again.destroy()
    finally:
        daemon.destroy()


def _identifies(path: str) -> bool:
    try:
        proxy = xmlrpc.client.ServerProxy("http://localhost", UnixTransport(path))
        return bool(proxy.supervisor.getIdentification())
    except OSError:
        return False


def test_something_else_of_that_name_is_left_alone(begin: Begin) -> None:
    head = HEAD.replace("file={folder}/s.sock", "file={folder}/app.ini")
    daemon = Daemon("initd", WEB, head)
    try:
        until(lambda: "is there and is no socket" in daemon.said.read_text())
        assert "[program:web]" in daemon.ini.read_text()
    finally:
        daemon.destroy()


def test_mode_and_owner_are_as_asked(begin: Begin) -> None:
    owner = "nobody:nogroup" if os.geteuid() == 0 else str(os.geteuid())
    daemon = begin(head=HEAD.replace("[rpcinterface", f"chmod=0770\nchown={owner}\n[rpcinterface"))
    found = os.stat(daemon.folder / "s.sock")
    assert oct(found.st_mode)[-3:] == "770"
    assert found.st_uid == (65534 if os.geteuid() == 0 else os.geteuid())


PASSWORDS = [("secret", "secret"), ("{SHA}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4", "secret")]


@pytest.mark.parametrize(("stored", "given"), PASSWORDS)
def test_a_port_with_a_password(begin: Begin, stored: str, given: str) -> None:
    [port] = free_ports(1)
    inet = f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=me\npassword={stored}\n[rpcinterface"
    daemon = begin(head=HEAD.replace("[rpcinterface", inet))
    until(lambda: _accepts(port))
    url = ("-c", str(daemon.ini), "-s", f"http://127.0.0.1:{port}")
    for client in (OURS, THEIRS):
        right = daemon.ctl(client, "pid", options=(*url, "-u", "me", "-p", given))
        assert right == (0, f"{daemon.process.pid}\n")
        code, told = daemon.ctl(client, "pid", options=(*url, "-u", "me", "-p", "x"))
        assert (code, told.splitlines()[0]) == (1, "Server requires authentication")
    assert xmlrpc.client.ServerProxy(f"http://me:{given}@127.0.0.1:{port}").supervisor.getState()["statecode"] == 1
    for user, password in (("me", "wrong"), ("you", given), ("me", ""), ("", "")):
        with pytest.raises(xmlrpc.client.ProtocolError, match="401"):
            xmlrpc.client.ServerProxy(f"http://{user}:{password}@127.0.0.1:{port}").supervisor.getState()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/logtail/web")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("WWW-Authenticate")) == (401, 'Basic realm="default"')


def _accepts(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((host, port)) == 0


def test_a_port_that_is_taken_is_tried_again(begin: Begin) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        daemon = begin(head=HEAD.replace("[rpcinterface", f"[inet_http_server]\nport=127.0.0.1:{port}\n[rpcinterface"))
        until(lambda: "another program listens there; it is tried again" in daemon.said.read_text())
        assert daemon.rpc.getState()["statecode"] == 1
    until(lambda: f"127.0.0.1:{port} is free now" in daemon.said.read_text())
    assert xmlrpc.client.ServerProxy(f"http://127.0.0.1:{port}").supervisor.getState()["statecode"] == 1


# Pages


@pytest.mark.parametrize("path", ["/logtail/nope", "/logtail/web/other", "/other", "/RPC3"])
def test_pages_that_are_not_there(daemon: Daemon, path: str) -> None:
    assert b" 404 " in talk(daemon, f"GET {path} HTTP/1.0\r\n\r\n".encode()).split(b"\r\n")[0]


def test_the_front_page_says_where_to_look(daemon: Daemon) -> None:
    assert b"/RPC2" in talk(daemon, b"GET / HTTP/1.0\r\n\r\n")


# Clients that mean ill

CALL = b"<methodCall><methodName>%s</methodName><params><param><value>%s</value></param></params></methodCall>"
BAD = {
    b"\r\n\r\nNONSENSE\r\n\r\n": 400,
    b"GET / HTTP/1.1 more\r\n\r\n": 400,
    b"GET / HTTP/2\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nA: 1\r\nA: 2\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * (RPC_HEAD_BYTES + 10) + b"\r\n\r\n": 413,
    b"x" * (RPC_HEAD_BYTES * 2): 413,
    b"POST /RPC2 HTTP/1.1\r\n\r\n": 411,
    b"POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n": 411,
    b"POST /RPC2 HTTP/1.1\r\nContent-Length: -1\r\n\r\n": 400,
    b"POST /RPC2 HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n": 400,
    f"POST /RPC2 HTTP/1.1\r\nContent-Length: {RPC_BODY_BYTES + 1}\r\n\r\n".encode(): 413,
    b"POST /RPC2 HTTP/1.1\r\nContent-Length: 50\r\n\r\nshort": 408,
    post(b"no xml"): 400,
    post(b"<!DOCTYPE a [<!ENTITY b 'c'>]><methodCall><methodName>&b;</methodName></methodCall>"): 400,
    post(b"<methodCall></methodCall>"): 400,
    post(b"<methodCall><methodName>" + b"<value>" * 5000): 400,
    post(CALL % (b"x", b"<int>x</int>")): 400,
    b"GET /RPC2 HTTP/1.0\r\n\r\n": 400,
    post(b"", "/logtail/web"): 400,
    post(b"", "/mainlogtail"): 400,
}  # fmt: skip


@pytest.mark.parametrize(("request_", "status"), BAD.items(), ids=lambda value: str(value)[:40])
def test_what_is_wrong_gets_a_status_and_the_server_lives(daemon: Daemon, request_: bytes, status: int) -> None:
    assert talk(daemon, request_).split(b" ")[1] == str(status).encode()
    assert daemon.rpc.getState()["statecode"] == 1


def test_idle_connections_give_way_to_new_ones(daemon: Daemon) -> None:
    idle = []
    try:
        for _ in range(RPC_CLIENTS + 20):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(f"{daemon.folder}/s.sock")
            idle.append(sock)
        assert daemon.rpc.getState()["statecode"] == 1
        idle[0].settimeout(30)
        assert idle[0].recv(1) == b""
    finally:
        for sock in idle:
            sock.close()


def test_many_waiting_requests_do_not_hold_up_a_quick_one(begin: Begin) -> None:
    assert RPC_CLIENTS < CONTROL_ASKED
    stubborn = "".join(
        f'[program:s{number}]\ncommand=/bin/sh -c "trap : TERM; while :; do sleep 100; done"\nstopwaitsecs=10\n'
        for number in range(40)
    )
    daemon = begin(stubborn)
    daemon.wait_state("s39", "RUNNING")
    waiting = []
    for number in range(40):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f"{daemon.folder}/s.sock")
        sock.sendall(post(CALL % (b"supervisor.stopProcess", f"s{number}".encode())))
        waiting.append(sock)
    until(lambda: daemon.rpc.getProcessInfo("s5")["statename"] == "STOPPING")
    assert daemon.rpc.getPID() == daemon.process.pid
    for sock in waiting:
        sock.close()


def test_during_a_shutdown_everything_is_refused(begin: Begin) -> None:
    daemon = begin(
        '[program:s]\ncommand=/bin/sh -c "trap : TERM; echo up; while :; do sleep 100; done"\nstopwaitsecs=8\n'
    )
    daemon.wait_state("s", "RUNNING")
    daemon.process.send_signal(signal.SIGTERM)
    for method in ("getState", "getAllProcessInfo", "shutdown", "startAllProcesses", "readLog"):
        args = (0, 0) if method == "readLog" else ()

        def refused(method: str = method, args: tuple[int, ...] = args) -> bool:
            try:
                getattr(daemon.rpc, method)(*args)
            except xmlrpc.client.Fault as fault:
                assert (fault.faultCode, fault.faultString) == (6, "SHUTDOWN_STATE")
                return True
            return False

        until(refused)


def test_who_asked_stands_in_the_records(daemon: Daemon) -> None:
    daemon.rpc.stopProcess("web")
    daemon.rpc.startProcess("web")
    assert "stopped by rpc uid=" in (daemon.folder / "main.log").read_text()
