"""Envelopes and topics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import limits
from wire.frames import PORTS, FrameError, Topic, answer, publication, split, topic
from wire.messages import MESSAGES


@given(st.lists(st.binary(max_size=limits.ENVELOPE_BYTES), max_size=limits.FRAMES - 1), st.binary())
def test_an_envelope_comes_back_as_it_went(envelope: list[bytes], payload: bytes) -> None:
    taken, rest = split([*envelope, payload])
    assert rest == payload and answer(taken, b"reply") == [*envelope, b"reply"]


@pytest.mark.parametrize("frames", [[], [b""] * (limits.FRAMES + 1), [bytes(limits.ENVELOPE_BYTES + 1), b""]])
def test_what_no_socket_of_ours_sends_is_refused(frames: list[bytes]) -> None:
    with pytest.raises(FrameError):
        split(frames)


@pytest.mark.parametrize("frames", [[], [b"s"], [b"s", b"", b""], [bytes(limits.ENVELOPE_BYTES + 1), b""]])
def test_a_publication_has_two_frames(frames: list[bytes]) -> None:
    with pytest.raises(FrameError):
        publication(frames)


def test_topics_are_prefixes() -> None:
    assert topic(Topic.FACT, "a1") == b"fact/a1"
    assert topic(Topic.FACT, "a1").startswith(topic(Topic.FACT))


def test_every_message_has_a_port() -> None:
    carried = {message for port in PORTS for message, _ in port.requests} | {m for port in PORTS for m in port.pushed}
    answers = {reply for port in PORTS for _, replies in port.requests for reply in replies}
    assert carried | answers == set(MESSAGES)
