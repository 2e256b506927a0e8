"""As much of HTTP/1.1 as a probe needs: one GET, and the status of the answer; pure.

RFC 9112.  The connection is closed by us, whatever the answer holds; nothing of it is read but the status line, which
is hostile input like any other.  Informational answers (1xx) before the real one are passed over.
"""

from __future__ import annotations

LEAST, MOST = 200, 399
"""Statuses that mean well: done, or look elsewhere."""


def request(target: str, host: str) -> bytes:
    """The request; `target` and `host` are printable ASCII, which the configuration's reader has seen to."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: initd\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def status(answer: bytes, whole: bool) -> int | None:
    """The status of an answer as far as it was read, None where more is needed (`whole`: no more will come).

    Raises ValueError where it is no HTTP.
    """
    rest = answer
    while True:
        line, newline, behind = rest.partition(b"\n")
        if not newline:
            _judge_beginning(line, whole)
            return None
        code = _code(line.rstrip(b"\r"))
        if code >= 200 or code == 101:
            return code
        end = _end_of_head(behind)
        if end < 0 and whole:
            raise ValueError("the answer is no HTTP")
        if end < 0:
            return None
        rest = behind[end:]


def _judge_beginning(line: bytes, whole: bool) -> None:
    """Raise ValueError where an unfinished line cannot become an answer."""
    if whole or len(line) > 1024 or not b"HTTP/1.".startswith(line[:7]):
        raise ValueError(
            "the answer is no HTTP" if line or not whole else "the connection was closed without an answer"
        )


def _code(line: bytes) -> int:
    """The three digits of `HTTP/1.1 200 OK`."""
    version, _, rest = line.partition(b" ")
    digits = rest[:3]
    if (
        version not in (b"HTTP/1.1", b"HTTP/1.0")
        or len(digits) < 3
        or not digits.isdigit()
        or rest[3:4] not in (b"", b" ")
    ):
        raise ValueError("the answer is no HTTP")
    return int(digits)


def _end_of_head(text: bytes) -> int:
    """Where the head of an informational answer ends, -1 where it does not yet."""
    if text.startswith((b"\r\n", b"\n")):
        return 2 if text.startswith(b"\r\n") else 1
    ends = [text.find(mark) + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if mark in text]
    return min(ends, default=-1)
