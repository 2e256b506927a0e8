"""The samples' windows in Redis: what segment files and journals are to the embedded store.

Keys.  A window of one subject is a hash `pidone:{KIND:SUBJECT}:TIER:WINDOW`, each field one packed block (squeeze of
[[boot, head], body], as in a segment file).  So the subjects of a fleet spread over the slots of a cluster and no
command touches two of them.  In the slot of `{pidone.samples}`: `TIER` the windows there are (sorted set),
`TIER:bytes` window -> bytes, `TIER:WINDOW` subject -> bytes.

Theory.  The fields of a raw window tell whose they are: `RUN:JOURNAL:STREAM:NUMBER` holds what one hub wrote of one
stream every 10 s (hub.store.redis.journals); when the window is over, the hub that has it in memory puts
`RUN:JOURNAL:STREAM:s` in the place of these.  Where that is there, the others of its stream no longer count, so a crash
between the two does no harm; after a crash before them the small fields simply stay.  Fields of journals that are still
in this hub's memory are left out when it reads, since it has them there.  All is written so that a second writing
changes nothing.  A coarser window has one field for each boot.  It is made by one hub (`claim`), PATIENCE seconds later
than a single hub would, so that the others have written what they have.

Every key expires by itself a while after its retention: what no hub removes any more does not stay for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any

from hub.store.redis.journals import FIELD_BYTES, SPARSE, Held, Written
from hub.store.redis.link import Link, Script
from hub.store.rings import WINDOW, Key
from hub.store.rolling import roster_of
from hub.store.rows import Retention, TierUse
from hub.store.segments import Block, squeeze, unsqueeze
from hub.store.shelf import RAW, TIERS, Tier
from hub.store.thin import spread_out

__all__ = ["RedisShelf"]

PATIENCE = 30.0
"""Three times the interval at which samples are written out."""

CLAIM_SECONDS = 300
"""A hub that claimed a window and died is followed by another after this time."""

SLACK_SECONDS = 7200
"""How long keys outlive their retention."""

BUNDLE = 100
"""Commands sent together: some 5 ms."""

OWN_SECONDS = 2 * WINDOW
"""How long a hub remembers what it wrote of a raw window."""

_NOTE = Script("""
local total = 0
for i = 2, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[3], ARGV[i], ARGV[i + 1])
  total = total + tonumber(ARGV[i + 1])
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1])
redis.call('HINCRBY', KEYS[2], ARGV[1], total)
return total
""")

_CLAIM = Script("""
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
""")

Who = tuple[str, str]


class RedisShelf:
    """hub.store.shelf.Shelving on Redis; raises Away, which is an OSError."""

    def __init__(self, link: Link, run: str, retention: Retention) -> None:
        self.problems: dict[str, str] = {}
        self.journals: dict[str, float] = {}
        self.patience = PATIENCE
        self.link, self.run = link, run
        self.held: dict[str, Held] = {}
        self._wrote: dict[float, defaultdict[str, int]] = {}
        """What this hub wrote of each subject of the last raw windows, in bytes."""
        """Journals whose samples are in this hub's memory, too."""
        self._numbers = count(1)
        keep = (retention.raw, retention.minute, retention.ten_minutes, retention.hour)
        self._keep = {tier.name: int(kept + tier.span) + SLACK_SECONDS for tier, kept in zip(TIERS, keep, strict=True)}

    # -- writing -----------------------------------------------------------------------------------------------------

    def journal(self, window: float) -> Held:
        """Begin a journal."""
        name = f"{self.run}:{next(self._numbers)}"
        journal = self.held[name] = Held(name, lambda found: self.put(RAW, window, found))
        return journal

    def weigh(self, journal: str) -> int:
        """Nothing: `use` counts it."""
        return 0

    def drop(self, journal: str) -> None:
        """Its window is sealed and no longer in memory."""
        self.held.pop(journal, None)

    def writer(self, tier: Tier, window: float, journals: list[str]) -> Sealing:
        """Begin a window of a tier; a raw one takes the place of what its journal wrote."""
        if tier is not RAW:
            return Sealing(self, tier, window, None)
        if not journals:
            journals.append(self.journal(window).path)  # noted there, so that a second try takes the same names
        return Sealing(self, tier, window, self.held[journals[0]])

    def claim(self, tier: Tier, window: float) -> bool:
        """Whether this hub makes this window."""
        return bool(self.link.run(_CLAIM, [index(tier, window) + ":claim"], [self.run, CLAIM_SECONDS]))

    def put(self, tier: Tier, window: float, found: Sequence[Written]) -> None:
        """Write blocks of a window, and note what they weigh."""
        for part in _parts(found, BUNDLE):
            commands: list[tuple[Any, ...]] = []
            for who, fields, old, _ in part:
                name = place(tier, window, who)
                commands.append(("HSET", name, *(word for pair in fields.items() for word in pair)))
                commands += [("HDEL", name, *old)] if old else []
                if tier is not RAW or any(field.endswith((":0", ":s")) for field in fields):
                    commands.append(("EXPIRE", name, self._keep[tier.name]))
            self.link.many(commands)
        sizes: defaultdict[str, int] = defaultdict(int)
        for who, fields, _, before in found:
            sizes[":".join(who)] += sum(len(data) + FIELD_BYTES for data in fields.values()) - before
        if tier is RAW:
            self._remember(window, sizes)
        for some in _parts(list(sizes.items()), 1000):
            keys = [index(tier), index(tier) + ":bytes", index(tier, window)]
            self.link.run(_NOTE, keys, [int(window), *(word for pair in some for word in pair)])

    def _remember(self, window: float, sizes: dict[str, int]) -> None:
        wrote = self._wrote.setdefault(window, defaultdict(int))
        for who, size in sizes.items():
            wrote[who] += size
        for old in [one for one in self._wrote if one < window - OWN_SECONDS]:
            del self._wrote[old]

    # -- reading -----------------------------------------------------------------------------------------------------

    def windows(self, tier: Tier) -> list[float]:
        """The starts of a tier's windows, oldest first."""
        return [float(name) for name in self.link.call("ZRANGE", index(tier), 0, -1)]

    def subjects(self, tier: Tier, window: float) -> set[Who]:
        """Whose samples a window holds."""
        names = (name.decode().partition(":") for name in self.link.call("HKEYS", index(tier, window)))
        return {(kind, subject) for kind, _, subject in names}

    def read(self, tier: Tier, window: float, kind: str, subject: str) -> Iterator[tuple[Block, Any, memoryview]]:
        """The sound blocks of one subject that are not in this hub's memory."""
        name = place(tier, window, (kind, subject))
        found = {field.decode(): data for field, data in self.link.call("HGETALL", name).items()}
        for field in self._counting(found) if tier is RAW else sorted(found):
            try:
                boot, head, body = _opened(found, field)
            except (ValueError, TypeError, KeyError) as error:
                said = f"{name}: field {field} is damaged ({error}); its samples are missing from answers"
                self.problems.setdefault(name, said)
                continue
            yield Block(kind, subject, boot, window, window + tier.span, 0, 0), head, body

    def _counting(self, fields: dict[str, bytes]) -> list[str]:
        """The fields of a raw window that count; see the module's docstring."""
        sealed = {field.rpartition(":")[0] for field in fields if field.endswith(":s")}
        mine = [field for field in fields if ":".join(field.split(":")[:2]) not in self.held]
        return sorted(field for field in mine if field.endswith(":s") or field.rpartition(":")[0] not in sealed)

    def covered(self, window: float) -> set[str]:
        """No journal is found at a start."""
        return set()

    def alone(self, window: float) -> frozenset[Who]:
        """The subjects that weigh what this hub wrote of them; a script that was sent twice makes them weigh more."""
        wrote: dict[str, int] = self._wrote.get(window, {})
        weights = self.link.call("HGETALL", index(RAW, window))
        mine = [name.decode() for name, weight in weights.items() if wrote.get(name.decode()) == int(weight)]
        return frozenset((kind, subject) for kind, _, subject in (name.partition(":") for name in mine))

    def use(self) -> tuple[TierUse, ...]:
        """What each tier weighs and spans, of all hubs."""
        return tuple(self._use(tier) for tier in TIERS)

    def _use(self, tier: Tier) -> TierUse:
        sizes = {float(w): int(size) for w, size in self.link.call("HGETALL", index(tier) + ":bytes").items()}
        ends = (min(sizes), max(sizes) + tier.span) if sizes else (None, None)
        return TierUse(tier.name, sum(sizes.values()), len(sizes), *ends)

    def remove(self, tier: Tier, window: float) -> int:
        """Delete a window of all subjects; returns the bytes that gave."""
        size = int(self.link.call("HGET", index(tier) + ":bytes", int(window)) or 0)
        for some in _parts([place(tier, window, who) for who in sorted(self.subjects(tier, window))], BUNDLE):
            self.link.many([("UNLINK", name) for name in some])
        self.link.call("DEL", index(tier, window), index(tier, window) + ":claim")  # it may be made again, by any hub
        self.link.call("HDEL", index(tier) + ":bytes", int(window))
        self.link.call("ZREM", index(tier), int(window))
        return size


class Sealing:
    """A window on its way to the shelf."""

    def __init__(self, shelf: RedisShelf, tier: Tier, window: float, held: Held | None) -> None:
        self._shelf, self._tier, self._window, self._held = shelf, tier, window, held
        self._found: list[Written] = []

    def add(self, tag: bytes, block: Block, head: Any, body: bytes) -> None:
        """Take a block in; some are sent at a time."""
        who, data = (block.kind, block.subject), squeeze([block.boot, head], body, tag)
        if self._held is None:
            self._found.append((who, {block.boot or "-": data}, [], 0))
        else:
            key = Key(block.kind, block.subject, block.boot, roster_of(head))
            old = self._held.fields[key]
            name = f"{self._held.stream(key)}:s"
            self._found.append((who, {name: data}, list(old), sum(old.values())))

    def seal(self) -> None:
        """Write it all."""
        self._shelf.put(self._tier, self._window, self._found)

    def abandon(self) -> None:
        """What was written is written once more the next time."""


def _opened(fields: dict[str, bytes], name: str) -> tuple[str, Any, memoryview]:
    """Boot, head and body of a field; one of differences as if it held its samples whole."""
    (boot, head), body = unsqueeze(fields[name])
    if head[0] != SPARSE:
        return boot, head, body
    (_, (roster, rows, samples)), whole = unsqueeze(fields[name.rpartition(":")[0] + ":0"])
    count, width = head[2], (len(whole) - 8 * samples) // samples
    first = bytes(whole[8 * samples : 8 * samples + width])
    blobs = spread_out(first, count, body[8 * count :])
    return boot, [roster, rows, count], memoryview(bytes(body[: 8 * count]) + blobs)


def place(tier: Tier, window: float, who: Who) -> str:
    """The key of one subject's window."""
    return f"pidone:{{{':'.join(who)}}}:{tier.name}:{int(window)}"


def index(tier: Tier, window: float | None = None) -> str:
    """The key of what is known of a tier's windows, or of one of them."""
    return f"{{pidone.samples}}:{tier.name}" + ("" if window is None else f":{int(window)}")


def _parts(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
