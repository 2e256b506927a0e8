"""A store in one file: a line that says what it is, a head, then rows, each with its length before it.

Format.  MAGIC; then frames: length (u32, little-endian) and msgpack.  The first is the head, a map: `version`, `at`,
`backend` and the summary of hub.store.moving (rows by kind, samples, sha256 of all rows' msgpack, the audit's head);
all others are rows, [kind, values].  The head comes first, so that a file is checked whole before anything is written
from it; therefore rows go through an unnamed temporary file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from struct import Struct
from typing import IO, Any

import msgpack

from hub.store.base import Store
from hub.store.errors import StoreError
from hub.store.moving import Row, Summary, Tally, frame, rows
from wire import limits

__all__ = ["MAGIC", "Archive", "write"]

MAGIC = b"pidone store 1\n"
VERSION = 1
_LENGTH = Struct("<I")

Say = Callable[[str, int], None]


def write(store: Store, at: float, out: IO[bytes], spool: str | None, say: Say) -> Summary:
    """Everything of a store into `out`; rows wait in the directory `spool`.  Raises StoreError, OSError."""
    tally = Tally(say)
    with tempfile.TemporaryFile(dir=spool) as waiting:
        for row in tally.through(rows(store)):
            _put(waiting, frame(row))
        waiting.seek(0)
        found = tally.summary()
        out.write(MAGIC)
        _put(out, msgpack.packb({"version": VERSION, "at": at, "backend": store.stats().backend, **found}))
        shutil.copyfileobj(waiting, out, 1 << 20)
    out.flush()
    return found


def _put(out: IO[bytes], data: bytes) -> None:
    out.write(_LENGTH.pack(len(data)))
    out.write(data)


class Archive:
    """A file of `write`; it is checked whole when it is opened.  Raises StoreError that names the file."""

    def __init__(self, file: IO[bytes], name: str, say: Say = lambda kind, count: None) -> None:
        self._file, self._name, self._start = file, name, 0
        self.head = self._read_head()
        self._start = file.tell()
        tally = Tally(say)
        for row in self.rows():
            tally.take(row)
        self.summary = tally.summary()
        wrong = [name for name, value in self.summary.items() if self.head.get(name) != value]
        if wrong:
            raise StoreError(f"{name}: damaged or incomplete: {', '.join(wrong)} differ from what its head says")

    def _read_head(self) -> dict[str, Any]:
        if self._file.read(len(MAGIC)) != MAGIC:
            raise StoreError(f"{self._name}: is no export of a store (hubctl store export)")
        head = self._next()
        if not isinstance(head, dict) or head.get("version") != VERSION:
            raise StoreError(f"{self._name}: written by another pidone (format {str(head)[:40]}); this one reads 1")
        return head

    def rows(self) -> Iterator[Row]:
        """All rows, from the beginning."""
        self._file.seek(self._start)
        while (row := self._next()) is not None:
            if not isinstance(row, list) or len(row) != 2 or not isinstance(row[0], str):
                raise StoreError(f"{self._name}: damaged: holds something that is no row")
            yield row[0], row[1]

    def _next(self) -> Any:
        start = self._file.read(_LENGTH.size)
        if not start:
            return None
        length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else limits.STORE_FRAME_BYTES + 1
        data = self._file.read(length) if length <= limits.STORE_FRAME_BYTES else b""
        if len(data) != length:
            raise StoreError(f"{self._name}: damaged or cut off near byte {self._file.tell()}")
        try:
            return msgpack.unpackb(data, strict_map_key=False, max_bin_len=limits.STORE_FRAME_BYTES)
        except (msgpack.exceptions.UnpackException, ValueError) as error:
            raise StoreError(f"{self._name}: damaged near byte {self._file.tell()} ({error})") from None


def spooled(file: IO[bytes]) -> IO[bytes]:
    """The same bytes where they can be read twice: standard input goes to an unnamed file first."""
    try:
        if file.seekable():
            return file
    except (OSError, ValueError):
        pass
    waiting = tempfile.TemporaryFile()
    shutil.copyfileobj(file, waiting, 1 << 20)
    waiting.seek(0, os.SEEK_SET)
    return waiting
