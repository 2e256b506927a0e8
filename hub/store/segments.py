"""Files of samples: journals that grow by the second and sealed segments that never change.

Format.  Little-endian; 16 bytes MAGIC, then records: tag (4 bytes), length and CRC-32 of tag and payload (u32 each),
payload.  A map or list inside is msgpack.

* Journal, `WINDOW-N.journal`: `NAME` [stream number, kind, subject, boot, roster, rows] once for each stream, then
  `DATA`: stream number and count (u32), count times (f64), count blobs; `THIN`: the same, with what the blobs differ in
  from the stream's first (hub.store.thin).  What a crash cuts off at its end is ignored.
* Segment, `WINDOW-N.segment`: one block a stream (`SHET`, of old `RAWB`) or a subject's boot (`TABL`, of old `TIER`),
  each in zlib's format: the length of its head (u32), its head, its body; then `INDX` with the place of each block and
  the journals that the segment replaces, then 16 bytes: the index's offset (u64) and END.  Written under another name,
  synced, renamed.

Damage is found by the checksums when a file is read.  It is reported, the damaged part left out, and nothing deleted.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from struct import Struct
from struct import error as StructError
from typing import Any

import msgpack

from hub.store.errors import Damaged
from hub.store.thin import Unwritten, spread_out
from wire._record import Record

__all__ = ["Block", "Journal", "SegmentFile", "SegmentWriter", "read_journal", "squeeze", "sync_directory", "unsqueeze"]

MAGIC = b"pidone samples 1"
END = b"pidone.\n"
SHEET, TABLE = b"SHET", b"TABL"
"""Tags of blocks whose body is packed already: sheets of raw windows (hub.monitor.sheets), tables of points
(hub.store.tiers).  RAWB and TIER are their older forms."""

_HEAD = Struct("<4sII")
_TAIL = Struct("<Q8s")
_LENGTH = Struct("<I")
_DATA = Struct("<II")
_STORED = Struct("<BHH")
STORED = 0xFFFF
"""Most bytes in a stored block of zlib's format."""

CURE = "its samples are missing from answers, all others are not; it is kept until retention takes it, or move it away"


class Block(Record):
    """One entry of a segment's index."""

    kind: str
    subject: str
    boot: str
    start: float
    end: float
    """Times of the first and the last sample in it."""
    offset: int
    length: int


def _record(tag: bytes, payload: bytes) -> bytes:
    return _HEAD.pack(tag, len(payload), zlib.crc32(payload, zlib.crc32(tag))) + payload


def squeeze(head: object, body: bytes, tag: bytes = b"") -> bytes:
    """Head and body of a block, compressed where the body is not so already."""
    packed = msgpack.packb(head)
    whole = _LENGTH.pack(len(packed)) + packed + body
    return _stored(whole) if tag in (SHEET, TABLE) else zlib.compress(whole, 1)


def _stored(data: bytes) -> bytes:
    """What zlib writes at level 0 (RFC 1950, 1951), without a compressor, which takes longer to make than to use."""
    starts = range(0, len(data), STORED)
    blocks = [
        _STORED.pack(at + STORED >= len(data), part := min(STORED, len(data) - at), part ^ 0xFFFF)
        + data[at : at + part]
        for at in starts
    ]
    return b"".join([b"\x78\x01", *blocks, zlib.adler32(data).to_bytes(4, "big")])


def unsqueeze(data: bytes) -> tuple[Any, memoryview]:
    """Head and body again.  Raises ValueError."""
    try:
        whole = zlib.decompress(data, bufsize=len(data) + 64)
        (length,) = _LENGTH.unpack_from(whole)
        return msgpack.unpackb(whole[4 : 4 + length]), memoryview(whole)[4 + length :]
    except (zlib.error, StructError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(str(error)) from None


def sync_directory(path: str) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Journal:
    """Appends to one journal file; a failed append leaves the file as it was."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._names: dict[object, int] = {}
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.size = 0
        try:
            self._append(MAGIC)
        except OSError:
            self.close()
            os.unlink(path)
            raise

    def append(self, entries: list[Unwritten]) -> None:
        """Write what there is of each stream.  Raises OSError, then nothing was written."""
        names, parts = dict(self._names), []
        for one in entries:
            if one.key not in names:
                names[one.key] = len(names)
                parts.append(_record(b"NAME", msgpack.packb([names[one.key], *one.key, one.rows])))
            tag = b"THIN" if one.before else b"DATA"
            parts.append(_record(tag, _DATA.pack(names[one.key], one.number) + one.times + one.data))
        self._append(b"".join(parts))
        self._names = names

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self.size)
            os.lseek(self._fd, self.size, os.SEEK_SET)
            raise
        self.size += len(data)

    def close(self) -> None:
        """Release the descriptor; the file stays."""
        os.close(self._fd)


def read_journal(path: str) -> tuple[list[tuple[list[Any], bytes]], str]:
    """What a journal holds, [kind, subject, boot, roster, rows, count] and times + blobs, and what is wrong, or ""."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:16] != MAGIC:
        return [], "" if MAGIC.startswith(data) else "has no readable beginning"
    streams: dict[int, list[Any]] = {}
    firsts: dict[int, bytes] = {}
    found: list[tuple[list[Any], bytes]] = []
    offset = 16
    for tag, payload, offset in _records(data, 16):  # noqa: B007
        if tag == b"NAME":
            number, *stream = msgpack.unpackb(payload)
            streams[number] = stream
        elif tag in (b"DATA", b"THIN"):
            number, count = _DATA.unpack_from(payload)
            times, body = payload[_DATA.size : _DATA.size + 8 * count], payload[_DATA.size + 8 * count :]
            if tag == b"THIN":
                body = spread_out(firsts[number], count, body)
            firsts.setdefault(number, body[: len(body) // count])
            found.append(([*streams[number], count], times + body))
    return found, _what_is_left(data, offset)


def _records(data: bytes, offset: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Sound records and where each ends, up to the first that is not."""
    while offset + _HEAD.size <= len(data):
        tag, length, checksum = _HEAD.unpack_from(data, offset)
        payload = data[offset + _HEAD.size : offset + _HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload, zlib.crc32(tag)) != checksum:
            return
        offset += _HEAD.size + length
        yield tag, payload, offset


def _what_is_left(data: bytes, offset: int) -> str:
    left = len(data) - offset
    return f"is cut off by a crash or damaged at byte {offset} ({left} bytes are unreadable)" if left else ""


class SegmentWriter:
    """Builds one segment under a temporary name; `seal` makes it appear whole."""

    def __init__(self, path: str, covers: list[str]) -> None:
        self.path, self._new, self._covers = path, path + ".new", covers
        self._blocks: list[Block] = []
        self._file = open(self._new, "wb")
        self._file.write(MAGIC)

    def add(self, tag: bytes, block: Block, head: object, body: bytes) -> None:
        """Append a block; `offset` and `length` of `block` are filled in."""
        record = _record(tag, squeeze(head, body, tag))
        self._blocks.append(block._replace(offset=self._file.tell(), length=len(record)))
        self._file.write(record)

    def seal(self) -> None:
        """Finish, sync and rename."""
        index = self._file.tell()
        self._file.write(_record(b"INDX", msgpack.packb([[list(block) for block in self._blocks], self._covers])))
        self._file.write(_TAIL.pack(index, END))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.rename(self._new, self.path)
        sync_directory(os.path.dirname(self.path))

    def abandon(self) -> None:
        """Remove what was written so far."""
        try:
            self._file.close()
        except OSError:
            pass  # what is still buffered has no room either
        os.unlink(self._new)


class SegmentFile:
    """A sealed segment; reading raises Damaged where a checksum does not hold."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = os.path.getsize(path)

    def index(self) -> tuple[list[Block], list[str]]:
        """The blocks, and the names of the journals that this segment replaces."""
        if self.size < len(MAGIC) + _TAIL.size:
            raise self._damaged(f"is cut off ({self.size} bytes)")
        with open(self.path, "rb") as file:
            file.seek(self.size - _TAIL.size)
            offset, end = _TAIL.unpack(file.read(_TAIL.size))
            if end != END or offset > self.size:
                raise self._damaged("is cut off: its end is missing")
            file.seek(offset)
            blocks, covers = self._unpack(b"INDX", file.read(self.size - _TAIL.size - offset))
        return [Block(*block) for block in blocks], covers

    def read(self, block: Block) -> tuple[bytes, Any, memoryview]:
        """Tag, head and body of a block."""
        with open(self.path, "rb") as file:
            file.seek(block.offset)
            record = file.read(block.length)
        tag = record[:4]
        data = self._sound(tag, record)
        try:
            return tag, *unsqueeze(data)
        except ValueError as error:
            raise self._damaged(f"has an unreadable block at byte {block.offset} ({error})") from None

    def _unpack(self, tag: bytes, record: bytes) -> Any:
        try:
            return msgpack.unpackb(self._sound(tag, record))
        except (ValueError, msgpack.exceptions.UnpackException) as error:
            raise self._damaged(f"has an unreadable index ({error})") from None

    def _sound(self, tag: bytes, record: bytes) -> bytes:
        """The payload of a record whose tag and checksum hold."""
        if len(record) < _HEAD.size:
            raise self._damaged("is cut off inside a block")
        found, length, checksum = _HEAD.unpack_from(record)
        payload = record[_HEAD.size :]
        if found != tag or length != len(payload) or zlib.crc32(payload, zlib.crc32(tag)) != checksum:
            raise self._damaged("has a block whose checksum does not hold")
        return payload

    def _damaged(self, found: str) -> Damaged:
        return Damaged(self.path, found, CURE)
