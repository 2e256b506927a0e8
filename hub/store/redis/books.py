"""Writing in Redis what may not be lost: one hub at a time, whole or not at all, acknowledged when durable.

Theory.  Everything of the ledger bears the hash tag `{pidone}` and so lies in one slot: facts are rare (a state change,
an exit), and a batch may touch any of them.  A batch takes the *pen*, which ends by itself, at its first write;
reads what it decides upon; and gathers its changes on a page.  At its end one script makes all of them, on condition
that the pen is still its own.  So no two hubs decide upon the same state, a hub that was stopped in the middle changes
nothing when it wakes up, and a batch that raises leaves nothing.  A page that could not be read or that nobody answered
to spoils the rest of its batch, as a failing disk does.

Two round trips make a batch: the script that takes the pen also reads what nearly every batch decides upon (counters,
the audit's head) and what was foreseen; the other one writes.  The pen itself is neither logged nor replicated, which
saves the wait for the disk: after a restart or a failover it is gone, and a batch that was under way is refused.

Commands cannot wait for two.  What a claim and its audit row decide upon this hub mostly knows, because it wrote it
last: then the batch takes it for granted, and the script that writes first compares all that was relied upon, and that
nobody has the pen.  Where anything differs it changes nothing, the batch is Overtaken, and is made again with the pen.

The script notes the pen it was written with.  A second sending of the same batch (its reply was lost) finds that note
and changes nothing.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

import msgpack

from hub.store.errors import BadRow, Overtaken, StoreError
from hub.store.redis.link import Away, Link, Script

__all__ = ["COMMANDS", "EPOCH", "FORMAT", "HEAD", "META", "WRITTEN", "Books", "Page", "field", "key"]

PEN_MS = 2500
"""A batch has this long; 512 calls at a round trip of 1 ms take half a second.  It is shorter than a lease by more than
a renewal's pause: a hub that dies with the pen in its hand must not make all others blind (hub.cluster.lease)."""

PEN_SECONDS = 7.0
"""How long a hub waits for the others: a stopped one holds the pen for PEN_MS."""

AHEAD = 1000
"""Most fields of one table that are read with the pen: what a Lua call takes as arguments without trouble."""

_HELD = """
local function held(now)
  local pen = redis.call('HGET', KEYS[1], 'pen')
  if not pen then return nil end
  local name, ends = string.match(pen, '^(%x+) (%d+)$')
  return tonumber(ends) > now and name or nil
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
"""The pen is a field of `meta`, the name and when it ends by the server's clock: while a cluster moves the slot, a
script may only touch keys that are there."""

_TAKE = Script(
    _HELD
    + """
local pen = held(now)
if pen and pen ~= ARGV[1] then return 0 end
if not pen then
  redis.set_repl(redis.REPL_NONE)
  redis.call('HSET', KEYS[1], 'pen', string.format('%s %d', ARGV[1], now + ARGV[2]))
end
local found = {}
for i = 3, #ARGV do found[i - 2] = redis.call('HMGET', KEYS[i - 2], unpack(cmsgpack.unpack(ARGV[i]))) end
return found
"""
)

_COMMIT = Script(
    _HELD
    + """
if held(now) ~= ARGV[1] then
  if redis.call('HGET', KEYS[2], ARGV[2]) == ARGV[1] then return 1 end
  return 0
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
for i = 3, #ARGV do redis.call(unpack(cmsgpack.unpack(ARGV[i]))) end
redis.call('HDEL', KEYS[1], 'pen')
return 1
"""
)

_SWIFT = Script(
    _HELD
    + """
if redis.call('HGET', KEYS[2], ARGV[2]) == ARGV[1] then return 1 end
if held(now) then return 0 end
for _, read in ipairs(cmsgpack.unpack(ARGV[3])) do
  if (redis.call('HGET', KEYS[read[1]], read[2]) or nil) ~= read[3] then return 0 end
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
for i = 4, #ARGV do redis.call(unpack(cmsgpack.unpack(ARGV[i]))) end
return 1
"""
)
"""As _COMMIT without a pen: `ARGV[3]` are (number of a key, field, what it should hold)."""

_RELEASE = Script(
    _HELD
    + """
if held(now) ~= ARGV[1] then return 0 end
redis.set_repl(redis.REPL_NONE)
return redis.call('HDEL', KEYS[1], 'pen')
"""
)


def key(*parts: str) -> str:
    """A key of the ledger."""
    return ":".join(("{pidone}", *parts))


META, WRITTEN = key("meta"), key("written")
Cell = tuple[str, bytes]
"""A table and a field of it."""

EPOCH, HEAD, FACTS, AUDIT = b"epoch", b"audit head", b"facts", b"audit"
FORMAT = b"format"
COMMON = (EPOCH, HEAD, FACTS, AUDIT, FORMAT)
"""Fields of META: the last epoch, the digest of the audit's newest row, the last positions of both series, and the
number of the format (hub.store.redis.formats)."""

VERSION = 1
"""The format that this release writes; raised, with a step in hub.store.redis.formats, where old code cannot read."""

COMMANDS = key("commands")
REMEMBERED = (META, COMMANDS)
"""Tables of which a hub remembers what it wrote."""

KNOWN, KNOWN_BYTES = 4096, 1024
"""Most fields remembered, and the longest: 4 MiB at most; as many commands as may be in flight."""


def field(text: str) -> bytes:
    """A name as Redis keeps it.  Raises BadRow for what is no text."""
    try:
        return text.encode()
    except UnicodeError as error:
        raise BadRow(f"a name cannot be stored: {error}") from None


class Page:
    """Changes that were not made yet, and how things stand with them."""

    def __init__(self, link: Link, below: Page | None = None) -> None:
        self._link, self._below = link, below
        self.values: dict[Cell, bytes | None] = {}
        """Fields as they will be."""
        self.read: dict[Cell, bytes | None] = {}
        """Fields as they are."""
        self.relied: set[Cell] = set()
        """Those of them that decided something."""
        self.changes: list[tuple[Any, ...]] = []

    def get(self, table: str, name: bytes) -> bytes | None:
        """A field of a hash, as it will be."""
        cell = (table, name)
        if cell in self.values:
            return self.values[cell]
        if self._below is not None:
            return self._below.get(table, name)
        if cell not in self.read:
            self.read[cell] = self._link.call("HGET", table, name)
        self.relied.add(cell)
        return self.read[cell]

    def prime(self, table: str, names: Sequence[bytes]) -> None:
        """Read these fields in one go, so that `get` finds them."""
        if self._below is not None:
            self._below.prime(table, names)
            return
        missing = [name for name in names if (table, name) not in self.read]
        self.know(table, missing, self._link.call("HMGET", table, *missing) if missing else [])

    def know(self, table: str, names: Sequence[bytes], values: Sequence[bytes | None]) -> None:
        """These fields were read."""
        self.read |= {(table, name): value for name, value in zip(names, values, strict=True)}

    def all(self, table: str) -> dict[bytes, bytes]:
        """All fields of a hash, as they will be; only under the pen."""
        found = self._below.all(table) if self._below else dict(self._link.call("HGETALL", table))
        mine = {name: value for (where, name), value in self.values.items() if where == table}
        return {name: value for name, value in (found | mine).items() if value is not None}

    def put(self, table: str, name: bytes, value: bytes | None) -> None:
        """Set a field of a hash, or with None remove it."""
        self.values[table, name] = value
        self.change(*(("HDEL", table, name) if value is None else ("HSET", table, name, value)))

    def change(self, *command: Any) -> None:
        """Any other command; its second word is a key of the ledger."""
        self.changes.append(command)

    def take(self, above: Page) -> None:
        """Make another page's changes this one's."""
        self.values |= above.values
        self.changes += above.changes


class Books:
    """The ledger's way of writing; see the module's docstring.  Used by one thread."""

    def __init__(self, link: Link, run: str) -> None:
        self._link, self._run, self.version = link, run, VERSION
        self._ahead: dict[str, list[bytes]] = {}
        self._known: dict[Cell, bytes | None] = {}
        """What this hub knows of COMMANDS and META, because it wrote or read it last."""
        self._guess: dict[Cell, bytes | None] = {}
        """What the batch takes for granted; without any it takes the pen."""
        self._page: Page | None = None
        self._pen = ""
        self._spoiled: StoreError | None = None

    def foresee(self, wanted: Mapping[str, Iterable[bytes]], new: Iterable[Cell] | None = None) -> None:
        """The next batch will decide upon these fields of these tables.

        Where `new` is given it decides upon nothing else but the audit's head; those are fields that nobody has used
        yet, as far as one can tell.  If all others are known, nothing is read, and the batch may be Overtaken.
        """
        self._ahead = {table: list(islice(names, AHEAD)) for table, names in wanted.items()}
        if new is None:
            return
        known = ChainMap(self._known, dict.fromkeys(new))
        cells: list[Cell] = [(table, name) for table, names in self._ahead.items() for name in names]
        cells += [(META, HEAD), (META, AUDIT), (META, FORMAT)]
        if all(cell in known for cell in cells):
            self._guess = {cell: known[cell] for cell in cells}

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All writes inside at once; raises what spoiled them, where one of them would have been acknowledged."""
        page = self._page = Page(self._link)
        self._spoiled = None
        try:
            yield
            self._page = None
            self._finish(page)
        except BaseException:
            self._known = {}
            raise
        finally:
            self._page, self._ahead, self._guess = None, {}, {}
            self._release()

    @contextmanager
    def write(self) -> Iterator[Page]:
        """One write, whole or not at all: part of the batch, or a batch of its own."""
        if self._page is None:
            with self.batch(), self.write() as page:
                yield page
            return
        if self._spoiled:
            raise self._spoiled
        below = self._page
        above = self._page = Page(self._link, below)
        try:
            self._begin(below)
            yield above
        except BadRow:
            raise
        except StoreError as error:
            self._spoiled = error
            raise
        finally:
            self._page = below
        below.take(above)

    def _begin(self, page: Page) -> None:
        """Take the pen, if it is not in hand and needed; the page then knows what was read with it."""
        if self._guess:
            page.read = self._guess | page.read
            page.relied.add((META, FORMAT))
        elif not self._pen:
            self._take_pen(page)

    def _take_pen(self, page: Page) -> None:
        wanted = {META: list(COMMON), **self._ahead}
        names = [msgpack.packb(names, use_bin_type=False) for names in wanted.values()]
        pen, end = secrets.token_hex(8), time.monotonic() + PEN_SECONDS
        while not (found := self._link.run(_TAKE, list(wanted), [pen, PEN_MS, *names])):
            if time.monotonic() >= end:
                raise Away(f"{self._link}: other hubs have been writing for {PEN_SECONDS:g} s")
            time.sleep(random.uniform(0.001, 0.008))
        self._pen = pen
        for (table, fields), values in zip(wanted.items(), found, strict=True):
            page.know(table, fields, values)
        number = int(page.read[META, FORMAT] or 0)
        if number > self.version:
            known = f"format {number}, this hub knows {self.version}"
            raise StoreError(f"{self._link} was taken over by a newer pidone ({known}); update this hub, too")

    def _finish(self, page: Page) -> None:
        if not page.changes:
            return
        if self._spoiled:
            raise self._spoiled
        if page.read[META, FORMAT] is None and (META, FORMAT) not in page.values:  # nothing was here before
            page.put(META, FORMAT, str(self.version).encode())
        changes = [_packed([_plain(word) for word in change]) for change in page.changes]
        keys = list(dict.fromkeys([META, WRITTEN, *(change[1] for change in page.changes)]))
        if self._guess:
            self._compare_and_write(page, keys, changes)
        elif not self._link.run(_COMMIT, keys, [self._pen, self._run, *changes]):
            raise Away(f"{self._link}: this hub was too slow and lost its turn; nothing of the batch was written")
        self._pen = ""
        self._link.confirm(META)
        self._learn(page)

    def _compare_and_write(self, page: Page, keys: list[str], changes: list[bytes]) -> None:
        keys = list(dict.fromkeys([*keys, *(table for table, _ in page.relied)]))
        number = {name: place for place, name in enumerate(keys, 1)}
        relied = [[number[table], name, page.read[table, name]] for table, name in page.relied]
        args = [secrets.token_hex(8), self._run, _packed(relied), *changes]
        if not self._link.run(_SWIFT, keys, args):
            raise Overtaken(f"{self._link}: another hub was quicker; nothing of the batch was written")

    def _learn(self, page: Page) -> None:
        """What stands there now."""
        if len(self._known) > KNOWN:
            self._known = {}
        for cell, value in (page.read | page.values).items():
            if cell[0] in REMEMBERED and len(value or b"") <= KNOWN_BYTES:
                self._known[cell] = value
            else:
                self._known.pop(cell, None)

    def _release(self) -> None:
        pen, self._pen = self._pen, ""
        if pen:
            with suppress(StoreError):
                self._link.run(_RELEASE, [META], [pen])


def _packed(words: Sequence[Any]) -> bytes:
    return bytes(msgpack.packb(words, use_bin_type=False))


def _plain(word: Any) -> bytes | str:
    return word if isinstance(word, (bytes, str)) else repr(word)
