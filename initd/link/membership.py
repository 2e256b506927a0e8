"""What makes this container the agent it is: key pair, agent id, hubs, epoch; kept outside of link.

Theory.  Link may die at any moment, so PID 1 keeps the membership for it, as opaque text.  PID 1 may die too (the
container is restarted), so it also goes into state_dir where that can be written, bound to the container id: an image
committed from this container carries the file, but no other container takes it.  It is bound to the token as well, so
that a new join string means a new enrolment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from initd.jsontext import dumps, loads
from initd.link.digest import sha256
from initd.link.pid1 import Answer, Pid1
from wire import limits
from wire.keys import JoinString, KeyFault, KeyPair, check_address, check_key, write_private
from wire.messages import HubAddress

SLOT = "membership"
"""The name under which PID 1 keeps it."""

FILE = "agent.json"

NO_ID = (
    "no container id was found (mountinfo, cgroup, host name), and an image made of this container would carry the key;"
    " PIDONE_CONTAINER_ID may name one"
)

Say = Callable[[str], object]


class Membership(NamedTuple):
    """An enrolled agent."""

    pair: KeyPair
    agent: str
    hubs: tuple[HubAddress, ...]
    epoch: int
    """Highest epoch it has seen."""
    next: KeyPair | None = None
    """The pair that is offered to the hub in place of the present one."""

    def text(self, join: JoinString, container: str) -> str:
        """As text to keep."""
        return dumps({
            "v": 1, "container": container, "token": fingerprint(join), "public": self.pair.public,
            "secret": self.pair.secret, "agent": self.agent, "hubs": [list(hub) for hub in self.hubs],
            "epoch": self.epoch, "next": self.next.secret if self.next else None,
        })  # fmt: skip

    @classmethod
    def of_text(cls, text: str, join: JoinString, container: str) -> Membership | None:
        """What `text` made; None for another container, another token, another version, or nonsense."""
        try:
            found: Any = loads(text.encode())
            if (found["v"], found["container"], found["token"]) != (1, container, fingerprint(join)):
                return None
            fresh = KeyPair.of_secret(found["next"]) if found.get("next") else None
            return cls(_pair(found), str(found["agent"]), _hubs(found["hubs"]), int(found["epoch"]), fresh)
        except (ValueError, KeyError, TypeError):  # KeyFault is a ValueError
            return None


def fingerprint(join: JoinString) -> str:
    """Tells join strings of different fleets or tokens apart; the hubs' addresses may change."""
    return sha256(f"{join.fleet_key} {join.token} {join.secret.hex()}".encode()).hexdigest()[:32]


def _pair(found: dict[str, Any]) -> KeyPair:
    pair = KeyPair.of_secret(str(found["secret"]))
    if pair.public != found["public"]:
        raise KeyFault("the halves of the key do not belong together")
    return pair


def _hubs(rows: Any) -> tuple[HubAddress, ...]:
    hubs = tuple(HubAddress(*map(str, row)) for row in rows[: limits.HUBS])
    for hub in hubs:
        for address in hub[:3]:
            check_address(address)
        check_key(hub.key)
    return hubs


class Keeper:
    """Loads and saves the membership; see the module's docstring."""

    def __init__(
        self, pid1: Pid1, kept: dict[str, str], state_dir: str, container: str, say: Say = lambda text: None
    ) -> None:
        self._pid1, self._kept, self._container, self._say = pid1, kept, container, say
        self._path = f"{state_dir}/{FILE}" if state_dir and container else ""
        if state_dir and not container:
            say(f"state_dir {state_dir} is not used: {NO_ID}")

    def load(self, join: JoinString) -> Membership | None:
        """What PID 1 or the file holds for this join string."""
        for text in (self._kept.get(SLOT, ""), self._read()):
            if text and (found := Membership.of_text(text, join, self._container)):
                return found
        return None

    def save(self, membership: Membership, join: JoinString) -> None:
        """Give it to PID 1, and to the file where there may be one."""
        text = membership.text(join, self._container)
        self._kept[SLOT] = text
        self._pid1.ask("link.keep", {"key": SLOT, "value": text}, _ignore)
        if self._path:
            self._write(text)

    def _write(self, text: str) -> None:
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            write_private(self._path, text)
        except OSError as error:
            self._say(f"{self._path}: {error.strerror}; the key is in memory only: a restarted container enrols anew")

    def _read(self) -> str:
        if self._path:
            with suppress(OSError), open(self._path, "rb") as file:
                return file.read(limits.KEEP_BYTES).decode("utf-8", "replace")
        return ""


def _ignore(answer: Answer) -> None:
    """PID 1 refusing to keep it costs a new enrolment, nothing else."""
