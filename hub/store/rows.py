"""The records a store keeps or returns: times in the hub's wall clock, sizes in bytes, `None` for unknown or none."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from wire._record import Record
from wire.model import CommandState, Exit, FactKind, Presence, RosterRow, StateChange


class AgentRow(Record):
    """One agent = one container instance, as last known."""

    agent: str
    """Id given at enrolment; never used again for another."""
    name: str
    """Display name: the container's once joined, else what the agent calls itself, else the host name."""
    boot: str
    """Random id of PID 1's present run."""
    presence: Presence
    reason: str
    """Why it is late, lost or gone, for a person."""
    first_seen: float
    last_seen: float
    since: float
    """When `presence` changed last."""
    started_at: float | None = None
    """PID 1's start in hub time."""
    container: str | None = None
    """Container id it claims."""
    container_source: str = ""
    """Where the claim comes from: mountinfo, cgroup, hostname, environment."""
    hostname: str = ""
    addresses: tuple[str, ...] = ()
    version: str = ""
    remote: str = ""
    """`observe` or `operate`: what it lets the hub do."""
    command_endpoint: str = ""
    labels: dict[str, str] = {}
    """From its token and its engine: these count for scopes.  Never changed in place: rows are immutable."""
    claimed_labels: dict[str, str] = {}
    """From its own environment: shown, never trusted."""
    key: str = ""
    """Its CURVE public key, Z85."""
    token: str = ""
    """Id of the token it enrolled with."""
    epoch: int = 0
    """Highest epoch it has seen."""
    skew: float | None = None
    """Its wall clock less the hub's, seconds."""
    more: dict[str, object] = {}
    """What the hub notes beside; plain values (str, numbers, bool, None, lists, dicts) only."""


class FactRow(Record):
    """A kept fact."""

    position: int
    """Order of keeping in this store, rising with gaps; the `after` of the next query."""
    agent: str
    boot: str
    seq: int
    at: float
    """Hub time."""
    agent_at: float
    """The same moment by the agent's wall clock."""
    mono: float
    kind: FactKind
    body: StateChange | Exit | dict[str, object]


class CommandRow(Record):
    """A command from its acceptance to its end."""

    id: str
    actor: str
    """Who asked: subject of the client's key."""
    verb: str
    target: str
    """As it was asked for, `AGENT/PROGRAM` or a container."""
    agent: str | None
    """Agent that carries it out, None for a container command."""
    container: str | None
    engine: str | None
    args: dict[str, object]
    state: CommandState
    accepted_at: float
    deadline: float
    """Hub time after which it must not be carried out."""
    updated_at: float
    epoch: int = 0
    result: object = None
    error: str = ""


class AuditRow(Record):
    """Who asked for what, and what came of it; refused requests too."""

    at: float
    actor: str
    action: str
    target: str
    outcome: str
    """`accepted`, `refused`, `done`, `failed`, `expired`; of what is followed `following`, `ended`, `lapsed`."""
    detail: str = ""
    command: str = ""
    """Id of the command, where there is one."""
    peer: str = ""
    """Address it came from."""
    position: int = 0
    """Given by the store."""
    previous: str = ""
    """Digest of the row before, hex (hub.trust.chain); "" in the first."""
    digest: str = ""
    """Digest of this row with what it follows; "" where no chain was kept."""


class TokenRow(Record):
    """A right to enrol; the secret itself is never kept."""

    id: str
    kind: str
    """`invite` (single use), `service` (until revoked) or `relay` (for relays, until revoked)."""
    digest: str
    """SHA-256 of the secret, hex."""
    created_at: float
    created_by: str
    expires_at: float | None = None
    uses_left: int | None = None
    """None = any number."""
    uses: int = 0
    used_at: float | None = None
    labels: dict[str, str] = {}
    """Given to every agent that enrols with it."""
    live_cap: int | None = None
    """Most live agents at once, for service tokens."""
    revoked_at: float | None = None


class KeyRow(Record):
    """A CURVE public key the hub knows, and what it may do."""

    public: str
    """Z85, 40 characters."""
    kind: str
    """`agent`, `relay`, `client` or `hub`."""
    subject: str
    """Agent id, `relay.` and the name of its engine, or the client's name."""
    created_at: float
    role: str = ""
    """`viewer`, `operator`, `admin` for clients."""
    scope: dict[str, str] = {}
    """Labels an agent must have to be within reach; empty = all."""
    token: str = ""
    """Id of the token it came with."""
    container: str | None = None
    revoked_at: float | None = None


Sample = tuple[str, str, int, float, Mapping[str, bytes]]
"""Agent, boot, roster, hub time, columns: one sample of all processes of a container."""

ContainerSample = tuple[str, float, Sequence[float | None]]
"""Container, hub time, values."""


class Taking(Record):
    """What became of many samples."""

    unknown: tuple[str, ...]
    """Agents whose roster is to be asked for."""
    refused: int
    """How many did not fit their roster, or were not of this time."""


class SampleBlock(Record):
    """The samples of one roster in one raw window, or the points of one boot in a window of a coarser tier."""

    tier: str
    window: float
    """Start of the window."""
    kind: str
    """`process` or `container`."""
    subject: str
    boot: str
    start: float
    end: float
    """Times of the first and the last in it."""
    head: list[Any]
    body: bytes
    """Both as hub.store.recall reads them."""


class Latest(Record):
    """The last sample of an agent, decoded."""

    agent: str
    boot: str
    at: float
    rows: tuple[RosterRow, ...]
    columns: dict[str, array[float]]
    """Column name -> one value a row."""


class Retention(Record):
    """How long things are kept, seconds; samples also give way to sample_budget."""

    raw: float = 3600.0
    """Samples as they came."""
    minute: float = 24 * 3600.0
    """min/avg/max of a minute."""
    ten_minutes: float = 30 * 86400.0
    hour: float = 365 * 86400.0
    facts: float = 90 * 86400.0
    """State changes, exits and commands."""
    audit: float = 365 * 86400.0


class TierUse(Record):
    """One tier of the samples on disk."""

    tier: str
    """`raw`, or the seconds of a step: `60`, `600`, `3600`."""
    size: int
    segments: int
    oldest: float | None
    newest: float | None


class StoreStats(Record):
    """What the store holds."""

    backend: str
    budget: int
    """sample_budget, bytes."""
    used: int
    """Bytes of samples on disk."""
    memory: int
    """Bytes of samples in memory."""
    tiers: tuple[TierUse, ...]
    facts: int
    facts_size: int
    """Bytes of the file of facts."""
    samples: int
    """Process samples and container samples taken since the start."""
    late: int
    """Samples refused because their window was closed already."""
    problems: tuple[str, ...]
    """Damaged segment files and what is done about them, one line each."""


class Tended(Record):
    """What one slice of upkeep did."""

    notes: tuple[str, ...]
    """Lines a person should see: data dropped for the budget, damaged files, a disk that is full."""
    more: bool
    """There is more to do now."""
    renewed: str = ""
    """Why what was acknowledged last may be missing: the back end began anew, or is another, since the last look."""
