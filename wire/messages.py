"""The messages of pidone: one class each, every field declared with its type, its bound, its unit and its meaning.

Theory.  A field is `name: Annotated[python type, shape, unit, meaning]`.  The type checker reads the first part, the
codec the second, docs/protocol.md is generated from all of them.  So a message is declared once, here, and nowhere else
(annotations are evaluated in this module for that reason: it does not import `annotations` from `__future__`).
Units: seconds `s`, bytes `B`, wall-clock seconds since the epoch `s (wall)`, the sender's monotonic clock `s (mono)`,
`1` for a plain number, "" where a unit makes no sense.

Adding a field: give it a default, so that older peers are still understood.  Changing the meaning of one: a new name.
"""

from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from wire import limits
from wire.address import HUB as HUB
from wire.address import HubAddress as HubAddress
from wire.model import CommandState, Fact, Mount, RosterRow, Status
from wire.records import FACT, MOUNT, ROSTER_ROW, STATUS
from wire.relay import (
    ContainerOrder,
    RelayBeat,
    Relayed,
    RelayEvent,
    RelayList,
    RelayResult,
    RelaySamples,
    RelayState,
)
from wire.shapes import (
    Amount,
    Binary,
    Choice,
    Flag,
    Ident,
    ListOf,
    MapOf,
    Maybe,
    Plain,
    Real,
    Text,
    Whole,
)

NAME = Text(limits.NAME_CHARS)
WORDS = Text(limits.TEXT_CHARS)
PROCESS = Text(limits.NAME_CHARS * 2 + 1)
MOVED = "while the hub changes its key: dial `command` and `feed` under `server_key` from now on"
BOOT = "random name of this start of PID 1; facts are numbered within it"
SECONDS = Amount(0.05, 3600.0)


class Remote(StrEnum):
    """What the container's own configuration lets a hub do: only look, or command too."""

    OBSERVE = "observe"
    OPERATE = "operate"


class Register(NamedTuple):
    """An agent presents itself: at its start, and whenever a hub says that it does not know it."""

    boot: Annotated[str, Ident(), "", BOOT]
    container: Annotated[str, Text(128), "", "container id, empty where none is found; a claim until confirmed"]
    container_source: Annotated[str, Text(32), "", "mountinfo, cgroup, hostname, environment or none"]
    hostname: Annotated[str, Text(255), "", "host name inside the container"]
    addresses: Annotated[tuple[str, ...], ListOf(Text(64), limits.ADDRESSES), "", "network addresses of the container"]
    started_at: Annotated[float, Real(), "s (wall)", "start of PID 1"]
    wall: Annotated[float, Real(), "s (wall)", "the agent's wall clock when it sent this"]
    mono: Annotated[float, Real(), "s (mono)", "the agent's monotonic clock when it sent this"]
    version: Annotated[str, Text(32), "", "version of pidone"]
    remote: Annotated[Remote, Choice(Remote), "", "what a hub may do here; enforced in the container"]
    labels: Annotated[dict[str, str], MapOf(Text(256), limits.LABELS), "", "PIDONE_LABELS; not trusted for scopes"]
    epoch: Annotated[int, Whole(), "1", "highest epoch this agent has seen; it refuses commands of lower ones"]
    last_seq: Annotated[int, Whole(), "1", "number of the newest fact, 0 for none"]
    first_seq: Annotated[int, Whole(), "1", "number of the oldest fact that can still be replayed"]
    command_endpoint: Annotated[str, Text(256), "", "where scripts inside the container send commands"]
    name: Annotated[str, NAME, "", "display name from the configuration, may be empty"]
    pid1: Annotated[bool, Flag(), "", "it is PID 1 of its PID namespace, not a subreaper"] = True


class Registered(NamedTuple):
    """The hub knows the agent now."""

    agent: Annotated[str, Ident(), "", "id of the agent, given at enrolment"]
    hub: Annotated[str, Ident(), "", "id of the hub"]
    epoch: Annotated[int, Whole(), "1", "epoch of the hub's commands"]
    period: Annotated[float, SECONDS, "s", "time between heartbeats"]
    sample_period: Annotated[float, SECONDS, "s", "time between samples while nobody watches"]
    durable: Annotated[int, Whole(), "1", "facts up to this number of this boot are stored; replay starts after it"]
    wall: Annotated[float, Real(), "s (wall)", "the hub's clock"]
    want_roster: Annotated[bool, Flag(), "", "send the roster now"]
    server_keys: Annotated[tuple[str, ...], ListOf(Text(40), 4), "z85", "this hub's keys, the present one first"]
    hubs: Annotated[
        tuple[HubAddress, ...], ListOf(HUB, limits.HUBS), "", "all hubs, in the order in which to turn to them"
    ] = ()


class Heartbeat(NamedTuple):
    """A sign of life, every period."""

    boot: Annotated[str, Ident(), "", BOOT]
    last_seq: Annotated[int, Whole(), "1", "number of the newest fact"]
    first_seq: Annotated[int, Whole(), "1", "number of the oldest fact that can still be replayed"]
    wall: Annotated[float, Real(), "s (wall)", "the agent's wall clock when it sent this"]
    mono: Annotated[float, Real(), "s (mono)", "the agent's monotonic clock when it sent this"]
    roster: Annotated[int, Whole(), "1", "number of the present roster"]
    dropped: Annotated[int, Whole(), "1", "facts lost at the agent because its ring was full, since boot"]
    round_trip: Annotated[float, Real(), "s", "time the previous request took to be answered, 0 before the first"]


class Beat(NamedTuple):
    """The answer to a heartbeat."""

    durable: Annotated[int, Whole(), "1", "facts up to this number are stored; may fall after a failover of the store"]
    wall: Annotated[float, Real(), "s (wall)", "the hub's clock"]
    watch: Annotated[bool, Flag(), "", "somebody watches: send a sample every second"]
    want_roster: Annotated[bool, Flag(), "", "send the roster again"]
    register: Annotated[bool, Flag(), "", "the hub does not know this agent (any more): register again"]
    epoch: Annotated[int, Whole(), "1", "epoch of the hub's commands"]
    hubs: Annotated[
        tuple[HubAddress, ...], ListOf(HUB, limits.HUBS), "", "all hubs, this agent's home first; empty = as before"
    ]
    want_hello: Annotated[bool, Flag(), "", "the hub has no command route to this agent: send Hello"] = False
    period: Annotated[float | None, Maybe(SECONDS), "s", "new time between heartbeats"] = None
    sample_period: Annotated[float | None, Maybe(SECONDS), "s", "new time between samples"] = None
    elsewhere: Annotated[bool, Flag(), "", "this hub has lost sight of the fleet: turn to the next one"] = False
    rekey: Annotated[bool, Flag(), "", "make a new key pair and offer its public half: send Rekey"] = False
    again: Annotated[bool, Flag(), "", "the store was away: tell the facts after `durable` again now"] = False


class Roster(NamedTuple):
    """The full picture of a container: samples name it by number, facts after `last_seq` change it."""

    boot: Annotated[str, Ident(), "", BOOT]
    number: Annotated[int, Whole(1), "1", "grows with each new roster of a boot"]
    last_seq: Annotated[int, Whole(), "1", "newest fact that this picture includes"]
    wall: Annotated[float, Real(), "s (wall)", "when the picture was taken"]
    mono: Annotated[float, Real(), "s (mono)", "when the picture was taken"]
    columns: Annotated[tuple[str, ...], ListOf(Ident(), limits.COLUMNS), "", "columns of the processes in its samples"]
    rows: Annotated[tuple[RosterRow, ...], ListOf(ROSTER_ROW, limits.PROCESSES), "", "every process, in sample order"]
    programs: Annotated[tuple[Status, ...], ListOf(STATUS, limits.PROGRAMS), "", "configured processes, running or not"]
    mounts: Annotated[tuple[Mount, ...], ListOf(MOUNT, limits.MOUNTS), "", "mounted file systems"]
    left_out: Annotated[int, Whole(), "1", "processes beyond the bound that are not listed"] = 0
    notes: Annotated[dict[str, str], MapOf(WORDS, limits.COLUMNS), "", "column -> why its values are NaN"] = {}
    past: Annotated[bool, Flag(), "", "an earlier picture again, for samples that name it; changes no view"] = False


class Facts(NamedTuple):
    """Facts, oldest first, without gaps; sent until the hub calls them durable."""

    boot: Annotated[str, Ident(), "", BOOT]
    first_seq: Annotated[int, Whole(), "1", "oldest fact still there: what is below and not stored is lost"]
    facts: Annotated[tuple[Fact, ...], ListOf(FACT, limits.FACTS_PER_MESSAGE), "", "the facts"]


class Goodbye(NamedTuple):
    """The agent leaves on purpose: its container stops."""

    boot: Annotated[str, Ident(), "", BOOT]
    reason: Annotated[str, WORDS, "", "why, in words"]
    last_seq: Annotated[int, Whole(), "1", "number of the newest fact"]


class Ack(NamedTuple):
    """The answer to Roster, Facts and Goodbye."""

    durable: Annotated[int, Whole(), "1", "facts up to this number are stored"]


class Rekey(NamedTuple):
    """An agent offers its next key over the connection that its present one opened; it may be repeated."""

    public: Annotated[str, Text(40), "z85", "CURVE public key; the agent kept the pair before it sent this"]


class Rekeyed(NamedTuple):
    """Both keys are admitted; the first connection under the new one ends the old one."""

    public: Annotated[str, Text(40), "z85", "the key that was offered"]


class Hello(NamedTuple):
    """Opens the command route: the hub sends this agent's commands back over the connection it came by."""

    boot: Annotated[str, Ident(), "", BOOT]


class Command(NamedTuple):
    """One command to the programs of a container."""

    id: Annotated[str, Ident(), "", "chosen by who asks; the same id is never executed twice"]
    verb: Annotated[str, Ident(), "", "a verb of the control API: status, start, stop, restart, signal, tail ..."]
    args: Annotated[dict[str, Any], MapOf(Plain(), 16), "", "arguments of the verb"]
    ttl: Annotated[float, Amount(0.0, limits.COMMAND_SECONDS), "s", "time left until it must not be started any more"]
    actor: Annotated[str, WORDS, "", "who asked; goes into facts and audit"]
    epoch: Annotated[int, Whole(), "1", "epoch of the hub that sends it"]
    nonce: Annotated[int, Whole(), "1", "grows with each command to this agent within an epoch; 0 = none"] = 0
    until: Annotated[
        float, Real(), "s (wall)", "the hub's clock from which on it must not be started any more; 0 = not told"
    ] = 0.0


class Progress(NamedTuple):
    """What became of a command."""

    id: Annotated[str, Ident(), "", "the command's id"]
    state: Annotated[CommandState, Choice(CommandState), "", "delivered, then done, failed or expired"]
    result: Annotated[Any, Plain(), "", "result of the verb where done, else nil"]
    error: Annotated[dict[str, Any] | None, Maybe(MapOf(Plain(), 8)), "", "code, message, hint where failed, else nil"]
    at: Annotated[float, Real(), "s (wall)", "the agent's wall clock"]


class Sample(NamedTuple):
    """Figures of every process and of the container at one moment; may be lost.

    A column of `processes` holds one value per roster row, in that order, little-endian: 8 bytes each (float64) for
    counters, 4 bytes each (float32) for gauges.  `container` holds float64 values in the order of CONTAINER_COLUMNS.
    NaN means unknown.
    """

    boot: Annotated[str, Ident(), "", BOOT]
    roster: Annotated[int, Whole(1), "1", "number of the roster whose rows these are"]
    at: Annotated[float, Real(), "s (wall)", "when the figures were read"]
    mono: Annotated[float, Real(), "s (mono)", "when the figures were read"]
    period: Annotated[float, Real(), "s", "time since the sample before, 0 for the first"]
    processes: Annotated[
        dict[str, bytes], MapOf(Binary(limits.PROCESSES * 8), limits.COLUMNS), "", "column name -> packed values"
    ]
    container: Annotated[bytes, Binary(limits.COLUMNS * 8), "", "packed values of the container"]


class Event(NamedTuple):
    """A fact as it happens, for live views; the same fact arrives by Facts too."""

    boot: Annotated[str, Ident(), "", BOOT]
    fact: Annotated[Fact, FACT, "", "the fact"]


class Enrol(NamedTuple):
    """A new agent shows its token; its public key is that of the CURVE connection, never a field."""

    token: Annotated[str, Ident(), "", "id of the join token"]
    secret: Annotated[bytes, Binary(64), "", "secret of the join token"]
    container: Annotated[str, Text(128), "", "container id it found, empty where none"]
    hostname: Annotated[str, Text(255), "", "host name inside the container"]
    version: Annotated[str, Text(32), "", "version of pidone"]
    role: Annotated[str, Text(16), "", "agent, or relay: the token must be of the same kind"] = "agent"


class Enrolled(NamedTuple):
    """The agent's key is known to the hubs now."""

    agent: Annotated[str, Ident(), "", "id of the agent from now on"]
    hubs: Annotated[tuple[HubAddress, ...], ListOf(HUB, limits.HUBS), "", "all hubs and their keys"]
    labels: Annotated[dict[str, str], MapOf(Text(256), limits.LABELS), "", "labels that come with the token"]


class Query(NamedTuple):
    """A client asks its hub, or a script inside a container its PID 1."""

    id: Annotated[str, Ident(), "", "chosen by the client; comes back in the answer"]
    op: Annotated[str, Text(64), "", "what is asked: agents, ps ... (of the hub); status, restart ... (of a container)"]
    args: Annotated[dict[str, Any], MapOf(Plain(), 32), "", "arguments by name"]


class Answer(NamedTuple):
    """The answer to a Query."""

    id: Annotated[str, Ident(), "", "the query's id"]
    result: Annotated[Any, Plain(), "", "depends on `op`"]
    moved: Annotated[dict[str, str] | None, Maybe(MapOf(Text(300), 4)), "", MOVED] = None
    missing: Annotated[
        tuple[str, ...], ListOf(Text(64), limits.HUBS), "", "hubs that did not answer: what they alone know is left out"
    ] = ()


class Refused(NamedTuple):
    """Any request may be answered so; nothing was changed."""

    id: Annotated[str, Text(64), "", "the query's or command's id, empty where there is none"]
    code: Annotated[str, Ident(), "", "for programs: forbidden, unknown-op, bad-argument, unknown-key, bad-token ..."]
    message: Annotated[str, WORDS, "", "for people"]
    hint: Annotated[str, WORDS, "", "what to do about it, may be empty"] = ""
    after: Annotated[float | None, Maybe(SECONDS), "s", "with code busy: ask again then, or a bit later"] = None


class Feed(NamedTuple):
    """One item of the live feed."""

    topic: Annotated[str, Text(192), "", "the topic frame again, as text"]
    at: Annotated[float, Real(), "s (wall)", "the hub's clock"]
    seq: Annotated[int, Whole(), "1", "grows by one with each item of this hub: a gap means something was missed"]
    body: Annotated[Any, Plain(), "", "depends on the topic"]
    moved: Annotated[dict[str, str] | None, Maybe(MapOf(Text(300), 4)), "", MOVED] = None


Message = (
    Register | Registered | Heartbeat | Beat | Roster | Facts | Goodbye | Ack | Rekey | Rekeyed | Hello | Command
    | Progress | Sample | Event | Enrol | Enrolled | Query | Answer | Refused | Feed
    | RelayBeat | Relayed | RelayState | RelayList | RelayEvent | RelaySamples | RelayResult | ContainerOrder
)  # fmt: skip

MESSAGES: tuple[Any, ...] = Message.__args__
"""Every message class, in the order of the documentation."""
