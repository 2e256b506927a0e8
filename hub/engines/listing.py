"""Pure: the engine's list of containers and its details of each -> rows.

Theory.  A list is one cheap request at any size; the rest of a row (exit code, OOM flag, restarts, pid, times, limits)
costs a request a container, so details are fetched only where `brief_key` changed, an event touched the container, or a
sweep is due.  Both sources are joined here; where the details are missing the row still stands, with unknowns as None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.engines.reports import ContainerRow
from hub.engines.values import (
    CONTAINER_ID,
    NAN,
    addresses,
    flag,
    labels,
    mapping,
    moment,
    number,
    sequence,
    text,
    whole,
    within,
)
from wire._record import Record
from wire.limits import ENGINE_CONTAINERS, NAME_CHARS

STATES = frozenset({"created", "running", "paused", "restarting", "removing", "exited", "dead"})
PODMAN = {"configured": "created", "initialized": "created", "stopping": "running", "stopped": "exited"}
"""What Podman calls some of them; who is stopping still runs."""
MEASURED_STATES = frozenset({"running", "paused"})
"""States in which a container has a cgroup that can be measured."""
HEALTHS = frozenset({"starting", "healthy", "unhealthy"})
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", re.ASCII)
_HEALTH_IN_STATUS = re.compile(r"\((health: )?(starting|healthy|unhealthy)\)\Z", re.ASCII)


class Brief(Record):
    """What the list itself says of one container."""

    id: str
    name: str
    image: str
    state: str
    status: str
    created: float | None
    labels: Mapping[str, str]
    addresses: tuple[str, ...]


class Detail(Record):
    """What inspecting it tells."""

    state: str
    addresses: tuple[str, ...]
    health: str
    created_at: float | None
    started_at: float | None
    finished_at: float | None
    exit_code: int | None
    oom_killed: bool | None
    restart_count: int | None
    pid: int | None
    cpu_limit: float | None


class Size(Record):
    """Writable layer and whole root file system, bytes, and when they were measured."""

    rw: int | None
    rootfs: int | None
    at: float


def briefs(answer: object) -> tuple[list[Brief], int]:
    """The containers of a list answer, and how many were left out beyond the bound or for want of a proper id."""
    entries = sequence(answer)
    kept = [brief for brief in map(_brief, entries[:ENGINE_CONTAINERS]) if brief is not None]
    return kept, len(entries) - len(kept)


def _brief(entry: object) -> Brief | None:
    identity = within(entry, "Id")
    if not isinstance(identity, str) or not CONTAINER_ID.fullmatch(identity):
        return None
    return Brief(
        id=identity,
        name=_name(within(entry, "Names"), identity),
        image=text(within(entry, "Image"), 256),
        state=_state(within(entry, "State")),
        status=text(within(entry, "Status"), 128),
        created=number(within(entry, "Created")),
        labels=labels(within(entry, "Labels")),
        addresses=_addresses(within(entry, "NetworkSettings", "Networks")),
    )


def _state(value: object) -> str:
    word = text(value, 32)
    known = PODMAN.get(word, word)
    return known if known in STATES else "unknown"


def _name(names: object, identity: str) -> str:
    """Its own name: links of other containers (`/other/alias`) stand in the same list and are no names of it."""
    for name in sequence(names):
        plain = name.removeprefix("/")[: NAME_CHARS + 1] if isinstance(name, str) else ""
        if len(plain) <= NAME_CHARS and _NAME.fullmatch(plain):
            return plain
    return identity[:12]


def _addresses(networks: object) -> tuple[str, ...]:
    endpoints = list(mapping(networks).values())
    return addresses(within(end, key) for end in endpoints for key in ("IPAddress", "GlobalIPv6Address"))


def brief_key(brief: Brief) -> tuple[str, ...]:
    """Changes whenever the details may have changed without an event: state, name, health, and the exit code shown."""
    shown = _HEALTH_IN_STATUS.search(brief.status)
    code = brief.status.partition(")")[0] if brief.state in ("exited", "restarting", "dead") else ""
    return (brief.state, brief.name, shown.group(2) if shown else "", code)


def detail(answer: object) -> Detail:
    """The details in an answer to inspecting a container."""
    state = mapping(within(answer, "State"))
    health = text(within(state, "Health", "Status"), 16)
    started_at, running = moment(state.get("StartedAt")), state.get("Running") is True
    return Detail(
        state=_state(state.get("Status")),
        addresses=_addresses(within(answer, "NetworkSettings", "Networks")),
        health=health if health in HEALTHS else "",
        created_at=moment(within(answer, "Created")),
        started_at=started_at,
        finished_at=moment(state.get("FinishedAt")),
        exit_code=None if running or started_at is None else whole(state.get("ExitCode")),
        oom_killed=flag(state.get("OOMKilled")),
        restart_count=whole(within(answer, "RestartCount")),
        pid=whole(state.get("Pid")) or None,
        cpu_limit=_cpu_limit(mapping(within(answer, "HostConfig"))),
    )


def _cpu_limit(config: Mapping[str, object]) -> float | None:
    """`--cpus` or `--cpu-quota` over `--cpu-period` (100 ms where it is not given), in cores."""
    cores = number(config.get("NanoCpus")) / 1e9
    if cores > 0:
        return cores
    quota, period = number(config.get("CpuQuota")), number(config.get("CpuPeriod"))
    return quota / (period if period > 0 else 100_000) if quota > 0 else None


def sizes(answer: object, at: float) -> dict[str, Size]:
    """Container id -> sizes, out of a sized list answer."""
    found = {}
    for entry in sequence(answer)[:ENGINE_CONTAINERS]:
        identity = within(entry, "Id")
        if isinstance(identity, str) and CONTAINER_ID.fullmatch(identity):
            found[identity] = Size(whole(within(entry, "SizeRw")) or 0, whole(within(entry, "SizeRootFs")), at)
    return found


NO_DETAIL = Detail("unknown", (), "", None, None, None, None, None, None, None, None)
NO_SIZE = Size(None, None, NAN)


def row(brief: Brief, detail: Detail | None, size: Size | None) -> ContainerRow:
    """The container's row; `detail` and `size` are None while they are unknown."""
    known, measured = detail or NO_DETAIL, size or NO_SIZE
    shown = _HEALTH_IN_STATUS.search(brief.status)
    created = known.created_at if known.created_at is not None else brief.created
    return ContainerRow(
        id=brief.id,
        name=brief.name,
        image=brief.image,
        state=brief.state,
        status=brief.status,
        health=shown.group(2) if shown else known.health,
        created_at=created if created == created else None,
        started_at=known.started_at,
        finished_at=known.finished_at,
        exit_code=known.exit_code,
        oom_killed=known.oom_killed,
        restart_count=known.restart_count,
        pid=known.pid,
        labels=brief.labels,
        addresses=brief.addresses,
        cpu_limit=known.cpu_limit,
        rootfs_rw_bytes=measured.rw,
        rootfs_bytes=measured.rootfs,
        sized_at=None if size is None else measured.at,
    )
