"""Everything a store holds as one stream of rows, and such a stream into an empty store: export, import, migration.

Theory.  The stream is canonical: the same contents give the same rows in the same order in every back end, and so the
same digest.  What each store gives by itself is left out: positions of facts and audit rows (their order stays), marks
of agents' last signs of life, leases of hubs (they end with the hubs).  A migration is right when the digest of the
target's stream is the source's; the audit's hash chain needs no position either and is checked on both sides.

A row is [kind, values]; kinds come in the order of KINDS, and each is small but blocks of samples.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby, islice
from typing import Any

import msgpack

from hub.store.base import HUB_BOOT, Store
from hub.store.errors import BadRow, StoreError
from hub.store.packing import pack, pack_body, unpack, unpack_body
from hub.store.rows import AgentRow, AuditRow, CommandRow, FactRow, KeyRow, SampleBlock, TokenRow
from hub.store.segments import squeeze, unsqueeze
from hub.trust.chain import Check
from wire.model import FactKind, Presence

__all__ = ["KINDS", "Row", "Summary", "Tally", "emptiness", "put", "rows"]

KINDS = ("agent", "fact", "boot", "seen", "command", "audit", "token", "key", "epoch", "samples")
PAGE = 1000
CHUNK = 500
"""Rows in one transaction."""
MOST = 1 << 31

Row = tuple[str, Any]
"""Kind, and plain values for msgpack."""


def rows(store: Store) -> Iterator[Row]:
    """All of it; raises StoreError."""
    yield from (("agent", pack(row)) for row in store.agents())
    boots = {(row.agent, row.boot) for row in store.agents()}
    for fact in _facts(store):
        boots.add((fact.agent, fact.boot))
        yield "fact", [*fact[1:7], str(fact.kind), pack_body(fact.kind, fact.body)]
    numbers = ((agent, boot, store.durable(agent, boot)) for agent, boot in sorted(boots))
    yield from (("boot", [*number]) for number in numbers if number[2])
    yield from (("seen", [row.agent, row.hub, row.at, row.presence.value]) for row in store.seen())
    commands = sorted(store.commands(limit=MOST), key=lambda row: (row.accepted_at, row.id))
    yield from (("command", pack(row)) for row in commands)
    yield from (("audit", pack(row._replace(position=0))) for row in _audit(store))
    yield from (("token", pack(row)) for row in store.tokens())
    keys = store.keys()
    yield from (("key", pack(row)) for row in keys)
    if epoch := store.epoch():
        yield "epoch", epoch
    for block in store.blocks():
        yield "samples", [*block[:7], squeeze(block.head, block.body)]


def _facts(store: Store) -> Iterator[FactRow]:
    after = 0
    while page := store.facts(after=after, limit=PAGE):
        yield from page
        after = page[-1].position


def _audit(store: Store) -> Iterator[AuditRow]:
    after = 0
    while page := store.audit(after=after, limit=PAGE):
        yield from page
        after = page[-1].position


def emptiness(store: Store) -> str:
    """The kind of a row that the store holds; "" where it is empty."""
    return next((kind for kind, _ in rows(store)), "")


class Summary(dict[str, Any]):
    """What a stream holds: `rows` by kind, `samples`, `sha256`, and of the audit `audit_head`, `audit_broken`."""


class Tally:
    """Counts and digests a stream that passes through."""

    def __init__(self, say: Callable[[str, int], None] = lambda kind, count: None) -> None:
        self.counts: Counter[str] = Counter()
        self._samples, self._check, self._sha, self._say = 0, Check(), hashlib.sha256(), say

    def through(self, stream: Iterable[Row]) -> Iterator[Row]:
        """The same rows."""
        for row in stream:
            self.take(row)
            yield row

    def take(self, row: Row) -> None:
        """Count one row."""
        kind, values = row
        self.counts[kind] += 1
        self._sha.update(frame(row))
        if kind == "audit":
            self._check.take(unpack(AuditRow, values)._replace(position=self.counts[kind]))
        if kind == "samples" and values[0] == "raw":
            head, _ = unsqueeze(values[7])
            self._samples += head[2] * max(1, len(head[1]))
        self._say(kind, self.counts[kind])

    def summary(self) -> Summary:
        """What passed."""
        found = self._check.verdict()
        return Summary(
            rows={kind: self.counts[kind] for kind in KINDS},
            samples=self._samples,
            sha256=self._sha.hexdigest(),
            audit_head=found.head,
            audit_broken=found.reason if found.broken is not None else "",
        )


def frame(row: Row) -> bytes:
    """A row as bytes."""
    return bytes(msgpack.packb(row, use_bin_type=True))


def put(store: Store, stream: Iterable[Row]) -> None:
    """Write a stream into a store, 500 rows at a time.  Raises StoreError; what was written until then stays."""
    rest = iter(stream)
    samples: Iterator[Row] = iter(())
    while part := list(islice(rest, CHUNK)):
        small = [row for row in part if row[0] != "samples"]
        _put_rows(store, small)
        if len(small) < len(part):
            samples = chain([row for row in part if row[0] == "samples"], rest)
            break
    _put_samples(store, samples)


def _put_rows(store: Store, part: list[Row]) -> None:
    try:
        with store.batch():
            for kind, values in part:
                _PUT[kind](store, values)
    except KeyError as error:
        raise BadRow(f"rows of the kind {error} are not known; this was written by a newer pidone") from None


def _put_samples(store: Store, stream: Iterable[Row]) -> None:
    blocks = (_block(values) for _, values in stream)
    for (tier, window), some in groupby(blocks, key=lambda block: (block.tier, block.window)):
        store.restore_blocks(tier, window, some)


def _block(values: Any) -> SampleBlock:
    head, body = unsqueeze(values[7])
    return SampleBlock._make((*values[:7], head, bytes(body)))


def _fact(store: Store, values: Any) -> None:
    kind = FactKind(values[6])
    row = FactRow._make((0, *values[:6], kind, unpack_body(kind, values[7])))
    store.restore_facts(row.agent, row.boot, (row,))


def _boot(store: Store, values: Any) -> None:
    agent, boot, durable = values
    if store.skip_facts(agent, boot, durable + 1) != durable:
        raise StoreError(f"facts of {agent} beyond {durable} do not fit" + (" (hub)" if boot == HUB_BOOT else ""))


def _seen(store: Store, values: Any) -> None:
    agent, hub, at, presence = values
    store.hear_agents(hub, {agent: at})
    store.judge_agent(agent, Presence(presence))


_PUT: dict[str, Callable[[Store, Any], object]] = {
    "agent": lambda store, data: store.put_agent(unpack(AgentRow, data)),
    "fact": _fact,
    "boot": _boot,
    "seen": _seen,
    "command": lambda store, data: store.claim_command(unpack(CommandRow, data)),
    "audit": lambda store, data: store.append_audit(unpack(AuditRow, data)),
    "token": lambda store, data: store.put_token(unpack(TokenRow, data)),
    "key": lambda store, data: store.put_key(unpack(KeyRow, data)),
    "epoch": lambda store, epoch: store.next_epoch(epoch - 1),
}
