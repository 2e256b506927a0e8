"""What the Docker engines tell the hub, and what the hub orders from them: the only words between both.

Theory.  An engine lives in threads of its own and knows nothing of the hub; it *posts* reports, and the hub reads them
when it comes round.  The full list is the truth: an event only announces a change early, a lost event is mended by the
next list, and a list replaces everything known before about its engine.  Every report carries `at`, the hub's wall
clock when the engine's answer was complete, so that whoever shows a value can show its age.
"""

from __future__ import annotations

from collections.abc import Mapping

from wire._record import Record
from wire.model import Verb

ORDERS = frozenset({Verb.START, Verb.STOP, Verb.RESTART, Verb.KILL, Verb.PAUSE, Verb.UNPAUSE})
"""What may be ordered for a container; an engine's other doors (exec, create, attach, ...) stay shut."""

ACTIONS = frozenset(
    ("create", "start", "die", "oom", "kill", "stop", "restart", "pause", "unpause")
    + ("rename", "update", "destroy", "health_status")
)
"""What is passed on; `stop` and `restart` follow the `die` that they caused."""


class EngineState(Record):
    """Whether an engine answers; posted after each list, once when contact is lost, and when the reason changes."""

    engine: str
    """Its name in the hub's configuration."""
    at: float
    up: bool
    error: str = ""
    """Where not up: one sentence with the cause, for people."""
    version: str = ""
    """Version of the engine, e.g. `20.10.24`; this and the following stay as last known while it is down."""
    api: str = ""
    """Negotiated version of its API, e.g. `1.41`."""
    host: str = ""
    """Host name as the engine gives it."""
    cpus: int = 0
    memory: int = 0
    """Memory of the host, bytes."""
    containers: int = 0
    """Containers in its last list, running or not."""
    seen_at: float | None = None
    """When it last answered a list; None = never.  `now - seen_at` is the age of everything known about it."""
    stats: str = ""
    """How it is measured: `poll`, `stream`, or `agent` (not at all: the agents' own figures are used)."""
    floods: int = 0
    """How often its events came faster than they are read and had to be cut off."""
    left_out: int = 0
    """Containers beyond the bound of one list, which are not shown."""
    clock_ahead: float = 0.0
    """Seconds that the hub's clock is ahead of the engine's: add it to times in its rows to get the hub's time."""
    kind: str = ""
    """`docker` or `podman`; "" before it first answered."""
    via: str = ""
    """Name of the relay's key through which it is reached; "" = the hub asks it itself."""


class ContainerRow(Record):
    """One container as its engine lists it; texts are bounded and printable, unknown values are None or empty."""

    id: str
    """64 hexadecimal digits."""
    name: str
    image: str
    state: str
    """created, running, paused, restarting, removing, exited, dead; `unknown` for anything else."""
    status: str
    """The engine's sentence for people: `Up 3 minutes (healthy)`."""
    health: str = ""
    """starting, healthy, unhealthy; "" where the container has no health check."""
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    exit_code: int | None = None
    """Exit status of its last run; None while it runs or before its first run."""
    oom_killed: bool | None = None
    """The engine's flag: some process of it was killed by the OOM killer, not necessarily PID 1."""
    restart_count: int | None = None
    """Restarts by the engine's restart policy."""
    pid: int | None = None
    """Of its first process, in the host's PID namespace."""
    labels: Mapping[str, str] = {}
    """Labels that are well-formed and within the bounds; an overlong one is left out, never shortened."""
    addresses: tuple[str, ...] = ()
    cpu_limit: float | None = None
    """CPU quota in cores; None = none."""
    rootfs_rw_bytes: int | None = None
    """Bytes of its writable layer, from the last sized listing."""
    rootfs_bytes: int | None = None
    """Bytes of its whole root file system: image and writable layer."""
    sized_at: float | None = None
    """When these two were measured."""


class ContainerList(Record):
    """All containers of an engine, running or not: replaces every earlier list."""

    engine: str
    at: float
    containers: tuple[ContainerRow, ...]


class ContainerEvent(Record):
    """Something happened to a container; a list with its consequences follows shortly."""

    engine: str
    at: float
    """Wall clock of the hub, estimated from the engine's own time stamp."""
    container: str
    action: str
    """create, start, die, oom, kill, stop, restart, pause, unpause, rename, update, destroy, health_status."""
    attributes: Mapping[str, str]
    """Well-formed ones only: `exitCode` of die, `signal` of kill, `health` of health_status, `name`, `image`..."""


class ContainerSample(Record):
    """One measurement of one container."""

    engine: str
    container: str
    at: float
    values: tuple[float, ...]
    """In the order of wire.model.CONTAINER_COLUMNS; NaN = unknown."""


class OrderResult(Record):
    """The end of one order.  A failed one says whether the engine refused it or its outcome is unknown."""

    engine: str
    id: str
    """Of the EngineCommand."""
    ok: bool
    error: str = ""
    """A code: bad-argument, unknown-container, refused, unreachable, timeout (outcome unknown), busy, expired."""
    detail: str = ""
    """One sentence for people; also for success: `was running already`."""


Report = EngineState | ContainerList | ContainerEvent | ContainerSample | OrderResult


class EngineCommand(Record):
    """One order to an engine for one of its containers."""

    id: str
    """The command's id; the result carries it."""
    verb: str
    """One of ORDERS."""
    container: str
    """Container id, 12 to 64 hexadecimal digits; never a name."""
    args: Mapping[str, object]
    """`grace` (seconds before the engine kills; stop, restart), `signal` (name or number; kill)."""
    deadline: float
    """Hub's wall clock after which it must not be begun, and is no longer waited for."""
