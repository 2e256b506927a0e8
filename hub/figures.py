"""The last figures of agents and containers as rows: decoded when asked for, and null where they are stale.

Theory.  A number that is no longer true is worse than none: once a sample is older than STALE periods every value of
its row is None, and only its age is told.  Samples name the roster they belong to; with another roster in hand their
values would land on wrong processes, so they are not shown either.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from math import nan
from struct import Struct
from typing import Any

from hub.clock import Instant
from hub.discovery.registry import Agent
from hub.fleet import Fleet
from hub.plain import plain
from wire.messages import Sample
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, RosterRow

STALE = 2.5
"""Sample periods after which a value is not shown any more."""
SHOWN = tuple(column.name for column in PROCESS_COLUMNS)
INDEX = {column.name: index for index, column in enumerate(CONTAINER_COLUMNS)}
_CONTAINER = Struct(f"<{len(CONTAINER_COLUMNS)}d")
NOTHING: dict[str, object] = dict.fromkeys(SHOWN)


def unpack(data: bytes, code: str) -> array[float]:
    """Packed little-endian values; a ragged end is cut off."""
    values: array[float] = array(code)
    values.frombytes(data[: len(data) // values.itemsize * values.itemsize])
    if sys.byteorder == "big":
        values.byteswap()
    return values


def container_values(sample: Sample) -> tuple[float, ...]:
    """The container's values in the order of CONTAINER_COLUMNS; what a peer left out is unknown."""
    if len(sample.container) == _CONTAINER.size:
        return _CONTAINER.unpack(sample.container)
    known = unpack(sample.container, "d")[: len(CONTAINER_COLUMNS)]
    return (*known, *([nan] * (len(CONTAINER_COLUMNS) - len(known))))


def columns_of(sample: Sample) -> dict[str, array[float]]:
    """The columns of a sample that we know."""
    known = ((column.name, column.code) for column in PROCESS_COLUMNS if column.name in sample.processes)
    return {name: unpack(sample.processes[name], code) for name, code in known}


class Figures:
    """The figures of one agent's processes at its last sample."""

    def __init__(self, agent: Agent, fleet: Fleet, now: Instant) -> None:
        self.at = agent.sampled_at
        self.age = max(now.wall - agent.sampled_at, 0.0)
        fresh = self.age <= STALE * fleet.settings.sample_period and agent.listed
        sample = agent.sample
        usable = sample is not None and fresh and sample.roster == agent.roster_number
        self.columns = columns_of(sample) if sample is not None and usable else {}
        self.rows: tuple[RosterRow, ...] = agent.roster
        self.by_program: dict[str, list[int]] = {}
        for index, row in enumerate(self.rows):
            self.by_program.setdefault(row.program, []).append(index)

    @property
    def stale(self) -> bool:
        """Whether there are no values that could be shown."""
        return not self.columns

    def of(self, index: int | None) -> dict[str, object]:
        """All columns of one row of the roster, None where unknown."""
        if index is None or not self.columns:
            return dict(NOTHING)
        return {name: plain(self._value(name, index)) for name in SHOWN}

    def tree(self, program: str) -> dict[str, object]:
        """The program's process and all that descend from it, summed."""
        mine = self.by_program.get(program, [])
        total = {name: plain(self._sum(name, mine)) for name in ("cpu", "rss", "memory_share", "threads", "fds")}
        return {**total, "processes": len(mine) if self.columns else None}

    def leader(self, program: str, pid: int | None) -> int | None:
        """The row of the program's own process."""
        return next((i for i in self.by_program.get(program, []) if pid is not None and self.rows[i].pid == pid), None)

    def _value(self, name: str, index: int) -> float:
        column = self.columns.get(name, ())
        return column[index] if index < len(column) else nan

    def _sum(self, name: str, mine: Sequence[int]) -> float:
        known = [value for value in (self._value(name, index) for index in mine) if value == value]
        return sum(known) if known else nan


def of_container(container: str, agent: Agent | None, fleet: Fleet, now: Instant) -> dict[str, object]:
    """The container's own figures: its engine's, and where that knows nothing its agent's; with source and age."""
    sources: list[tuple[str, float, Sequence[float]]] = []
    measured = fleet.samples.get(container)
    if measured is not None:
        sources.append(("engine", measured.at, measured.values))
    if agent is not None and agent.sample is not None:
        sources.append(("agent", agent.sampled_at, container_values(agent.sample)))
    last = max((at for _, at, _ in sources), default=None)
    limit = STALE * fleet.settings.sample_period
    fresh = [one for one in sources if now.wall - one[1] <= limit and (one[0] == "engine" or _there(agent))]
    return {
        **_values([values for _, _, values in fresh]),
        "at": last,
        "age": None if last is None else max(now.wall - last, 0.0),
        "source": "+".join(name for name, _, _ in fresh) or None,
        "stale": not fresh,
    }


def fresh_figures(
    container: str, agent: Agent | None, fleet: Fleet, columns: Iterable[str], now: Instant
) -> dict[str, Any]:
    """As `of_container`, these columns only, with the `age`; many times as quick for a few."""
    limit, measured = now.wall - STALE * fleet.settings.sample_period, fleet.samples.get(container)
    sources: list[Sequence[float]] = [measured.values] if measured is not None and measured.at >= limit else []
    last = None if measured is None else measured.at
    if agent is not None and agent.sample is not None:
        last = agent.sampled_at if last is None else max(last, agent.sampled_at)
        if agent.sampled_at >= limit and agent.listed:
            sources.append(container_values(agent.sample))
    values = {name: plain(_first(INDEX[name], sources)) for name in columns if name in INDEX}
    return {**values, "age": None if last is None else max(now.wall - last, 0.0)}


def _there(agent: Agent | None) -> bool:
    return agent is not None and agent.listed


def _values(sources: Sequence[Sequence[float]]) -> dict[str, Any]:
    return {column.name: plain(_first(index, sources)) for index, column in enumerate(CONTAINER_COLUMNS)}


def _first(index: int, sources: Sequence[Sequence[float]]) -> float:
    """The first known value of this column."""
    values = (float(values[index]) for values in sources if index < len(values))
    return next((value for value in values if value == value), nan)
