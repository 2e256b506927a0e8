"""Bytes <-> messages: msgpack maps `{"v": 1, "t": "heartbeat", ...}` with every field checked against wire.messages.

`decode` is what stands between a hostile peer and everything else: it bounds size, length and nesting, refuses what
does not fit the declared table, never evaluates anything, and raises one error, DecodeError, that names the field.
"""

from __future__ import annotations

from typing import Any

import msgpack

from wire import limits
from wire.messages import MESSAGES, Message
from wire.model import PROTOCOL
from wire.samples import sample_in
from wire.shapes import Rec, Wrong, shape_of

__all__ = ["DecodeError", "EncodeError", "decode", "encode", "unpack"]


class DecodeError(ValueError):
    """Bytes that are no message of ours; the text says why and at which field."""


class EncodeError(ValueError):
    """A message that a receiver would refuse: a bug of the sender, found before it is sent."""


def message_type(record: Any) -> str:
    """The word in the key `t`: the class name in lower case."""
    return str(record.__name__).lower()


SHAPES: dict[Any, Rec] = {record: shape_of(record) for record in MESSAGES}
BY_TYPE: dict[str, Rec] = {message_type(record): shape for record, shape in SHAPES.items()}
HEADS: dict[Any, dict[str, Any]] = {record: {"v": PROTOCOL, "t": message_type(record)} for record in MESSAGES}


def encode(message: Message, limit: int = limits.MESSAGE_BYTES) -> bytes:
    """The bytes of a message; raises EncodeError where a field does not fit or the whole exceeds `limit` bytes."""
    kind = type(message)
    if kind not in SHAPES:
        raise EncodeError(f"{kind.__name__} is no message")
    try:
        data = bytes(msgpack.packb(HEADS[kind] | SHAPES[kind].write(message)))
    except (Wrong, ValueError, OverflowError) as error:
        raise EncodeError(f"{message_type(kind)}: {error}") from None
    if len(data) > limit:
        raise EncodeError(f"{message_type(kind)}: {len(data)} bytes, more than {limit}")
    return data


def decode(data: bytes, limit: int = limits.MESSAGE_BYTES) -> Message:
    """The message in `data`; raises DecodeError.  Unknown keys are ignored: a newer peer may send them."""
    plain = unpack(data, limit)
    if plain.get("t") == "sample" and plain.get("v") == PROTOCOL:
        sample = sample_in(plain)
        if sample is not None:
            return sample
    shape = _shape(plain)
    try:
        message: Message = shape.read(plain)
    except Wrong as wrong:
        raise DecodeError(f"{plain['t']}: {wrong}") from None
    return message


def unpack(data: bytes, limit: int = limits.MESSAGE_BYTES) -> dict[str, Any]:
    """The map in `data`, bounded but not yet checked; raises DecodeError."""
    if len(data) > limit:
        raise DecodeError(f"{len(data)} bytes, more than {limit}")
    try:
        plain = msgpack.unpackb(data, raw=False, use_list=False, strict_map_key=True, max_ext_len=0)
    except Exception as error:  # msgpack raises many kinds; a peer's bytes must never raise anything else here
        raise DecodeError(f"no msgpack: {type(error).__name__}: {error}"[: limits.TEXT_CHARS]) from None
    if not isinstance(plain, dict):
        raise DecodeError("not a map")
    return plain


def _shape(plain: dict[str, Any]) -> Rec:
    version, kind = plain.get("v"), plain.get("t")
    if version != PROTOCOL:
        raise DecodeError(f"protocol version {version!r:.20}, this is {PROTOCOL}")
    shape = BY_TYPE.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise DecodeError(f"unknown message type {kind!r:.40}")
    return shape
