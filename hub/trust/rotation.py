"""The change of the hub's key: two keys on two sets of ports for a while, kept so that a crash loses no moment of it.

Theory.  The hub listens on the configured ports, or on those plus STEP: two *sides*.  A rotation makes the next key,
and every socket binds the other side under it as well; who comes by the old one is told the new one.  At the end the
old side is unbound, which also cuts the connections that came by it, and the next rotation goes back.  The fleet key,
which join strings pin, has no part in this.

    keys/hub.json        the present key
    keys/rotation.json   the side, since when, and during a change the next key and the end

Each step is one file that is there whole or not at all: beginning writes rotation.json before anything is bound; ending
first makes the next key the present one, then forgets the change.  A start in between finds next = present and ends it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from wire._record import Record
from wire.keys import KeyFault, KeyPair, write_private

if TYPE_CHECKING:
    from hub.fleet import Settings

STEP = 10
"""The other side's ports are the configured ones plus this: 7411, 7412, 7414, 7415."""
FILE = "rotation.json"
LIFE_SECONDS = 365 * 86400.0
"""A hub's key should be changed after a year.  It is warned of, never refused: a date must not cut a fleet off."""


class Standing(Record):
    """What may be known of it: no secret."""

    side: int = 0
    key: str = ""
    made_at: float = 0.0
    """When the present key was made, wall seconds."""
    next: str = ""
    """The next key during a change."""
    until: float = 0.0
    """When the change ends."""

    @property
    def goal(self) -> int:
        """The side where everybody is to go."""
        return 1 - self.side if self.next else self.side


class Turn(Record):
    """Where the rotation stands, with its secrets."""

    own: KeyPair
    side: int = 0
    made_at: float = 0.0
    next: KeyPair | None = None
    begun_at: float = 0.0
    """When the next key was made."""
    until: float = 0.0

    @property
    def standing(self) -> Standing:
        """The part that is no secret."""
        return Standing(self.side, self.own.public, self.made_at, self.next.public if self.next else "", self.until)


def load(folder: Path, own: KeyPair) -> Turn:
    """What the files say; a change whose end was interrupted is ended.  Raises OSError, KeyFault."""
    path = folder / FILE
    if not path.exists():
        return Turn(own, 0, (folder / "hub.json").stat().st_mtime)
    turn = _read(path, own)
    if turn.next is not None and turn.next.public == own.public:
        turn = _ended(turn)
        _write(folder, turn)
    return turn


def begin(folder: Path, turn: Turn, until: float, at: float) -> Turn:
    """Makes the next key, or moves the end of a change that is under way."""
    turn = turn._replace(until=until) if turn.next else turn._replace(next=KeyPair.generate(), begun_at=at, until=until)
    _write(folder, turn)
    return turn


def abandon(folder: Path, turn: Turn) -> Turn:
    """The next key could not be used: as before."""
    turn = turn._replace(next=None, begun_at=0.0, until=0.0)
    _write(folder, turn)
    return turn


def finish(folder: Path, turn: Turn) -> Turn:
    """The next key is the present one from now on."""
    assert turn.next is not None
    turn.next.save(folder / "hub.json")
    turn = _ended(turn)
    _write(folder, turn)
    return turn


def _ended(turn: Turn) -> Turn:
    assert turn.next is not None
    return Turn(turn.next, 1 - turn.side, turn.begun_at)


def _write(folder: Path, turn: Turn) -> None:
    pair = turn.next._asdict() if turn.next else None
    fields = {"v": 1, "side": turn.side, "made_at": turn.made_at, "next": pair}
    fields |= {"begun_at": turn.begun_at, "until": turn.until}
    write_private(folder / FILE, json.dumps(fields) + "\n")


def _read(path: Path, own: KeyPair) -> Turn:
    try:
        fields = json.loads(path.read_text("utf-8"))
        side, times = int(fields["side"]), [float(fields[name]) for name in ("made_at", "begun_at", "until")]
        pair = KeyPair.of_secret(fields["next"]["secret"]) if fields["next"] else None
        if fields["v"] != 1 or side not in (0, 1):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise KeyFault(f"{path}: it does not say how far the change of the hub's key got") from None
    return Turn(own, side, times[0], pair, *times[1:])


def shift(address: str, sides: int) -> str:
    """host:port, so many sides further."""
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + sides * STEP}"


def placed(settings: Settings, standing: Standing) -> Settings:
    """The settings of a hub that now stands so: where everybody is to dial, under which key."""
    sides, key = standing.goal - settings.standing.goal, standing.next or standing.key
    addresses = tuple(
        one._replace(command=shift(one.command, sides), samples=shift(one.samples, sides), key=key)
        for one in settings.addresses
    )
    client, feed = shift(settings.client, sides), shift(settings.feed, sides)
    return settings._replace(addresses=addresses, client=client, feed=feed, standing=standing)
