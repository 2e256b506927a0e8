"""An endless answer of an engine, line by line: a splitter with a bound, and a reader that any thread can cut.

Theory.  Events and statistics come as JSON objects, one a line.  A line beyond the bound is thrown away up to its end
and counted; what follows is read normally again.  A thread that waits for the next byte can be woken by nothing but its
socket, so cutting shuts the socket down under it, as the SDK does for its own streams.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from hub.engines.reasons import EngineError, reason, silent
from wire.limits import ENGINE_LINE_BYTES


class Lines:
    """Splits a stream of bytes at newlines."""

    def __init__(self, limit: int) -> None:
        """`limit`: the longest line in bytes."""
        self._limit = limit
        self._rest = b""
        self._skipping = False
        self.dropped = 0
        """Lines thrown away for their length."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends, none of them empty."""
        *complete, rest = (self._rest + data).split(b"\n")
        if complete and self._skipping:
            complete.pop(0)
            self._skipping = False
        kept = [line for line in complete if len(line) <= self._limit]
        self.dropped += len(complete) - len(kept)
        if self._skipping:
            rest = b""
        elif len(rest) > self._limit:
            rest, self._skipping = b"", True
            self.dropped += 1
        self._rest = rest
        return [stripped for line in kept if (stripped := line.strip())]


class Stream:
    """Lines of an endless answer, read in one thread and cut from any other."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._lines = Lines(ENGINE_LINE_BYTES)
        self._cut = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        """Complete lines as they come; ends when cut or silent, raises EngineError where the connection broke."""
        try:
            for chunk in self._response.raw.stream(65536, decode_content=False):
                yield from self._lines.feed(chunk)
                if self._cut.is_set():
                    return
        except Exception as error:
            if not self._cut.is_set() and not silent(error):
                raise EngineError(reason(error)) from error
        finally:
            self._response.close()

    def cut(self) -> None:
        """End it now: the reading thread wakes at once."""
        from docker.types import CancellableStream

        self._cut.set()
        try:
            CancellableStream(iter(()), self._response).close()
        except Exception:  # it has ended meanwhile, or its socket is being closed by its reader
            return
