"""The store on Redis: one server, the primary that Sentinels name, or a cluster; see hub.store.base for its promises.

Any number of hubs may have it open.  What they decide (a claim, a use of a token, an epoch, a lease) is decided once;
samples are each hub's own until it has written them, at most SAMPLE_LOSS_SECONDS later.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from hub.store.base import HUB_BOOT
from hub.store.errors import StoreError, Unwritable
from hub.store.redis.address import Access, Address
from hub.store.redis.authority import TOKENS
from hub.store.redis.books import COMMANDS, META, Books, field
from hub.store.redis.formats import take_over
from hub.store.redis.ledger import BOOTS, boot_field
from hub.store.redis.link import Link
from hub.store.redis.members import LEASES, SEEN, Members
from hub.store.redis.series import Series
from hub.store.redis.shelf import RedisShelf
from hub.store.redis.terms import check_terms
from hub.store.rows import Retention, StoreStats, Tended
from hub.store.sampled import Sampled
from hub.store.samples import RING_BYTES, Samples
from hub.trust.chain import cut

__all__ = ["RedisStore"]

LOOK_SECONDS = 2.0
"""Between two looks whether the server is still the same: one small question."""

Names = Callable[..., Iterable[bytes]]

_OF_BOOT: tuple[str, Names] = (BOOTS, lambda agent, boot, *rest: [boot_field(agent, boot)])
_OF_COMMAND: tuple[str, Names] = (COMMANDS, lambda id, *rest: [field(id)])

READ_FIRST: dict[str, tuple[str, Names]] = {
    "append_facts": _OF_BOOT,
    "restore_facts": _OF_BOOT,
    "skip_facts": _OF_BOOT,
    "record_fact": (BOOTS, lambda agent, *rest: [boot_field(agent, HUB_BOOT)]),
    "claim_command": (COMMANDS, lambda row: [field(row.id)]),
    "update_command": _OF_COMMAND,
    "use_token": (TOKENS, lambda id, *rest: [field(id)]),
    "renew_lease": (LEASES, lambda row, *rest: [field(row.hub)]),
    "hear_agents": (SEEN, lambda hub, heard: [field(agent) for agent in heard]),
}
"""What a writing method reads before it decides: the table, and the fields by its arguments."""

SWIFT = frozenset({"claim_command", "update_command", "append_audit", "put_agent"})
"""Methods that decide upon commands and the audit's head alone, or upon nothing."""

PRUNE_SECONDS = 60.0
"""Between two looks for facts that are too old; where a slice was not enough, the next follows at once."""


class RedisStore(Sampled, Members):
    """The store on Redis."""

    def __init__(
        self,
        address: Address,
        access: Access,
        sample_budget: int = 1 << 30,
        retention: Retention | None = None,
        ring_bytes: int = RING_BYTES,
    ) -> None:
        """Open the store.  Raises StoreError where Redis is not reached or cannot be trusted with facts."""
        self.retention = retention or Retention()
        run = secrets.token_hex(6)
        self._prune_at = 0.0
        self._link = Link(address, access)
        self._books = Books(self._link, run)
        self._facts, self._audit = Series("facts", self._link), Series("audit", self._link)
        try:
            self._link.call("EXISTS", self._facts.rows)  # a plain call first: its errors tell what is wrong
            self._notes = check_terms(self._link)
            take_over(self._link, self._books)
            self._server, self._looked = self._link.run_id(META), 0.0
        except BaseException:
            self._link.close()
            raise
        shelf = RedisShelf(self._link, run, self.retention)
        self._samples = Samples(shelf, sample_budget, self.retention, ring_bytes)

    # -- life --------------------------------------------------------------------------------------------------------

    def foresee(self, calls: Sequence[tuple[str, tuple[object, ...]]]) -> None:
        wanted: defaultdict[str, set[bytes]] = defaultdict(set)
        new: list[tuple[str, bytes]] = []
        for method, args in calls:
            if method in READ_FIRST:
                table, names = READ_FIRST[method]
                with suppress(StoreError, TypeError, AttributeError):  # the call itself will say what is wrong
                    found = list(names(*args))
                    wanted[table].update(found)
                    new += [(table, name) for name in found] if method == "claim_command" else []
        swift = all(method in SWIFT for method, _ in calls)
        self._books.foresee(wanted, new if swift else None)

    def tend(self, now: float) -> Tended:
        older = False
        if now >= self._prune_at:
            try:
                older = self._prune(now)
            except StoreError as error:
                self._samples.say(now, str(error), "prune")
            self._prune_at = now if older else now + PRUNE_SECONDS
        notes, more = self._samples.tend(now)
        first, self._notes = self._notes, ()
        return Tended((*first, *notes), more or older, self._renewed(now))

    def _renewed(self, now: float) -> str:
        """Whether another server, or another run of it, has the facts now; it may lack what the last one had."""
        if 0 <= now - self._looked < LOOK_SECONDS:
            return ""
        self._looked = now
        try:
            before, self._server = self._server, self._link.run_id(META)
        except StoreError:
            return ""
        return "" if before == self._server else f"{self._link} was restarted, or another server took over"

    def _prune(self, now: float) -> bool:
        keep = self.retention
        facts = self._prune_facts(now - keep.facts)
        return self._prune_authority(now - keep.facts, cut(now, keep.audit)) or facts

    def flush(self, now: float) -> None:
        try:
            self._samples.flush(now)
        except StoreError:
            raise
        except OSError as error:
            raise Unwritable(f"samples cannot be written ({error})") from None

    def close(self, now: float) -> None:
        try:
            self.flush(now)
            self._samples.close(now)
        finally:
            self._link.close()

    def stats(self) -> StoreStats:
        samples = self._samples
        size = 0
        with suppress(StoreError):
            size = int(self._link.call("MEMORY USAGE", self._facts.rows) or 0)
        return StoreStats(
            backend=f"redis-{self._link.address.kind}" if self._link.address.kind else "redis",
            budget=samples.budget,
            used=samples.used,
            memory=samples.memory,
            tiers=samples.shelf.use(),
            facts=len(self._facts),
            facts_size=size,
            samples=samples.taken,
            late=samples.late,
            problems=tuple(samples.shelf.problems.values()),
        )
