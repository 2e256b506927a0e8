"""CURVE key pairs, join strings and client key files: made, checked, kept.

A join string is `pidone1.` + base64url (no padding) of a msgpack array [hubs, fleet key, token id, secret] followed by
the CRC-32 of these bytes, so that a string that lost its end in a copy is refused with that reason.  The hubs are
`host:port` of enrolment ports; the fleet key is the CURVE key of all of them; the secret proves the token.  Whoever has
the string can enrol: treat it as a password.
"""

from __future__ import annotations

import base64
import os
import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack
import zmq
from zmq.utils import z85

from wire import limits
from wire.shapes import IDENT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ClientKey", "JoinString", "KeyFault", "KeyPair", "check_address", "check_key", "write_private"]

PREFIX = "pidone1."
HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\]", re.ASCII)
SEALED = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class KeyFault(ValueError):
    """A key, address, join string or key file that cannot be used; the text says why and what to do."""


class KeyPair(NamedTuple):
    """A CURVE key pair, both halves as 40 characters of z85."""

    public: str
    secret: str

    @classmethod
    def generate(cls) -> KeyPair:
        """A new pair from the system's random numbers."""
        public, secret = zmq.curve_keypair()
        return cls(public.decode("ascii"), secret.decode("ascii"))

    @classmethod
    def of_secret(cls, secret: str) -> KeyPair:
        """The pair a secret belongs to; raises KeyFault."""
        return cls(zmq.curve_public(check_key(secret).encode("ascii")).decode("ascii"), secret)

    def __repr__(self) -> str:
        return f"KeyPair({self.public!r})"

    def save(self, path: str | Path) -> None:
        """Write the pair to a file only its owner can read, atomically; raises OSError."""
        import json  # an agent keeps its key otherwise, and counts its memory

        write_private(path, json.dumps(self._asdict()) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> KeyPair:
        """Read what `save` wrote; raises OSError, or KeyFault naming the file."""
        pair = cls.of_secret(_text_field(path, _read_json(path), "secret"))
        if pair.public != _read_json(path).get("public"):
            raise KeyFault(f"{path}: the public key does not belong to the secret one")
        return pair


def check_key(key: Any) -> str:
    """A CURVE key as text; raises KeyFault."""
    if not isinstance(key, str) or len(key) != 40:
        raise KeyFault("a CURVE key has 40 characters (z85)")
    try:
        z85.decode(key.encode("ascii"))
    except (ValueError, KeyError, UnicodeEncodeError, OverflowError, IndexError):
        raise KeyFault("a CURVE key is z85 text; this one has other characters") from None
    return key


def check_address(address: Any) -> str:
    """A `host:port` text (IPv6 in brackets); raises KeyFault."""
    if not isinstance(address, str):
        raise KeyFault("an address is a text host:port")
    host, _, port = address.rpartition(":")
    if HOST.fullmatch(host) is None or not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65536:
        raise KeyFault(f"{address[:80]!r} is no address host:port")
    return address


class JoinString(NamedTuple):
    """What a container needs to join a fleet."""

    hubs: tuple[str, ...]
    """Enrolment ports, `host:port`; tried in turn."""
    fleet_key: str
    """CURVE public key of every enrolment port, z85."""
    token: str
    """Id of the token."""
    secret: bytes
    """The token's secret, 16 to 64 bytes."""

    def __repr__(self) -> str:
        return f"JoinString({self.hubs!r}, token={self.token!r})"

    def format(self) -> str:
        """The text people copy."""
        fleet_key = z85.decode(self.fleet_key.encode("ascii"))
        return seal(msgpack.packb([list(self.hubs), fleet_key, self.token, self.secret]))

    @classmethod
    def parse(cls, text: str) -> JoinString:
        """The parts of a join string, surrounding white space ignored; raises KeyFault, which never quotes the text."""
        text = text.strip()
        if not text.startswith(PREFIX):
            raise KeyFault(f"a join string starts with {PREFIX!r}; copy the whole line that hubctl printed")
        if len(text) > limits.JOIN_CHARS:
            raise KeyFault(f"a join string has at most {limits.JOIN_CHARS} characters")
        return cls._checked(_unseal(text[len(PREFIX) :]))

    @classmethod
    def _checked(cls, parts: Any) -> JoinString:
        if not isinstance(parts, tuple) or len(parts) != 4:
            raise KeyFault("the join string does not hold hubs, key, token and secret")
        hubs, key, token, secret = parts
        if not isinstance(hubs, tuple) or not 0 < len(hubs) <= limits.HUBS:
            raise KeyFault(f"the join string names no hub, or more than {limits.HUBS}")
        if not isinstance(key, bytes) or len(key) != 32:
            raise KeyFault("the join string's fleet key has not 32 bytes")
        if not isinstance(token, str) or IDENT.fullmatch(token) is None:
            raise KeyFault("the join string's token id is malformed")
        if not isinstance(secret, bytes) or not 16 <= len(secret) <= 64:
            raise KeyFault("the join string's secret has not 16 to 64 bytes")
        return cls(tuple(map(check_address, hubs)), z85.encode(key).decode("ascii"), token, secret)


def seal(body: bytes) -> str:
    """A join string around these bytes, whatever they hold."""
    sealed = base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4, "big"))
    return PREFIX + sealed.rstrip(b"=").decode("ascii")


def _unseal(text: str) -> Any:
    """The array inside a join string; raises KeyFault where characters are foreign, missing or changed."""
    try:
        if SEALED.fullmatch(text) is None:
            raise ValueError
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:  # binascii.Error is one
        raise KeyFault("the join string holds characters that do not belong there, or lost its end") from None
    body, check = data[:-4], data[-4:]
    if zlib.crc32(body).to_bytes(4, "big") != check:
        raise KeyFault("the join string is damaged: its check sum is wrong, perhaps a part was not copied")
    try:
        return msgpack.unpackb(body, use_list=False, max_ext_len=0)
    except Exception:  # msgpack raises many kinds
        raise KeyFault("the join string does not hold hubs, key, token and secret") from None


class ClientKey(NamedTuple):
    """What a client needs to talk to its hub: a key file (JSON) of mode 0600."""

    name: str
    role: str
    command: str
    """`host:port` of the hub's client port (7404)."""
    feed: str
    """`host:port` of the hub's feed (7405)."""
    server_key: str
    public: str
    secret: str

    def __repr__(self) -> str:
        return f"ClientKey({self.name!r}, {self.role!r}, {self.command!r})"

    def save(self, path: str | Path) -> None:
        """Write the file, readable for its owner only, atomically; raises OSError."""
        import json

        write_private(path, json.dumps(self._asdict(), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> ClientKey:
        """Read a key file; raises OSError, or KeyFault naming the file and the field."""
        fields = _read_json(path)
        key = cls(*(_text_field(path, fields, name) for name in cls._fields))
        for check, value in (
            (check_address, key.command), (check_address, key.feed),
            (check_key, key.server_key), (check_key, key.public), (check_key, key.secret),
        ):  # fmt: skip
            _naming(path, check, value)
        return key


def _naming(path: str | Path, check: Any, value: str) -> None:
    try:
        check(value)
    except KeyFault as fault:
        raise KeyFault(f"{path}: {fault}") from None


def _read_json(path: str | Path) -> dict[str, Any]:
    import json

    with open(path, "rb") as file:
        text = file.read(65536)
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise KeyFault(f"{path}: no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise KeyFault(f"{path}: not a JSON object")
    return fields


def _text_field(path: str | Path, fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise KeyFault(f"{path}: {name!r} is missing or no text")
    return value


def write_private(path: str | Path, text: str) -> None:
    """Write a file of mode 0600 so that it is there whole or not at all, also after a crash; raises OSError."""
    folder, name = os.path.split(path)
    fresh = os.path.join(folder, f".{name}.{os.getpid()}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh)
        raise
