"""The hub's own secrets on disk: its key, the fleet key, and the first client key.

    STATE/keys/hub.json       key of the ports 7401, 7402, 7404, 7405
    STATE/keys/rotation.json  how far a change of the hub's key got (hub.trust.rotation)
    STATE/keys/link.json      key under which this hub dials others (hub.cluster.links); made anew where it is missing
    STATE/keys/fleet.json     key of the enrolment port; every join string pins its public half
    STATE/client/admin.json   a client key of role admin, made at the first start, for hubctl on this machine

All are made once, mode 0600, and never overwritten: a file that cannot be read ends the start and names the file.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hub.errors import StartError
from hub.trust import rotation
from hub.trust.rotation import Standing, Turn, shift
from wire._record import Record
from wire.keys import ClientKey, KeyFault, KeyPair, write_private


class Keyring(Record):
    """What the hub is known by."""

    hub: str
    """The hub's id."""
    turn: Turn
    """The hub's own key, and the change of it."""
    fleet: KeyPair
    admin: ClientKey
    link: KeyPair

    @property
    def own(self) -> KeyPair:
        """The hub's present key."""
        return self.turn.own


def load(state_dir: str, command: str, feed: str) -> Keyring:
    """Reads the keys, making those that are missing; `command` and `feed` are where the admin's client dials.

    Raises StartError naming the file.
    """
    root = Path(state_dir)
    try:
        for folder in (root, root / "keys", root / "client"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        own, fleet, link = (_pair(root / "keys" / name) for name in ("hub.json", "fleet.json", "link.json"))
        turn = rotation.load(root / "keys", own)
        goal, key = turn.standing.goal, (turn.next or turn.own).public
        admin = _admin(root / "client" / "admin.json", shift(command, goal), shift(feed, goal), key)
        return Keyring(_name(root / "keys" / "hub.id"), turn, fleet, admin, link)
    except (OSError, KeyFault) as error:
        hint = "state_dir= must be a directory of the hub's own; restore a damaged file from a backup or remove it"
        raise StartError(f"{error}: {hint}") from None


def readdress(state_dir: str, standing: Standing, sides: int) -> None:
    """Writes the hub's next key and place into the admin's key file; raises OSError, KeyFault."""
    path = Path(state_dir) / "client" / "admin.json"
    old = ClientKey.load(path)
    _admin(path, shift(old.command, sides), shift(old.feed, sides), standing.next or standing.key)


def _pair(path: Path) -> KeyPair:
    if not path.exists():
        KeyPair.generate().save(path)
    return KeyPair.load(path)


def _name(path: Path) -> str:
    if not path.exists():
        write_private(path, "hub-" + secrets.token_hex(4) + "\n")
    return path.read_text(encoding="ascii").strip()


def _admin(path: Path, command: str, feed: str, server_key: str) -> ClientKey:
    """The admin's key file; a changed port or hub key is written into it, its own key stays."""
    if path.exists():
        old = ClientKey.load(path)
        pair = KeyPair(old.public, old.secret)
    else:
        pair = KeyPair.generate()
    key = ClientKey("admin", "admin", command, feed, server_key, pair.public, pair.secret)
    if not path.exists() or ClientKey.load(path) != key:
        key.save(path)
        os.chmod(path, 0o600)
    return key
