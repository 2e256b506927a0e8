from __future__ import annotations

import os
import socket
import time

import pytest

from initd import address
from initd.ctl.client import Client, Refused, Unreachable
from tests.support.cannedinitd import DRIP_SECONDS, CannedInitd, line
from tests.support.forked import forked
from tests.support.services import need_root
from wire.limits import CONTROL_REPLY_BYTES


@pytest.fixture
def canned(tmp_path):
    made: list[CannedInitd] = []

    def make(answer, **options):
        made.append(CannedInitd(tmp_path, answer, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_result_is_returned(canned):
    server = canned(lambda request: line(id=request["id"], ok=True, result=[1]))
    with Client(server.path) as client:
        assert client.ask("status", names=["web"]) == [1]
    assert server.requests == [{"id": 1, "verb": "status", "args": {"names": ["web"]}}]


def test_answers_to_others_are_skipped(canned):
    server = canned(lambda request: line(id=99, ok=True, result=0) + line(id=request["id"], ok=True, result=1))
    assert Client(server.path).ask("status") == 1


def test_a_refusal_carries_code_and_hint(canned):
    error = {"code": "forbidden", "message": "no", "hint": "ask root"}
    server = canned(lambda request: line(id=None, ok=False, error=error))
    with pytest.raises(Refused) as caught:
        Client(server.path).ask("status")
    assert (caught.value.code, str(caught.value)) == ("forbidden", "no (ask root)")


def test_a_stream_gives_items_and_gaps_until_its_end(canned):
    server = canned(
        lambda request: line(id=1, item="a") + line(id=1, gap=3) + line(id=2, item="x") + line(id=1, ok=True, result=1)
    )
    assert [{"a": m.get("item"), "g": m.get("gap")} for m in Client(server.path).stream("events")] == [
        {"a": "a", "g": None},
        {"a": None, "g": 3},
    ]


def test_a_stream_ends_with_initd(canned):
    server = canned(lambda request: line(id=1, item="a"))
    assert len(list(Client(server.path).stream("events"))) == 1


def test_silence_ends_at_the_deadline(canned):
    server = canned(lambda request: b"", hang=True)
    start = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in time"):
        Client(server.path, timeout=0.2).ask("status")
    assert time.monotonic() - start < 10


def test_the_deadline_includes_what_the_request_waits(canned):
    def answer(request):
        time.sleep(0.4)
        return line(id=request["id"], ok=True, result="late")

    server = canned(answer)
    assert Client(server.path, timeout=0.2).ask("stop", wait=20) == "late"


def test_a_drip_does_not_extend_the_deadline(canned):
    server = canned(lambda request: b"x", hang=True, drip=True)
    start = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in time"):
        Client(server.path, timeout=0.5).ask("status")
    assert time.monotonic() - start < DRIP_SECONDS / 2


def test_an_endless_line_is_refused(canned):
    server = canned(lambda request: b"x" * (3 * CONTROL_REPLY_BYTES))
    with pytest.raises(Unreachable, match="too long"):
        Client(server.path).ask("status")


def test_a_close_without_an_answer_is_said(canned):
    server = canned(lambda request: b"")
    with pytest.raises(Unreachable, match="without an answer"):
        Client(server.path).ask("status")


def test_nobody_there_names_every_place_and_the_cure(monkeypatch, tmp_path):
    monkeypatch.setattr(address, "RUN_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setattr(address, "temporary_directory", lambda uid: str(tmp_path / str(uid)))
    monkeypatch.setattr(address, "abstract_name", lambda uid: f"@none-{os.getpid()}-{uid}")
    with pytest.raises(Unreachable) as caught:
        Client(environ={})
    text = str(caught.value)
    assert f"{tmp_path}/run/control.sock" in text and "@none" in text and "PIDONE_SOCKET" in text


def test_a_named_socket_is_the_only_place_tried(tmp_path):
    with pytest.raises(Unreachable) as caught:
        Client(environ={"PIDONE_SOCKET": str(tmp_path / "x")})
    assert str(caught.value).count("No such file") == 1


def test_a_socket_of_a_stranger_is_not_trusted(monkeypatch, tmp_path):
    need_root()
    monkeypatch.setattr(address, "RUN_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setattr(address, "temporary_directory", lambda uid: str(tmp_path / str(uid)))
    monkeypatch.setattr(address, "abstract_name", lambda uid: f"@stranger-{os.getpid()}")
    ready = f"\0stranger-{os.getpid()}"

    def stranger() -> None:
        os.setuid(65534)
        server = socket.socket(socket.AF_UNIX)
        server.bind(ready)
        server.listen()
        time.sleep(60)

    pid = forked(stranger)
    try:
        _wait_for(ready)
        with pytest.raises(Unreachable, match="belongs to uid 65534"):
            Client(environ={})
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _wait_for(name: str) -> None:
    for _ in range(400):
        try:
            socket.socket(socket.AF_UNIX).connect(name)
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the stranger never listened")
