"""The messages between a hub and a relay, the small process beside a Docker engine: reports up, container orders down.

Theory.  A relay has one connection (DEALER to 7401), on which messages keep their order.  It beats once a period, and
each beat is answered; everything else is a report and is not: states and lists come again by themselves, an event only
announces what the next list tells, samples may be lost.  Results of orders are told again until a beat's answer names
them.  The engine's name is the hub's to give and stands in no report, so a relay can speak of its own engine only.
Times are of the relay's clock; the hub measures how far that is off.  See wire.messages for how fields are declared.
"""

from typing import Annotated, Any, NamedTuple

from wire import limits
from wire.address import HUB, HubAddress
from wire.shapes import (
    Amount,
    Binary,
    Flag,
    Ident,
    ListOf,
    MapOf,
    Maybe,
    Pattern,
    Plain,
    Real,
    Text,
    Whole,
    shape_of,
)

CONTAINER = Pattern(r"[0-9a-f]{64}", "container id: 64 hexadecimal digits")
WORDS = Text(limits.TEXT_CHARS)
LABEL = Text(limits.LABEL_CHARS)
SECONDS = Amount(0.05, 3600.0)
TIME = Maybe(Real())
IDS = ListOf(Ident(), limits.RELAY_RESULTS)
VERBS = ListOf(Text(16), 8)


class RelayBeat(NamedTuple):
    """A relay presents itself and shows that it lives: every period, and when it was answered `want`."""

    boot: Annotated[str, Ident(), "", "random name of this start of the relay"]
    version: Annotated[str, Text(32), "", "version of pidone"]
    hostname: Annotated[str, Text(255), "", "host name where it runs"]
    verbs: Annotated[
        tuple[str, ...], VERBS, "", "container verbs that its own configuration allows; empty = looks only"
    ]
    wall: Annotated[float, Real(), "s (wall)", "the relay's wall clock when it sent this"]
    round_trip: Annotated[
        float, Amount(0.0, 3600.0), "s", "time the previous beat took to be answered, 0 before the first"
    ]
    epoch: Annotated[int, Whole(), "1", "highest epoch this relay has seen; it refuses orders of lower ones"]
    dropped: Annotated[
        int, Whole(), "1", "events and samples lost at the relay because the hub did not read, since boot"
    ]
    leaving: Annotated[str, WORDS, "", "where not empty: it stops now, and why"] = ""


class Relayed(NamedTuple):
    """The answer to a relay's beat."""

    engine: Annotated[str, Ident(), "", "the name under which the hub shows its engine"]
    hub: Annotated[str, Ident(), "", "id of the hub"]
    epoch: Annotated[int, Whole(), "1", "epoch of the hub's orders"]
    period: Annotated[float, SECONDS, "s", "time between beats"]
    sample_period: Annotated[float, SECONDS, "s", "time between two samples of a container"]
    wall: Annotated[float, Real(), "s (wall)", "the hub's clock"]
    want: Annotated[bool, Flag(), "", "the hub has no list of this boot: send state and list now"]
    results: Annotated[tuple[str, ...], IDS, "", "orders whose results the hub has: they need not be told again"]
    hubs: Annotated[
        tuple[HubAddress, ...], ListOf(HUB, limits.HUBS), "", "all hubs, this relay's home first; empty = as before"
    ] = ()
    elsewhere: Annotated[bool, Flag(), "", "this hub has lost sight of the fleet: turn to the next one"] = False
    rekey: Annotated[bool, Flag(), "", "make a new key pair and offer its public half: send Rekey"] = False


class RelayState(NamedTuple):
    """How its engine is; sent with each list, when contact is lost, and when it is wanted."""

    at: Annotated[float, Real(), "s (wall)", "when this became known"]
    up: Annotated[bool, Flag(), "", "the engine answers"]
    error: Annotated[str, WORDS, "", "where not up: the cause, for people"]
    version: Annotated[str, Text(64), "", "version of the engine"]
    api: Annotated[str, Text(16), "", "version of its API that is spoken"]
    host: Annotated[str, Text(253), "", "host name as the engine gives it"]
    cpus: Annotated[int, Whole(0, 1 << 20), "1", "processors of its host"]
    memory: Annotated[int, Whole(), "B", "memory of its host"]
    containers: Annotated[int, Whole(0, 1 << 30), "1", "containers in its last list"]
    seen_at: Annotated[float | None, TIME, "s (wall)", "when it last answered a list; nil = never"]
    stats: Annotated[str, Text(16), "", "how containers are measured: poll, stream, agent"]
    floods: Annotated[int, Whole(), "1", "how often its events came too fast and were cut off"]
    left_out: Annotated[int, Whole(0, 1 << 30), "1", "containers beyond the bound, not listed"]
    clock_ahead: Annotated[float, Real(), "s", "how far the relay's clock is ahead of the engine's"]
    kind: Annotated[str, Text(16), "", "docker or podman; empty = not known yet"] = ""


class RelayContainer(NamedTuple):
    """One container as its engine lists it."""

    id: Annotated[str, CONTAINER, "", "its id"]
    name: Annotated[str, WORDS, "", "its name"]
    image: Annotated[str, WORDS, "", "its image"]
    state: Annotated[str, Text(16), "", "created, running, paused, restarting, removing, exited, dead or unknown"]
    status: Annotated[str, WORDS, "", "the engine's sentence for people"]
    health: Annotated[str, Text(16), "", "starting, healthy, unhealthy; empty where there is no check"]
    created_at: Annotated[float | None, TIME, "s (engine)", "when it was made"]
    started_at: Annotated[float | None, TIME, "s (engine)", "when it was started last"]
    finished_at: Annotated[float | None, TIME, "s (engine)", "when it ended last"]
    exit_code: Annotated[int | None, Maybe(Whole(0, 1 << 32)), "1", "of its last run; nil while it runs"]
    oom_killed: Annotated[bool | None, Maybe(Flag()), "", "the engine's flag"]
    restart_count: Annotated[int | None, Maybe(Whole()), "1", "restarts by the engine's policy"]
    pid: Annotated[int | None, Maybe(Whole()), "1", "its first process in the host's PID namespace"]
    labels: Annotated[dict[str, str], MapOf(LABEL, limits.ENGINE_LABELS), "", "labels within the bounds"]
    addresses: Annotated[tuple[str, ...], ListOf(Text(64), limits.ADDRESSES), "", "network addresses"]
    cpu_limit: Annotated[float | None, TIME, "1", "CPU quota in cores; nil = none"]
    rootfs_rw_bytes: Annotated[int | None, Maybe(Whole()), "B", "size of its writable layer"]
    rootfs_bytes: Annotated[int | None, Maybe(Whole()), "B", "size of its whole root file system"]
    sized_at: Annotated[float | None, TIME, "s (wall)", "when these two were measured"]


ROW = shape_of(RelayContainer)


class RelayList(NamedTuple):
    """A part of the list of all containers; with its last part it replaces every earlier list of this engine."""

    number: Annotated[int, Whole(1), "1", "grows with each list of a boot; the same in all its parts"]
    part: Annotated[int, Whole(0, limits.RELAY_PARTS - 1), "1", "number of this part, from 0"]
    parts: Annotated[int, Whole(1, limits.RELAY_PARTS), "1", "how many there are"]
    at: Annotated[float, Real(), "s (wall)", "when the engine's answer was complete"]
    containers: Annotated[tuple[RelayContainer, ...], ListOf(ROW, limits.ENGINE_CONTAINERS), "", "the containers"]


class RelayEvent(NamedTuple):
    """Something happened to a container."""

    at: Annotated[float, Real(), "s (wall)", "when, by the relay's clock"]
    container: Annotated[str, CONTAINER, "", "its id"]
    action: Annotated[str, Text(32), "", "create, start, die, oom, kill, stop, restart, pause, unpause, destroy ..."]
    attributes: Annotated[dict[str, str], MapOf(LABEL, limits.ENGINE_LABELS), "", "exitCode of die, signal of kill ..."]


class RelaySample(NamedTuple):
    """One measurement of one container."""

    container: Annotated[str, CONTAINER, "", "its id"]
    at: Annotated[float, Real(), "s (wall)", "when"]
    values: Annotated[bytes, Binary(limits.COLUMNS * 8), "", "float64 in the order of CONTAINER_COLUMNS"]


SAMPLE = shape_of(RelaySample)


class RelaySamples(NamedTuple):
    """Measurements since the last message; may be lost."""

    samples: Annotated[tuple[RelaySample, ...], ListOf(SAMPLE, limits.RELAY_SAMPLES), "", "the measurements"]


class RelayResult(NamedTuple):
    """The end of one order; told again until the answer to a beat names its id."""

    id: Annotated[str, Ident(), "", "of the order"]
    ok: Annotated[bool, Flag(), "", "it was carried out"]
    error: Annotated[
        str, Text(64), "", "else a code: bad-argument, unknown-container, refused, unreachable, timeout ..."
    ]
    detail: Annotated[str, WORDS, "", "one sentence for people"]


class ContainerOrder(NamedTuple):
    """One order for one container of the relay's engine; the relay checks it against its own rules and list."""

    id: Annotated[str, Ident(), "", "the command's id; the same id is never carried out twice"]
    verb: Annotated[str, Text(16), "", "start, stop, restart, kill, pause, unpause"]
    container: Annotated[str, CONTAINER, "", "id of the container"]
    args: Annotated[dict[str, Any], MapOf(Plain(), 4), "", "grace (seconds; stop, restart), signal (kill)"]
    ttl: Annotated[float, Amount(0.0, limits.COMMAND_SECONDS), "s", "time left until it must not be begun any more"]
    epoch: Annotated[int, Whole(), "1", "epoch of the hub that sends it"]
