"""Pure: the reports of an engine as they travel from a relay to the hub, and back into reports.

Theory.  What a relay sends is as hostile as what an engine says: texts are made printable and bounded again, words
outside their lists become `unknown`, times are moved to the hub's clock and never lie in its future.  The engine's name
is the hub's, so a relay can speak of no other engine; of whose containers it may speak, hub.discovery.relays decides.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from hub.engines.listing import HEALTHS, STATES
from hub.engines.reports import ACTIONS, ContainerEvent, ContainerRow, ContainerSample, EngineState
from hub.engines.values import addresses, labels, text
from wire import limits
from wire._record import Record
from wire.codec import encode
from wire.model import CONTAINER_COLUMNS
from wire.relay import RelayContainer, RelayEvent, RelayList, RelaySample, RelayState

_VALUES = struct.Struct(f"<{len(CONTAINER_COLUMNS)}d")
AHEAD = 1e9
"""Farthest that an engine's clock is believed to be off, seconds."""
LATEST = 1e11
"""No time of a container lies beyond, seconds since the epoch."""
OLDEST = 2 * 3600.0
"""Events and samples older than this are history nobody waits for, or a lie; seconds."""


class Clock(Record):
    """The hub's clock as seen from a relay."""

    now: float
    """The hub's wall clock."""
    ahead: float
    """Seconds that the hub's clock is ahead of the relay's."""

    def of(self, at: float) -> float:
        """A time of the relay's clock by the hub's; what would lie ahead happened now."""
        return max(min(at + self.ahead, self.now), 0.0)

    def is_recent(self, at: float) -> bool:
        """Whether a time of the relay's clock is worth telling."""
        return self.of(at) > self.now - OLDEST


# -- at the relay ----------------------------------------------------------------------------------------------------


def told_state(state: EngineState) -> RelayState:
    """An engine's state to send."""
    return RelayState(
        at=state.at,
        up=state.up,
        error=text(state.error),
        version=text(state.version, 64),
        api=text(state.api, 16),
        host=text(state.host, 253),
        cpus=min(state.cpus, 1 << 20),
        memory=state.memory,
        containers=state.containers,
        seen_at=state.seen_at,
        stats=state.stats,
        floods=state.floods,
        left_out=state.left_out,
        clock_ahead=state.clock_ahead,
        kind=state.kind,
    )


def told_list(number: int, at: float, rows: Sequence[ContainerRow]) -> list[RelayList]:
    """A list as the parts to send; an empty one has a part, too."""
    parts = list(_parts([_told_row(row) for row in rows]))[: limits.RELAY_PARTS] or [()]
    return [RelayList(number, n, len(parts), at, part) for n, part in enumerate(parts)]


def _told_row(row: ContainerRow) -> RelayContainer:
    """Both have the same fields in the same order; a test compares them."""
    values: tuple[Any, ...] = row
    return RelayContainer(*values)


def _parts(rows: Sequence[RelayContainer]) -> Iterator[tuple[RelayContainer, ...]]:
    part: list[RelayContainer] = []
    size = 0
    for row in rows:
        weight = len(encode(RelayList(1, 0, 1, 0.0, (row,))))
        if part and size + weight > limits.RELAY_PART_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append(row)
        size += weight
    if part:
        yield tuple(part)


def told_event(event: ContainerEvent) -> RelayEvent:
    """An event to send."""
    return RelayEvent(event.at, event.container, event.action, dict(event.attributes))


def told_sample(sample: ContainerSample) -> RelaySample:
    """A sample to send."""
    return RelaySample(sample.container, sample.at, _VALUES.pack(*sample.values))


# -- at the hub ------------------------------------------------------------------------------------------------------


def heard_state(engine: str, said: RelayState, via: str, clock: Clock) -> EngineState:
    """The state of a relay's engine."""
    return EngineState(
        engine=engine,
        at=clock.of(said.at),
        up=said.up,
        error="" if said.up else text(said.error) or "its relay gives no reason",
        version=text(said.version, 64),
        api=text(said.api, 16),
        host=text(said.host, 253),
        cpus=said.cpus,
        memory=said.memory,
        containers=said.containers,
        seen_at=None if said.seen_at is None else clock.of(said.seen_at),
        stats=text(said.stats, 16),
        floods=said.floods,
        left_out=said.left_out,
        clock_ahead=max(min(said.clock_ahead, AHEAD), -AHEAD) + clock.ahead,
        kind=said.kind if said.kind in ("docker", "podman") else "",
        via=via,
    )


def heard_row(said: RelayContainer, clock: Clock) -> ContainerRow:
    """One container of a relay's list; its times stay the engine's, as in every row."""
    return ContainerRow(*said)._replace(
        name=text(said.name, limits.NAME_CHARS) or said.id[:12],
        image=text(said.image, 256),
        state=said.state if said.state in STATES else "unknown",
        status=text(said.status, 128),
        health=said.health if said.health in HEALTHS else "",
        labels=labels(said.labels),
        addresses=addresses(said.addresses),
        created_at=_time(said.created_at),
        started_at=_time(said.started_at),
        finished_at=_time(said.finished_at),
        sized_at=None if said.sized_at is None else clock.of(said.sized_at),
    )


def _time(at: float | None) -> float | None:
    return at if at is not None and 0 <= at < LATEST else None


def heard_event(engine: str, said: RelayEvent, clock: Clock) -> ContainerEvent | None:
    """The event; None for what is none of ours or long ago."""
    if said.action not in ACTIONS or not clock.is_recent(said.at):
        return None
    return ContainerEvent(engine, clock.of(said.at), said.container, said.action, labels(said.attributes))


def heard_sample(engine: str, said: RelaySample, clock: Clock) -> ContainerSample | None:
    """The sample; None where it has other columns or is of long ago."""
    if len(said.values) != _VALUES.size or not clock.is_recent(said.at):
        return None
    return ContainerSample(engine, said.container, clock.of(said.at), _VALUES.unpack(said.values))
