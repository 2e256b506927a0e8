"""Probes without any machine: tallies, HTTP answers, lines, notify messages."""

from __future__ import annotations

import fnmatch
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.probes.http import request, status
from initd.probes.lines import Lines, matches
from initd.probes.message import Message, parse
from initd.probes.tally import ILL, NOTHING, WELL, Tally, count

looks = st.lists(st.booleans(), max_size=60)
small = st.integers(1, 5)


def verdicts(seen: list[bool], successes: int, failures: int) -> list[str]:
    tally, found = Tally(successes, failures), []
    for look in seen:
        tally, verdict = count(tally, look)
        found.append(verdict)
    return found


def oracle(seen: list[bool], successes: int, failures: int) -> list[str]:
    """The same rule, said with the whole history at hand."""
    found, standing = [], NOTHING
    for at, look in enumerate(seen):
        run = at + 1 - max((i + 1 for i in range(at) if seen[i] != look), default=0)
        verdict = NOTHING
        if look and run >= successes and standing != WELL:
            verdict = WELL
        elif not look and run % failures == 0:
            verdict = ILL
        standing = verdict or standing
        found.append(verdict)
    return found


@given(looks, small, small)
def test_verdicts_are_those_of_the_oracle(seen: list[bool], successes: int, failures: int) -> None:
    assert verdicts(seen, successes, failures) == oracle(seen, successes, failures)


def test_without_a_limit_nobody_is_ill() -> None:
    assert verdicts([False] * 9, 1, 0) == [NOTHING] * 9


def test_a_request_is_one_head() -> None:
    assert request("/x", "h:1").startswith(b"GET /x HTTP/1.1\r\nHost: h:1\r\n")
    assert request("/x", "h:1").endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 200 OK\r\n", 200),
        (b"HTTP/1.0 404\n", 404),
        (b"HTTP/1.1 302 \r\nLocation: x", 302),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 no\r\n", 503),
        (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 \r\n", 204),
    ],
)
def test_answers(answer: bytes, code: int) -> None:
    assert status(answer, whole=False) == code


@pytest.mark.parametrize("answer", [b"", b"HT", b"HTTP/1.", b"HTTP/1.1 20", b"HTTP/1.1 100 x\r\nA: b\r\n"])
def test_more_is_needed(answer: bytes) -> None:
    assert status(answer, whole=False) is None
    with pytest.raises(ValueError, match=r"HTTP|without an answer"):
        status(answer, whole=True)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n",
        b"HTTP/2 200\r\n",
        b"HTTP/1.1 2000 x\r\n",
        b"HTTP/1.1 xx\r\n",
        b"\n",
        b"<html>",
        b"HTTP/1." + b"9" * 2000,
    ],
)
def test_what_is_no_http(answer: bytes) -> None:
    with pytest.raises(ValueError, match="HTTP"):
        status(answer, whole=False)


@given(st.binary(max_size=300), st.booleans())
def test_any_answer_is_judged(answer: bytes, whole: bool) -> None:
    try:
        code = status(b"HTTP/1.1 1" + answer, whole)
    except ValueError:
        return
    assert code is None or 100 <= code <= 999
    assert not (whole and code is None)


@given(st.text("ab*?\n", max_size=12), st.text("ab", max_size=20))
def test_patterns_are_those_of_the_shell(pattern: str, text: str) -> None:
    rule = fnmatch.translate(pattern)
    assert matches(pattern.encode(), text.encode()) is (re.match(rule, text) is not None)


@given(st.lists(st.integers(0, 20)), st.sampled_from(["ready", "*ready", "*server ready*", "server ?eady"]))
def test_a_line_is_found_however_it_is_cut(cuts: list[int], pattern: str) -> None:
    output = b"starting\nserver ready\r\nmore\n"
    places = sorted({0, *(cut for cut in cuts if cut < len(output)), len(output)})
    lines = Lines(pattern)
    found = [lines.take(output[a:b]) for a, b in pairwise(places)]
    assert any(found)


def test_a_prompt_without_newline_is_found() -> None:
    assert Lines("ready>").take(b"server ready> ")


def test_other_lines_do_not_match() -> None:
    lines = Lines("*ready")
    assert not lines.take(b"not ready yet\nalready? no\n")
    assert not Lines("ready").take(b"rea\ndy\n")


def test_an_endless_line_costs_nothing() -> None:
    lines = Lines("a" * 200)
    for _ in range(2000):
        assert not lines.take(b"b" * 65536)


def test_a_hostile_pattern_is_quick() -> None:
    assert not matches(b"*a" * 100 + b"c", b"a" * 4096)


def test_a_message() -> None:
    text = b"READY=1\nSTATUS=up \xff\n\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=5000000\nMAINPID=1\nX\n=\n"
    assert parse(text) == Message(True, True, False, "up \\xff", 5.0)


@pytest.mark.parametrize(
    "text", [b"READY=0", b"READY", b"ready=1", b"EXTEND_TIMEOUT_USEC=-1", b"EXTEND_TIMEOUT_USEC=9e9"]
)
def test_what_says_nothing(text: bytes) -> None:
    assert parse(text) == Message()


def test_an_extension_is_bounded() -> None:
    assert parse(b"EXTEND_TIMEOUT_USEC=999999999999999999").extend == 3600


@given(st.binary(max_size=500) | st.binary(max_size=100).map(lambda data: b"STATUS=" + data))
def test_any_message_is_read(data: bytes) -> None:
    found = parse(data)
    assert found.status is None or found.status.isprintable()
