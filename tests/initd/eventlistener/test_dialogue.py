"""What listeners say, however it is cut, junk included; compared with supervisor's own dispatcher."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from supervisor.dispatchers import PEventListenerDispatcher
from supervisor.states import EventListenerStates

from initd.eventlistener.dialogue import ACKNOWLEDGED, BUSY, READY, UNKNOWN, Broken, Dialogue, Result, hear, sent
from wire.limits import EVENT_LINE_BYTES, EVENT_RESULT_BYTES

NAMES = {
    EventListenerStates.ACKNOWLEDGED: ACKNOWLEDGED,
    EventListenerStates.READY: READY,
    EventListenerStates.BUSY: BUSY,
    EventListenerStates.UNKNOWN: UNKNOWN,
}


def say(*chunks: bytes, dialogue: Dialogue | None = None) -> tuple[Dialogue, list[object]]:
    """A listener says this; it gets an event whenever it is READY at the end of a chunk."""
    dialogue, told = dialogue or Dialogue(), []
    for chunk in chunks:
        dialogue, outcomes = hear(dialogue, chunk)
        told += outcomes
        if dialogue.state == READY:
            dialogue = sent(dialogue)
    return dialogue, told


def test_a_listener_that_keeps_the_protocol() -> None:
    dialogue, told = say(b"READY\n", b"RESULT 2\nOK", b"READY\n", b"RESULT 4\nFAIL")
    assert told == [Result(b"OK"), Result(b"FAIL")] and dialogue.state == ACKNOWLEDGED


def test_the_next_ready_may_come_with_the_result() -> None:
    dialogue, told = say(b"READY\n", b"RESULT 2\nOKREADY\n")
    assert told == [Result(b"OK")] and dialogue.state == BUSY


def test_text_where_ready_is_due_breaks_it_for_good() -> None:
    dialogue, told = say(b"hello world\n", b"READY\n")
    assert dialogue.state == UNKNOWN and len(told) == 1 and dialogue.held == b""


def test_talking_while_ready_breaks_it() -> None:
    assert say(b"READY\nREADY\n")[0].state == UNKNOWN


def test_a_result_without_a_number_breaks_it() -> None:
    dialogue, told = say(b"READY\n", b"RESULT many\nOK")
    assert dialogue.state == UNKNOWN and isinstance(told[0], Broken) and "many" in told[0].why


def test_a_result_without_an_event_breaks_it() -> None:
    assert say(b"RESULT 2\nOK")[0].state == UNKNOWN


def test_nothing_is_collected_without_bound() -> None:
    assert say(b"READY\n", b"RESULT %d\n" % (EVENT_RESULT_BYTES + 1))[0].state == UNKNOWN
    assert say(b"READY\n", b"x" * (EVENT_LINE_BYTES + 1))[0].state == UNKNOWN
    assert say(b"READY\n", b"RESULT -5\nOK")[0].state == UNKNOWN


def test_an_empty_result_is_a_result() -> None:
    assert say(b"READY\n", b"RESULT 0\n")[1] == [Result(b"")]


PIECES = st.sampled_from(
    [
        b"READY\n",
        b"RESULT 2\nOK",
        b"RESULT 4\nFAIL",
        b"RESULT 3\n",
        b"RESULT x\n",
        b"junk",
        b"\n",
        b"R",
        b"2\nOK",
        b"\xff",
    ]
)


@given(st.lists(PIECES, max_size=8), st.data())
def test_it_does_not_matter_how_it_is_cut(pieces: list[bytes], data: st.DataObject) -> None:
    """As long as no event comes in between: only the answer to one event, and what follows it."""
    text = b"".join(pieces)
    place = data.draw(st.integers(0, len(text)))
    whole, parts = Dialogue(BUSY), Dialogue(BUSY)
    whole, told = hear(whole, text)
    parts, first = hear(parts, text[:place])
    parts, second = hear(parts, text[place:])
    assume(whole.state != UNKNOWN or parts.state == UNKNOWN)
    if whole.state != UNKNOWN:
        assert parts.state == whole.state and [*first, *second] == list(told)


class Fake:
    """As much of supervisor as its dispatcher of listeners asks for."""

    def __init__(self) -> None:
        self.results: list[bytes] = []
        self.chunk = b""
        self.listener_state, self.event = None, None
        self.config = self.options = self.logger = self.group = self
        self.name, self.stdout_logfile, self.strip_ansi = "fake", None, False

    def debug(self, *_: Any, **__: Any) -> None:
        pass

    warn = debug

    def readfd(self, _fd: int) -> bytes:
        return self.chunk

    def result_handler(self, _event: object, result: bytes) -> None:
        self.results.append(result)


@given(st.lists(PIECES, min_size=1, max_size=10))
def test_supervisors_own_dispatcher_agrees(chunks: list[bytes]) -> None:
    fake = Fake()
    theirs = PEventListenerDispatcher(fake, "stdout", 0)
    ours, told = Dialogue(), []
    for chunk in chunks:
        fake.chunk = chunk
        theirs.handle_read_event()
        ours, outcomes = hear(ours, chunk)
        told += [outcome.body for outcome in outcomes if isinstance(outcome, Result)]
        if fake.listener_state == EventListenerStates.READY:
            fake.listener_state = EventListenerStates.BUSY
        if ours.state == READY:
            ours = sent(ours)
        assert ours.state == NAMES[fake.listener_state] and told == fake.results
