"""What makes this process the relay it is: key pair, name, hubs, epoch; in state_dir where that can be written.

It is bound to the token, so that a new join string means a new enrolment.  The highest epoch is kept too: an older hub
that comes back after a restart of the relay is still refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from wire import limits
from wire._record import Record
from wire.keys import JoinString, KeyFault, KeyPair, check_address, check_key, write_private
from wire.messages import HubAddress

FILE = "relay.json"
FILE_BYTES = 64 * 1024


class Membership(Record):
    """An enrolled relay."""

    pair: KeyPair
    relay: str
    """Name of its key: `relay.` and the engine's name."""
    hubs: tuple[HubAddress, ...]
    epoch: int = 0
    next: KeyPair | None = None
    """The pair that is offered to the hub in place of the present one."""


def fingerprint(join: JoinString) -> str:
    """Tells join strings of different fleets or tokens apart; the hubs' addresses may change."""
    secret = f"{join.fleet_key} {join.token} {join.secret.hex()}"
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


class Keeper:
    """Loads and saves the membership."""

    def __init__(self, state_dir: str, say: Callable[[str], object]) -> None:
        self._path, self._say = os.path.join(state_dir, FILE), say
        self._complained = False

    def load(self, join: JoinString) -> Membership | None:
        """What the file holds for this join string; None where there is nothing of use."""
        with suppress(OSError), open(self._path, "rb") as file:
            return of_text(file.read(FILE_BYTES), join)
        return None

    def save(self, membership: Membership, join: JoinString) -> None:
        """Write it, mode 0600; where that fails, say so once."""
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            write_private(self._path, to_text(membership, join))
        except OSError as error:
            if not self._complained:
                self._say(f"{self._path}: {error.strerror}; the key is in memory only: a restarted relay enrols anew")
            self._complained = True


def to_text(membership: Membership, join: JoinString) -> str:
    """As text to keep."""
    fields = {
        "v": 1, "token": fingerprint(join), "secret": membership.pair.secret, "relay": membership.relay,
        "hubs": [list(hub) for hub in membership.hubs], "epoch": membership.epoch,
        "next": membership.next.secret if membership.next else None,
    }  # fmt: skip
    return json.dumps(fields) + "\n"


def of_text(text: bytes, join: JoinString) -> Membership | None:
    """What `to_text` made; None for another token, another version, or nonsense."""
    try:
        found: Any = json.loads(text)
        if (found["v"], found["token"]) != (1, fingerprint(join)):
            return None
        pair = KeyPair.of_secret(str(found["secret"]))
        fresh = KeyPair.of_secret(str(found["next"])) if found.get("next") else None
        return Membership(pair, str(found["relay"]), _hubs(found["hubs"]), int(found["epoch"]), fresh)
    except (ValueError, KeyError, TypeError):  # KeyFault is a ValueError
        return None


def _hubs(rows: Any) -> tuple[HubAddress, ...]:
    hubs = tuple(HubAddress(*map(str, row)) for row in rows[: limits.HUBS])
    for hub in hubs:
        check_address(hub.command)
        check_key(hub.key)
    if not hubs:
        raise KeyFault("no hub")
    return hubs
