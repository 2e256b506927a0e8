"""The store's interface, in the words of the domain; every back end passes tests/contract/store_contract.py.

Theory.  Two kinds of data want two kinds of promise.  *Facts* (state changes, exits, commands, audit, agents, tokens,
keys) may not be lost: a method that writes one returns only when the row would survive a crash of the machine - or,
inside `batch()`, when the batch has ended without an exception.  *Samples* may be lost: `put_samples` and
`put_container` return at once, and a crash may take the last seconds (`SAMPLE_LOSS_SECONDS`).

All methods block and are called from one thread only (hub.store.worker).  `at` and `now` are the hub's wall clock,
seconds since the epoch, and always come from the caller.  Reading methods return tuples of records, oldest first, and
at most `limit` rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from hub.cluster.rows import LeaseRow, SeenRow, Taken
from hub.monitor.history import History
from hub.store.rows import (
    AgentRow,
    AuditRow,
    CommandRow,
    ContainerSample,
    FactRow,
    KeyRow,
    Latest,
    Sample,
    SampleBlock,
    StoreStats,
    Taking,
    Tended,
    TokenRow,
)
from wire.model import CommandState, Exit, Fact, FactKind, Presence, RosterRow, StateChange

__all__ = ["HUB_BOOT", "READS", "SAMPLE_LOSS_SECONDS", "Store"]

HUB_BOOT = "hub"
"""Boot id of the facts that the hub itself writes about an agent (`record_fact`)."""

SAMPLE_LOSS_SECONDS = 10.0
"""What a crash may take of the samples: they are written out at this interval."""

READS = frozenset(
    ("agents", "durable", "durables", "facts", "exits", "process_history", "container_history", "latest", "command")
    + ("commands", "audit", "token", "tokens", "key", "keys", "epoch", "stats", "leases", "seen")
)
"""The methods that change nothing; the worker runs them after the writes of its batch are durable."""


class Store(ABC):
    """Everything the hub remembers; see the module's docstring for the promises."""

    # -- life --------------------------------------------------------------------------------------------------------

    @abstractmethod
    def batch(self) -> AbstractContextManager[None]:
        """One transaction around several writes: durable together when it ends, none of them if it raises.

        A write that raises BadRow inside leaves no trace of itself and does not spoil the batch.
        """

    def foresee(self, calls: Sequence[tuple[str, tuple[object, ...]]]) -> None:  # noqa: B027
        """These calls, (method, arguments), make up the next batch: what they read may be fetched at once."""

    @abstractmethod
    def tend(self, now: float) -> Tended:
        """Do a slice (about 50 ms) of upkeep: write samples out, build tiers, forget the too old and the too much.

        Audit rows leave from the old end only: those before the first whose `at` is hub.trust.chain.cut(now, audit
        retention) or later.
        """

    @abstractmethod
    def flush(self, now: float) -> None:
        """Write all samples out now."""

    @abstractmethod
    def close(self, now: float) -> None:
        """Flush and release; the store cannot be used afterwards."""

    @abstractmethod
    def stats(self) -> StoreStats:
        """What the store holds and how much of its budget that is."""

    # -- agents ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def put_agent(self, row: AgentRow) -> None:
        """Insert or replace the agent `row.agent`."""

    @abstractmethod
    def drop_agent(self, agent: str) -> bool:
        """Forget the agent's row (its facts stay until retention takes them); False if there was none."""

    @abstractmethod
    def agents(self, ids: Sequence[str] | None = None) -> tuple[AgentRow, ...]:
        """These agents (None: all), live or not, by id; one that is unknown is left out."""

    # -- facts -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def append_facts(self, agent: str, boot: str, facts: Sequence[Fact], offset: float = 0.0) -> int:
        """Keep these facts and return the durable number: all facts of this boot up to it are kept.

        A fact already kept is ignored (replays are normal); one beyond a gap is kept, but the durable number waits
        for the gap.  `offset` (seconds) is added to each fact's `at` to make it hub time; the original is kept too.
        Raises BadRow for a number below 1 or a body too large; then none of these facts is kept.
        """

    @abstractmethod
    def skip_facts(self, agent: str, boot: str, first: int) -> int:
        """The agent has nothing before `first` any more: the durable number becomes `first - 1` or more; returns it."""

    @abstractmethod
    def record_fact(self, agent: str, at: float, kind: FactKind, body: StateChange | Exit | dict[str, object]) -> int:
        """Keep a fact that the hub itself found out, under boot HUB_BOOT; returns its number there."""

    @abstractmethod
    def durable(self, agent: str, boot: str) -> int:
        """The durable number of this boot; 0 where nothing is kept."""

    def durables(self, boots: Sequence[tuple[str, str]]) -> tuple[int, ...]:
        """The same of many agents' boots, in their order."""
        return tuple(self.durable(agent, boot) for agent, boot in boots)

    @abstractmethod
    def facts(
        self, after: int | None = None, agent: str | None = None, since: float | None = None, limit: int = 100
    ) -> tuple[FactRow, ...]:
        """Facts in the order they were kept: those behind position `after`, or without it the newest `limit`."""

    @abstractmethod
    def exits(
        self,
        after: int | None = None,
        agent: str | None = None,
        program: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> tuple[FactRow, ...]:
        """As `facts`, exit records only; `program` is a full name (`group:name`) or the [program:x] it comes from."""

    # -- samples -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def put_roster(self, agent: str, boot: str, number: int, rows: Sequence[RosterRow]) -> None:
        """Name the rows of the samples to come under this number; a repeated number is ignored.  Not durable."""

    @abstractmethod
    def put_samples(self, agent: str, boot: str, roster: int, at: float, columns: Mapping[str, bytes]) -> bool:
        """One sample of all processes of the roster: for each of PROCESS_COLUMNS its packed little-endian values.

        A column that is missing is unknown (NaN), one that is not ours is ignored.  False if the roster is unknown
        (ask for it).  Raises BadRow where a column's length does not fit the roster.
        """

    @abstractmethod
    def take_samples(self, samples: Sequence[Sample], containers: Sequence[ContainerSample]) -> Taking:
        """Many at once, as `put_samples` and `put_container` for each; what these would refuse is left out."""

    @abstractmethod
    def process_history(
        self,
        agent: str,
        start: float,
        end: float,
        step: float | None = None,
        program: str | None = None,
        pid: int | None = None,
        start_ticks: int | None = None,
    ) -> History:
        """Samples in [start, end) of the leader of `program` (restarts included), or of one pid + start ticks.

        `step` in seconds joins them into min/avg/max per step; without it the finest that is kept is returned.
        """

    @abstractmethod
    def put_container(self, container: str, at: float, values: Sequence[float | None]) -> None:
        """One sample of a container: CONTAINER_COLUMNS in their order, NaN or None where unknown."""

    @abstractmethod
    def container_history(self, container: str, start: float, end: float, step: float | None = None) -> History:
        """As process_history, for a container id."""

    @abstractmethod
    def latest(self, agent: str) -> Latest | None:
        """The last sample of the agent's newest boot that is still in memory, None if there is none."""

    # -- commands, epoch, audit --------------------------------------------------------------------------------------

    @abstractmethod
    def claim_command(self, row: CommandRow) -> bool:
        """Take the id for this command.  False if it is taken: it must not be carried out again (at most once)."""

    @abstractmethod
    def update_command(
        self, id: str, state: CommandState, at: float, result: object = None, error: str = ""
    ) -> CommandRow | None:
        """Note progress and return the row as it now is (None if unknown); done, failed and expired are final."""

    @abstractmethod
    def command(self, id: str) -> CommandRow | None:
        """The command with this id."""

    @abstractmethod
    def commands(self, since: float | None = None, limit: int = 100) -> tuple[CommandRow, ...]:
        """The newest `limit` commands accepted at or after `since`."""

    @abstractmethod
    def next_epoch(self, above: int = 0) -> int:
        """Take a new epoch: one more than the highest ever taken here, and more than `above` (what agents reported)."""

    @abstractmethod
    def epoch(self) -> int:
        """The highest epoch taken; 0 at first."""

    @abstractmethod
    def append_audit(self, row: AuditRow, after: str | None = None) -> int:
        """Keep an audit row; returns its position, above 0.

        With `after` only if the newest row's `digest` is this one ("" where there is no row): else, or where another
        hub was quicker, 0 and nothing is kept.  hub.store.chained makes the hash chain with it.
        """

    @abstractmethod
    def audit(self, after: int | None = None, since: float | None = None, limit: int = 100) -> tuple[AuditRow, ...]:
        """Audit rows behind position `after`, or without it the newest `limit`."""

    # -- trust -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def put_token(self, row: TokenRow) -> None:
        """Insert or replace a token."""

    @abstractmethod
    def token(self, id: str) -> TokenRow | None:
        """The token with this id, used up, expired or revoked ones too."""

    @abstractmethod
    def tokens(self) -> tuple[TokenRow, ...]:
        """All tokens by creation time."""

    @abstractmethod
    def use_token(self, id: str, at: float) -> bool:
        """Take one use atomically.  False (nothing changed) if unknown, revoked, expired at `at`, or used up."""

    @abstractmethod
    def revoke_token(self, id: str, at: float) -> bool:
        """No use of it succeeds from now on; False if unknown or revoked already."""

    @abstractmethod
    def put_key(self, row: KeyRow) -> None:
        """Insert or replace a public key."""

    @abstractmethod
    def key(self, public: str) -> KeyRow | None:
        """The row of this public key, revoked ones too."""

    @abstractmethod
    def keys(self, kind: str | None = None) -> tuple[KeyRow, ...]:
        """All keys, or those of one kind, by creation time."""

    @abstractmethod
    def revoke_key(self, public: str, at: float) -> bool:
        """Mark the key revoked; False if unknown or revoked already."""

    @abstractmethod
    def drop_key(self, public: str) -> bool:
        """Forget the key altogether; False if unknown."""

    # -- moving (hub.store.moving): no hub has the store open --------------------------------------------------------

    @abstractmethod
    def restore_facts(self, agent: str, boot: str, rows: Sequence[FactRow]) -> int:
        """As append_facts, for facts that another store kept: each brings its hub time; positions are given anew."""

    @abstractmethod
    def blocks(self) -> Iterator[SampleBlock]:
        """All samples, those in memory too: tier by tier from the finest, window by window, each block once."""

    @abstractmethod
    def restore_blocks(self, tier: str, window: float, blocks: Iterable[SampleBlock]) -> None:
        """Keep a window of another store; durable when it returns.  Raises OSError."""

    # -- hubs (hub.cluster) ------------------------------------------------------------------------------------------

    @abstractmethod
    def take_lease(self, row: LeaseRow, above: int = 0) -> Taken:
        """Take a new epoch as `next_epoch(above)` does and put `row` with it as `born` and `epoch`, in one step.

        Whatever row that hub had is replaced: an earlier life of it is refused from now on.
        """

    @abstractmethod
    def renew_lease(self, row: LeaseRow, heard: Mapping[str, float] | None = None) -> tuple[LeaseRow, ...] | None:
        """Put `row` if the hub's present row has the same `born`, and return all rows by name; else None.

        With it `heard` as hear_agents(row.hub, heard): who sees the new row knows that these are written.
        One step: no other write comes between the comparison, the writing and the reading.
        """

    @abstractmethod
    def drop_lease(self, hub: str, born: int, beat: int | None = None) -> bool:
        """Remove the hub's row if it has this `born`, and this `beat` where one is given; False if it has not."""

    @abstractmethod
    def leases(self) -> tuple[LeaseRow, ...]:
        """The rows of all hubs by name."""

    @abstractmethod
    def hear_agents(self, hub: str, heard: Mapping[str, float]) -> tuple[str, ...]:
        """Note that `hub` heard these agents (agent -> wall time); returns those that had been judged lost or gone.

        Each agent's mark grows by one, its time never falls, and it is live afterwards; one step for each agent.
        """

    @abstractmethod
    def judge_agent(
        self, agent: str, presence: Presence, mark: int | None = None, judge: LeaseRow | None = None
    ) -> bool:
        """Give the agent this presence; False where it has it already, is unknown, or its mark is not `mark` any more.

        `judge`: the newest row of the judging hub that this store acknowledged; False where it has an older one: then
        it lost writes in a failover, and perhaps with them the news that the agent was heard.
        One step, so that of two hubs that judge one agent only one succeeds and tells.
        """

    @abstractmethod
    def seen(self, agents: Sequence[str] | None = None) -> tuple[SeenRow, ...]:
        """When these agents (None: all) were heard last, by id; an agent that never was is left out."""
