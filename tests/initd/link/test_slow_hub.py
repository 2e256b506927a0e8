"""A hub that is slow, not gone: an enrolment that brings nothing new leaves the tries to connect alone."""

from __future__ import annotations

from typing import Any

import pytest

from initd.link.loop import Loop
from tests.support.crew import Member
from tests.support.ports import free_ports
from wire.keys import JoinString, KeyPair
from wire.messages import Enrolled, HubAddress

PORTS = [f"127.0.0.1:{port}" for port in free_ports(3)]
HUB = HubAddress(*PORTS, KeyPair.generate().public)
JOIN = JoinString((PORTS[2],), KeyPair.generate().public, "token1", b"s" * 32)


@pytest.fixture
def member(loop: Loop, context: Any) -> Member:
    return Member(loop, context, JOIN.format(), "member", lambda text: None)


def requests_socket(member: Member) -> Any:
    return member.agent.talk._request


def test_the_same_answer_again_does_not_begin_handshakes_anew(member: Member) -> None:
    pair = KeyPair.generate()
    member.agent.enrolled(JOIN, pair, Enrolled("a1", (HUB,), {}))
    first = requests_socket(member)
    member.agent.enrolled(JOIN, pair, Enrolled("a1", (HUB,), {}))
    assert first is not None and requests_socket(member) is first


@pytest.mark.parametrize("changed", ["hubs", "pair", "closed"])
def test_anything_new_does(member: Member, changed: str) -> None:
    pair = KeyPair.generate()
    member.agent.enrolled(JOIN, pair, Enrolled("a1", (HUB,), {}))
    first = requests_socket(member)
    if changed == "closed":
        member.agent.talk.close()
    hub = HUB._replace(key=KeyPair.generate().public) if changed == "hubs" else HUB
    member.agent.enrolled(JOIN, KeyPair.generate() if changed == "pair" else pair, Enrolled("a1", (hub,), {}))
    assert requests_socket(member) not in (None, first)
