"""What must survive the loss of a hub's volume, as one encrypted file: its keys, and whom it let in.

Theory.  Join strings pin the fleet key, agents know the hub's key, and the hub knows agents by their public keys; so
with both key pairs, the tokens (their hashes) and the known keys, a hub on an empty volume is the same hub to all:
agents that it knew register, those it did not know yet enrol again by the service token they hold.

The file is a msgpack map.  Its key comes from the passphrase by scrypt (RFC 7914; 128 MiB and a tenth of a second or
more a guess), the box is XChaCha20-Poly1305 (libsodium, the library that CURVE uses too) with the map's other fields as
associated data, so that nothing in it can be changed.  The costs of scrypt are fixed by the version: a file cannot ask
for more.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

import msgpack

from hub.errors import HubError
from hub.store.packing import pack, unpack
from hub.store.rows import KeyRow, TokenRow
from wire._record import Record

MAGIC = "pidone keys"
VERSION = 1
COST, BLOCK, LANES = 1 << 17, 8, 1
FILE = re.compile(r"(keys|client)/[a-z]+\.(json|id)", re.ASCII)
"""Names that may be in it: never one outside of state_dir."""
LEAST_CHARS = 12
"""Shortest passphrase."""
FILE_BYTES = 64 << 20
"""Largest file: 100,000 agents' keys have some 20 MB."""


class EscrowFault(HubError):
    """A backup that cannot be made or read; the text says why and what to do."""


class Saved(Record):
    """What a backup holds."""

    at: float
    hub: str
    files: Mapping[str, str]
    """Path below state_dir -> text."""
    tokens: tuple[TokenRow, ...]
    keys: tuple[KeyRow, ...]
    epoch: int


def check_passphrase(text: str) -> str:
    """The passphrase; raises EscrowFault for one that is too short."""
    if len(text) < LEAST_CHARS:
        raise EscrowFault(f"the passphrase must have at least {LEAST_CHARS} characters")
    return text


def seal(saved: Saved, passphrase: str) -> bytes:
    """The encrypted file."""
    head = _head(secrets.token_bytes(16), secrets.token_bytes(24))
    rows = {"tokens": [pack(row) for row in saved.tokens], "keys": [pack(row) for row in saved.keys]}
    fields = {"at": saved.at, "hub": saved.hub, "files": dict(saved.files), "epoch": saved.epoch, **rows}
    box = _aead(True, msgpack.packb(fields), head, passphrase)
    return bytes(msgpack.packb({**head, "box": box}))


def unseal(data: bytes, passphrase: str) -> Saved:
    """What `seal` was given; raises EscrowFault."""
    try:
        outer = msgpack.unpackb(data)
        box = outer.pop("box")
        if outer["magic"] != MAGIC or not isinstance(box, bytes):
            raise ValueError
        known = outer["version"] == VERSION
        head = _head(outer["salt"], outer["nonce"])
    except Exception:  # msgpack raises many kinds
        raise EscrowFault("this is no backup of keys, or it is damaged") from None
    if not known:
        raise EscrowFault("this backup was made by another version of pidone; use that one")
    try:
        fields = msgpack.unpackb(_aead(False, box, head, passphrase))
    except (ValueError, TypeError):
        raise EscrowFault("the passphrase is wrong, or the backup is damaged") from None
    tokens = tuple(unpack(TokenRow, row) for row in fields["tokens"])
    keys = tuple(unpack(KeyRow, row) for row in fields["keys"])
    if not all(FILE.fullmatch(name) for name in fields["files"]):
        raise EscrowFault("the backup names files that are no keys")
    return Saved(fields["at"], fields["hub"], fields["files"], tokens, keys, fields["epoch"])


def _head(salt: bytes, nonce: bytes) -> dict[str, Any]:
    if len(salt) != 16 or len(nonce) != 24:
        raise ValueError("salt or nonce has another length")
    return {"magic": MAGIC, "version": VERSION, "salt": salt, "nonce": nonce}


def _aead(encrypt: bool, data: bytes, head: Mapping[str, Any], passphrase: str) -> bytes:
    try:
        from nacl.bindings import (
            crypto_aead_xchacha20poly1305_ietf_decrypt,
            crypto_aead_xchacha20poly1305_ietf_encrypt,
        )
        from nacl.exceptions import CryptoError
    except ImportError:
        raise EscrowFault("this needs PyNaCl: pip install 'pidone[hub]'") from None
    work = crypto_aead_xchacha20poly1305_ietf_encrypt if encrypt else crypto_aead_xchacha20poly1305_ietf_decrypt
    memory = 256 * COST * BLOCK
    text = check_passphrase(passphrase).encode()
    key = hashlib.scrypt(text, salt=head["salt"], n=COST, r=BLOCK, p=LANES, maxmem=memory, dklen=32)
    try:
        return bytes(work(data, msgpack.packb(head), head["nonce"], key))
    except CryptoError:
        raise ValueError("not authentic") from None
