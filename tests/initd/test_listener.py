from __future__ import annotations

import errno
import json
import os
import socket
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from initd import address
from initd.listener import SHORTAGE_SECONDS, Listener
from tests.support.descriptors import few_descriptors
from tests.support.forked import forked
from tests.support.served import Served
from tests.support.services import need_root
from tests.support.smallworld import SmallWorld
from wire.limits import CLIENT_SECONDS, CONTROL_CLIENTS, CONTROL_REPLY_BYTES, CONTROL_REQUEST_BYTES, STREAM_BYTES


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path)
    yield served
    served.listener.close()


def test_a_request_is_answered(served):
    rows = served.connect().result("status")
    assert [row["full_name"] for row in rows] == ["web", "pool:w_0", "pool:w_1"]


def test_requests_may_come_in_pieces_or_many_at_once(served):
    peer = served.connect()
    for piece in (b'{"id":1,"verb"', b':"healthy"}\n{"id":2,"verb":"healthy"}', b'\n\n{"id":3,"verb":"about"}\n'):
        peer.send(piece)
        served.loop.settle()
    assert [peer.line()["id"] for _ in range(3)] == [1, 2, 3]


def test_the_actor_is_the_peers_uid(served):
    served.connect().result("stop", names=["web"])
    served.world.pass_time(0)
    [record] = served.connect().result("exits")
    assert record["body"]["by"] == f"uid={os.geteuid()}"


def test_a_wait_does_not_hold_up_other_requests(served):
    peer = served.connect()
    peer.ask("stop", "slow", names=["web"], wait=5)
    peer.ask("healthy", "quick")
    assert peer.line()["id"] == "quick"


def test_a_wait_is_answered_when_the_wish_is_reached(served):
    peer = served.connect()
    peer.ask("stop", "s", names=["web"], wait=5)
    served.loop.settle()
    served.world.supervisor.reap()
    reply = peer.line()
    assert (reply["id"], reply["result"]["outcome"]) == ("s", "done")


def test_a_wait_runs_out_by_the_loops_clock(served):
    served.world.kernel.stubborn.add(served.world.pid())
    peer = served.connect()
    peer.ask("stop", names=["web"], wait=3)
    served.loop.settle()
    served.loop.advance(3)
    assert peer.line()["result"]["outcome"] == "timeout"


def test_after_end_of_file_what_was_asked_is_still_answered(served):
    peer = served.connect()
    peer.ask("stop", names=["web"], wait=5)
    peer.send(b'{"id":2,"verb":"healthy"}')
    peer.sock.shutdown(socket.SHUT_WR)
    assert peer.line()["id"] == 2
    served.world.supervisor.reap()
    assert peer.line()["result"]["outcome"] == "done" and peer.is_closed()


def test_a_client_that_hangs_up_leaves_nothing_behind(served):
    served.loop.settle()
    before = set(served.loop.watched)
    served.world.kernel.stubborn.add(served.world.pid("pool:w_0"))
    peer = served.connect()
    peer.ask("events", follow=True)
    peer.ask("tail", name="web", follow=True)
    peer.ask("stop", names=["pool:w_0"], wait=5)
    served.loop.settle()
    peer.sock.close()
    served.loop.settle()
    assert set(served.loop.watched) == before and served.world.journal._subscribers == []
    served.world.pass_time(5)


def test_followed_events_arrive_as_items(served):
    peer = served.connect()
    peer.ask("events", "e", follow=True, limit=1, names=["web"])
    first = peer.line()
    served.connect().result("stop", names=["web"])
    second = peer.line()
    assert (first["id"], second["item"]["body"]["state"]) == ("e", "STOPPING")


def test_a_follower_that_pauses_is_told_of_the_gap_and_goes_on(served):
    peer = served.connect()
    peer.ask("tail", "t", name="web", follow=True)
    assert peer.line()["item"]["text"] == ""
    for _ in range(3 * STREAM_BYTES // 1000):
        os.write(served.world.kernel.alive[served.world.pid()], b"x" * 999 + b"\n")
        served.loop.settle()
    served.loop.advance(CLIENT_SECONDS * 10)
    lines = [peer.line()]
    while "gap" not in lines[-1]:
        lines.append(peer.line())
    os.write(served.world.kernel.alive[served.world.pid()], b"again\n")
    assert lines[-1]["gap"] > 100 and peer.line()["item"]["text"] == "again\n"


def test_a_client_that_never_reads_its_reply_is_dropped_after_a_while(served):
    peer = served.connect()
    for _ in range(2000):
        try:
            peer.sock.send(b'{"verb":"status"}\n')
        except BlockingIOError:
            break
        served.loop.turn()
    served.loop.advance(CLIENT_SECONDS - 1)
    assert len(served.listener._clients) == 1
    served.loop.advance(2)
    assert len(served.listener._clients) == 0


def test_a_client_that_asks_without_reading_costs_bounded_memory(served):
    peer = served.connect()
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    for _ in range(20_000):
        try:
            peer.sock.send(b'{"verb":"status"}\n' * 10)
        except BlockingIOError:
            if not served.loop.turn():
                break
    [connection] = served.listener._clients
    assert connection._queued < CONTROL_REPLY_BYTES + 10_000
    assert len(connection._input) <= CONTROL_REQUEST_BYTES + 65536


def test_a_line_without_end_is_refused_and_closed(served):
    peer = served.connect()
    peer.send(b"x" * (CONTROL_REQUEST_BYTES + 1))
    assert peer.code() == "too-large" and peer.is_closed()


def test_a_line_that_is_too_long_is_refused_even_if_it_ends(served):
    peer = served.connect()
    peer.send(b'"' + b"x" * CONTROL_REQUEST_BYTES + b'"\n')
    assert peer.code() == "too-large" and peer.is_closed()


@pytest.mark.parametrize(
    "line",
    [b"hello", b"{", b"\xff\xfe", b"[" * 60_000, b"1" * 60_000, b"NaN", b'{"verb":NaN}',
     b'{"verb":"status","x":"\xff"}',
     b'"\\ud800"', b'{"id":"\\ud800","verb":"\\ud800"}', b'{"verb":"status","args":{"names":["\\ud800"]}}'],
)  # fmt: skip
def test_hostile_lines_are_refused_and_the_connection_lives(served, line):
    peer = served.connect()
    peer.send(line + b"\n")
    assert peer.line()["ok"] is False
    assert peer.result("healthy")["healthy"] is True and served.said == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_garbage_never_disturbs_another_client(served, chunks):
    bad, good = served.connect(), served.connect()
    for chunk in chunks:
        bad.send(chunk)
        served.loop.settle()
    assert good.result("healthy")["state"] == "running" and served.said == []
    for peer in (bad, good):
        peer.sock.close()
    served.loop.settle()
    assert not served.listener._clients


def test_an_error_of_ours_is_told_counted_and_survived(served, monkeypatch):
    monkeypatch.setattr(served.world.control.reports, "healthy", lambda *_: 1 / 0)
    peer = served.connect()
    peer.ask("healthy")
    assert peer.code() == "failed" and served.listener.faults == 1 and "ZeroDivisionError" in served.said[0]
    assert len(peer.result("status")) == 3


def test_a_reply_that_would_be_too_long_says_so(served, monkeypatch):
    monkeypatch.setattr(served.world.control.reports, "healthy", lambda *_: "x" * CONTROL_REPLY_BYTES)
    peer = served.connect()
    peer.ask("healthy")
    assert peer.code() == "too-large"


def test_one_client_too_many_is_refused_with_a_reason(served):
    peers = [served.connect() for _ in range(CONTROL_CLIENTS)]
    assert all(peer.result("healthy") for peer in peers)
    late = served.connect()
    assert late.code() == "busy" and late.is_closed()
    peers[0].sock.close()
    served.loop.settle()
    assert served.connect().result("healthy")


def test_without_descriptors_accepting_pauses_and_does_not_spin(served):
    served.loop.settle()
    peer = served.connect()
    with few_descriptors(0):
        served.loop.turn()
        assert not served.loop.turn()
    served.loop.advance(SHORTAGE_SECONDS)
    assert peer.result("healthy")


def test_link_has_its_own_verbs_and_others_do_not(served):
    link = served.link()
    assert link.result("link.hello")["boot"] == served.world.supervisor.boot
    link.ask("subscribe", "s", facts=True)
    served.connect().result("stop", names=["web"])
    assert link.line()["item"]["body"]["by"] == f"uid={os.geteuid()}"
    other = served.connect()
    other.ask("link.hello")
    assert other.code() == "forbidden"


def test_links_command_survives_the_death_of_link(served):
    link = served.link()
    told = {"id": "c1", "verb": "stop", "args": {"names": ["web"]}, "deadline": 9, "actor": "hub:a", "epoch": 1}
    link.ask("command", **told)
    served.loop.settle()
    link.sock.close()
    served.loop.settle()
    served.world.supervisor.reap()
    assert served.link().result("command", **told)["outcome"] == "done"


# Where it listens


def listener_of(world: SmallWorld) -> Listener:
    return Listener(world.loop, world.control, world.remote, lambda text: None)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Default places inside the test's directory."""
    monkeypatch.setattr(address, "RUN_DIRECTORY", str(tmp_path / "run" / "initd"))
    monkeypatch.setattr(address, "temporary_directory", lambda uid: str(tmp_path / f"initd-{uid}"))
    monkeypatch.setattr(address, "abstract_name", lambda uid: f"@initd-test-{os.getpid()}-{uid}")
    (tmp_path / "run").mkdir()
    return tmp_path


def test_it_listens_in_run_with_a_private_directory(places):
    listener = listener_of(SmallWorld())
    path = listener.open(None, None)
    assert path == str(places / "run" / "initd" / "control.sock")
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    listener.close()
    assert not os.path.exists(path)


def test_a_directory_of_somebody_else_is_not_used(places):
    (places / "run" / "initd").mkdir()
    (places / "run" / "initd").chmod(0o777)
    (places / f"initd-{os.geteuid()}").symlink_to(places)
    listener = listener_of(SmallWorld())
    assert listener.open(None, None).startswith("@initd-test-")
    listener.close()


def test_a_group_may_be_let_in(places):
    need_root()
    listener = listener_of(SmallWorld())
    path = listener.open(None, 12345)
    for name, mode in ((os.path.dirname(path), 0o750), (path, 0o660)):
        assert (stat.S_IMODE(os.stat(name).st_mode), os.stat(name).st_gid) == (mode, 12345)
    listener.close()


def test_a_stranger_on_the_abstract_name_is_refused(places):
    need_root()
    world = SmallWorld()
    listener = listener_of(world)
    name = listener.open(address.abstract_name(0), None)
    read, write = os.pipe()

    def stranger() -> None:
        os.setuid(65534)
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address.wire_form(name))
        os.write(write, sock.recv(1000))

    pid = forked(stranger)
    world.loop.turn_until(lambda: os.waitpid(pid, os.WNOHANG)[0])
    reply = json.loads(os.read(read, 1000))
    assert reply["error"]["code"] == "forbidden" and "65534" in reply["error"]["message"]
    listener.close()


def test_a_socket_left_over_is_replaced(tmp_path):
    path = str(tmp_path / "control.sock")
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(path)
    dead.close()
    served = Served(tmp_path)
    assert served.connect().result("healthy")


def test_a_living_initds_socket_is_left_alone(served):
    with pytest.raises(OSError, match="another initd") as caught:
        listener_of(SmallWorld()).open(served.path, None)
    assert caught.value.errno == errno.EADDRINUSE and served.connect().result("healthy")


def test_a_file_in_the_way_is_not_removed(tmp_path):
    (tmp_path / "control.sock").write_text("precious")
    with pytest.raises(OSError, match="no socket"):
        listener_of(SmallWorld()).open(str(tmp_path / "control.sock"), None)
    assert (tmp_path / "control.sock").read_text() == "precious"


def test_the_environment_names_the_socket_for_clients(monkeypatch):
    assert address.candidates({"PIDONE_SOCKET": "/x"}, (0, 5)) == ("/x",)
    assert address.candidates({}, (5, 0, 5)) == (
        "/run/initd/control.sock",
        "/tmp/initd-5/control.sock",
        "@initd-5",
        "/tmp/initd-0/control.sock",
        "@initd-0",
    )


def test_a_stream_may_be_ended_and_the_connection_kept(served):
    peer = served.connect()
    peer.ask("events", 7, follow=True, limit=0)
    peer.ask("end", 8, id=7)
    assert peer.line() == {"id": 8, "ok": True, "result": {"ended": 1}}
    peer.result("stop", names=["web"])
    peer.ask("end", 9, id=7)
    assert peer.line() == {"id": 9, "ok": True, "result": {"ended": 0}}
