"""Enrolment over real CURVE: who answers, who refuses, what a person is told."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initd.joining import JOIN, JOIN_FILE
from initd.link import enrol
from initd.link.enrol import Enrolment, read_join
from initd.link.identity import Claim
from initd.link.loop import Loop
from tests.support.enrolport import EnrolPort
from tests.support.zap import Doorkeeper
from wire.keys import KeyFault, KeyPair
from wire.messages import Enrol, Enrolled, Refused


class Told:
    """What came of an enrolment."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.done: list[Any] = []


@pytest.fixture
def port(loop: Loop, context: Any, doorkeeper: Doorkeeper) -> EnrolPort:
    return EnrolPort(loop, context, doorkeeper)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrol, "PAUSES", (0.05,))
    monkeypatch.setattr(enrol, "REFUSED_PAUSES", (0.05,))
    monkeypatch.setattr(enrol, "HUB_SECONDS", 1.0)


@pytest.fixture
def begin(loop: Loop, context: Any) -> Callable[..., Told]:
    """begin(environ, pair): an enrolment under way, and what it tells."""

    def start(environ: dict[str, str], pair: KeyPair | None = None) -> Told:
        told = Told()
        about = (Claim("c1", "mountinfo"), "box", "0.1")
        run = Enrolment(loop, context, environ, about, told.said.append, lambda *what: told.done.append(what))
        run.start(pair)
        return told

    return start


def test_it_shows_the_token_and_is_told_who_it_is(port: EnrolPort, begin: Any, turning: Any) -> None:
    told = begin({JOIN: port.join().format()})
    turning(lambda: told.done)
    join, pair, enrolled = told.done[0]
    assert port.seen == [(Enrol("t1", b"s" * 32, "c1", "box", "0.1"), pair.public)]
    assert join == port.join() and enrolled.agent == "a1" and told.said == []


def test_a_key_that_is_there_is_shown_again(port: EnrolPort, begin: Any, turning: Any) -> None:
    pair = KeyPair.generate()
    told = begin({JOIN: port.join().format()}, pair)
    turning(lambda: told.done)
    assert told.done[0][1] == pair and port.seen[0][1] == pair.public


def test_a_hub_that_is_not_there_is_passed_over(port: EnrolPort, begin: Any, turning: Any) -> None:
    told = begin({JOIN: port.join("127.0.0.1:1").format()})
    turning(lambda: told.done)
    assert all("127.0.0.1:1 cannot be reached" in line for line in told.said)


def test_a_refusal_is_told_and_tried_again(port: EnrolPort, begin: Any, turning: Any) -> None:
    port.reply = lambda enrol, key: Refused("", "token-expired", "the token has expired", "make a new one")
    told = begin({JOIN: port.join().format()})
    turning(lambda: len(port.seen) >= 2)
    assert told.said[0] == "the hub refused to let this container join: the token has expired (make a new one)"
    port.reply = lambda enrol, key: Enrolled("a1", (port.hub,), {})
    turning(lambda: told.done)
    assert len({key for _, key in port.seen}) == 1


def test_who_is_told_to_wait_comes_again_then_with_the_same_key(
    port: EnrolPort, loop: Loop, begin: Any, turning: Any
) -> None:
    port.reply = lambda enrol, key: Refused("", "busy", "too many; again in 1 s", after=0.4)
    told, times = begin({JOIN: port.join().format()}), []
    for count in (1, 2, 3):
        turning(lambda count=count: len(port.seen) == count)
        times.append(loop.now())
    assert all(0.35 <= later - before < 5.0 for before, later in itertools.pairwise(times))
    assert told.said == ["hub: too many; again in 1 s"] and len({key for _, key in port.seen}) == 1


def test_a_bad_key_is_replaced(port: EnrolPort, begin: Any, turning: Any) -> None:
    port.reply = lambda enrol, key: Refused("", "bad-key", "known under another role") if len(port.seen) == 1 else None
    begin({JOIN: port.join().format()})
    turning(lambda: len(port.seen) >= 2)
    assert port.seen[0][1] != port.seen[1][1]


def test_a_lost_answer_is_asked_for_again_with_the_same_key(port: EnrolPort, begin: Any, turning: Any) -> None:
    port.reply = lambda enrol, key: Enrolled("a1", (port.hub,), {}) if len(port.seen) > 1 else None
    told = begin({JOIN: port.join().format()})
    turning(lambda: told.done)
    assert port.seen[0] == port.seen[1] and "does not answer" in told.said[0]


def test_another_fleets_hub_is_not_believed(port: EnrolPort, begin: Any, turning: Any) -> None:
    told = begin({JOIN: port.join()._replace(fleet_key=KeyPair.generate().public).format()})
    turning(lambda: told.said)
    assert "cannot be reached, or has another fleet key" in told.said[0] and not port.seen


def test_a_secret_file_may_appear_later(port: EnrolPort, begin: Any, turning: Any, tmp_path: Path) -> None:
    path = tmp_path / "join"
    told = begin({JOIN_FILE: str(path)})
    assert told.said == [f"join string: {path}: No such file or directory"]
    path.write_text(port.join().format() + "\n")
    turning(lambda: told.done)


def test_a_damaged_secret_file_is_named_and_not_quoted(tmp_path: Path, port: EnrolPort) -> None:
    path = tmp_path / "join"
    path.write_text(port.join().format()[:-5])
    with pytest.raises(KeyFault, match=rf"{path}: the join string is damaged"):
        read_join({JOIN_FILE: str(path)})


def test_a_join_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(KeyFault, match="/dev/zero"):
        read_join({JOIN_FILE: "/dev/zero"})


def test_a_file_goes_before_the_variable(tmp_path: Path, port: EnrolPort) -> None:
    (tmp_path / "join").write_text(port.join().format())
    assert read_join({JOIN_FILE: os.fspath(tmp_path / "join"), JOIN: "pidone1.other"}) == port.join()
