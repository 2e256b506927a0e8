from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from initd.logs.capture import BEGIN, END, INSIDE, LOG, MESSAGE, Capture

PARTS = st.lists(st.sampled_from([BEGIN, END, b"text", b"<!--", b"<!--XSUPERVISOR:", b"<", b"\n"]), max_size=12)


def sorted_out(capture: Capture, chunks: list[bytes]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {LOG: [], INSIDE: [], MESSAGE: []}
    for chunk in chunks:
        for kind, text in capture.feed(chunk):
            found[kind].append(text)
    return found


def by_the_book(text: bytes) -> tuple[bytes, list[bytes]]:
    """What the log and the listeners get of a whole text."""
    log, messages = b"", []
    while text:
        before, begun, text = text.partition(BEGIN)
        log += before
        message, ended, text = text.partition(END) if begun else (b"", b"", b"")
        messages += [message] if ended else []
    return log, messages


def test_a_message_is_no_part_of_the_log():
    found = sorted_out(Capture(100), [b"a" + BEGIN + b"hello" + END + b"b"])
    assert (found[LOG], found[MESSAGE]) == ([b"a", b"b"], [b"hello"])


@given(PARTS, st.integers(1, 30))
def test_tokens_are_found_wherever_reads_cut(parts, size):
    text, capture = b"".join(parts), Capture(10_000)
    found = sorted_out(capture, [text[at : at + size] for at in range(0, len(text), size)])
    assert (b"".join(found[LOG]) + capture.end(), found[MESSAGE]) == by_the_book(text)


def test_of_a_long_message_the_end_is_kept():
    found = sorted_out(Capture(5), [BEGIN + b"hello ", b"world" + END])
    assert found[MESSAGE] == [b"world"] and b"".join(found[INSIDE]) == b"hello world"


def test_a_message_that_never_ended_is_none():
    capture = Capture(100)
    found = sorted_out(capture, [BEGIN + b"hello", b"<!--XSUP"])
    assert found[MESSAGE] == [] and capture.end() == b""


def test_small_words_do_not_wait():
    assert Capture(100).feed(b"ok\n") == [(LOG, b"ok\n")]
