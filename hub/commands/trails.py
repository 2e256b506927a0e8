"""Output that is followed: told to the audit when it begins and when it is over, however often it is looked at.

Theory.  Who follows a program's output asks for its end every second.  A row or two for each look would fill the audit
and say no more than two rows do: who follows what, from where and since when, and until when and how often it was
looked.  So a look may name its follow, a word that the asker chose, and its own id begins with that word; the rows of
the commands can be told apart by it.

    (nobody) --first look, once the store has its row--> followed --told, or silent for SILENT_SECONDS--> (nobody)

Each look passes all that any command passes - the role, the scope, what the agent allows - and a refused one is in the
audit by itself.  A follow is known by actor, address, word and target: another person, another place or another
program begins anew, with a row of its own.  Until the store has that row, further looks write it, too; so no look is
carried out that the audit does not know of.  Where too many are followed a look is audited like any other command.  A
hub that dies tells no end: whoever goes on at another hub begins there, and the first row there says since when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from hub.clock import Instant
from hub.commands.router import Command
from hub.errors import Refusal
from hub.store.rows import AuditRow
from hub.trust.roles import Subject
from hub.words import Effects, Store
from wire._record import Record
from wire.model import Verb
from wire.shapes import IDENT

SILENT_SECONDS = 30.0
"""A follow that nobody looked at for so long is over: `hubctl logs -f` looks every 1 to 4 s, and tries other hubs."""
MOST = 10_000
"""Follows at a time: a hundred people with a hundred programs each, some 5 MiB."""
MOST_OF_ACTOR = 1000
"""The same of one actor: ten terminals, and no more of a hostile one."""
WORD_CHARS = 20
"""Longest word of a follow: the ids of its looks begin with it, and have room for more."""

Key = tuple[str, str, str, str, str]
"""Actor, address, word, agent, target."""


class Trail(Record):
    """One follow of one program."""

    began: Instant
    last: Instant
    looks: int = 1


def word_of(args: Mapping[str, Any]) -> str:
    """The follow that this order belongs to, "" for none.  Raises Refusal."""
    word = args.get("follow", "")
    if word == "":
        return ""
    if not isinstance(word, str) or len(word) > WORD_CHARS or IDENT.fullmatch(word) is None:
        raise Refusal("bad-argument", f"follow must be 1 to {WORD_CHARS} letters, digits, '_', '.' or '-'")
    if args.get("verb") != Verb.TAIL or args.get("container") is True:
        raise Refusal("bad-argument", "only tail may be followed", f"give the others without {word!r}")
    if args.get("end") is not True and not str(args.get("id") or "").startswith(f"{word}-"):
        raise Refusal("bad-argument", f"the id of a look must begin with {word}-", "each look has an id of its own")
    return word


class Trails:
    """What is followed now."""

    def __init__(self) -> None:
        self.known: dict[Key, Trail] = {}
        self._of: Counter[str] = Counter()

    def admit(self, command: Command) -> Command:
        """The look as such; without its follow where there is no room for one more."""
        room = len(self.known) < MOST and self._of[command.actor] < MOST_OF_ACTOR
        return command if not command.follow or room or self.knows(command) else command._replace(follow="")

    def knows(self, command: Command) -> bool:
        """Whether the audit has the beginning of this follow."""
        return _key(command) in self.known

    def looked(self, command: Command, now: Instant) -> None:
        """The store has claimed a look, with the row of the beginning where that was not known."""
        key = _key(command)
        before = self.known.pop(key, None)  # who was looked at last is the last
        self._of[command.actor] += before is None
        self.known[key] = Trail(now, now) if before is None else before._replace(last=now, looks=before.looks + 1)

    def end(self, subject: Subject, peer: str, word: str, now: Instant) -> tuple[int, Effects]:
        """Whoever followed says that it is over; how many programs that was, and what is kept of it."""
        mine = [key for key in self.known if key[:3] == (subject.name, peer, word)]
        return len(mine), [self._over(key, "ended", now) for key in mine]

    def tick(self, now: Instant) -> Effects:
        """Follows that nobody looks at any more."""
        oldest = takewhile(lambda one: now.mono - one[1].last.mono >= SILENT_SECONDS, self.known.items())
        return [self._over(key, "lapsed", now) for key, _ in list(oldest)]

    def _over(self, key: Key, how: str, now: Instant) -> Store:
        (actor, peer, word, _, target), trail = key, self.known.pop(key)
        self._of[actor] -= 1
        if not self._of[actor]:
            del self._of[actor]
        seconds = trail.last.mono - trail.began.mono
        words = f"{trail.looks} looks in {seconds:.0f} s" + (", then silent" if how == "lapsed" else "")
        return Store("append_audit", (AuditRow(now.wall, actor, Verb.TAIL.value, target, how, words, word, peer),))


def beginning(command: Command) -> AuditRow:
    """What the audit keeps of the first look."""
    verb, target = command.verb, command.target
    return AuditRow(command.created_at, command.actor, verb, target, "following", "", command.follow, command.peer)


def _key(command: Command) -> Key:
    return command.actor, command.peer, command.follow, command.agent, command.target
