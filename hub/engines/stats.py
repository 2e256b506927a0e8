"""Pure arithmetic from an engine's statistics JSON to the columns of a container, for cgroup v1 and v2.

Theory.  The engine passes on its kernel's counters.  Rates are ours: CPU is the increase of the counter between two
samples over the increase of the engine's own clock (`read`), so neither the network nor our scheduling distorts it, and
a container that restarted (counter fell) yields NaN once instead of nonsense.  Memory in use is what `docker stats`
shows (docker/cli, cli/command/container/stats_helpers.go): usage less `total_inactive_file` (v1) or `inactive_file`
(v2).  The engine reports the host's memory as the limit of an unlimited container; we report none.
OOM kills are not in these statistics on either version: they stay unknown here, and the agent's own figure is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from hub.engines.values import NAN, mapping, moment, number, sequence, text, within
from wire._record import Record
from wire.model import CONTAINER_COLUMNS

_NANO = 1e-9


class Before(Record):
    """What is kept of the previous sample."""

    read: float
    """The engine's clock, seconds since the epoch."""
    cpu_seconds: float


class Host(Record):
    """What decides limits and is not in the statistics."""

    memory: int = 0
    """Memory of the engine's host, bytes; 0 = unknown."""
    cpu_limit: float = NAN
    """CPU quota of the container in cores; NaN = none."""


class Measured(Record):
    """One sample: the values in column order, and what the next one needs of it."""

    values: tuple[float, ...]
    before: Before


def measured(answer: object, before: Before | None, host: Host) -> Measured | None:
    """The columns of one statistics answer; None where the container was not running (all zero, no time)."""
    stats = mapping(answer)
    read = moment(stats.get("read"))
    if read is None:
        return None
    cpu_seconds = number(within(stats, "cpu_stats", "cpu_usage", "total_usage")) * _NANO
    figures = {
        "cpu_seconds": cpu_seconds,
        "cpu": _rate(read, cpu_seconds, before or _shown_before(stats)),
        "cpu_limit": host.cpu_limit,
        **_throttling(within(stats, "cpu_stats", "throttling_data")),
        **_memory(mapping(stats.get("memory_stats")), host.memory),
        **_network(stats.get("networks")),
        **_blocks(within(stats, "blkio_stats", "io_service_bytes_recursive")),
        "pids": number(within(stats, "pids_stats", "current")),
        "pids_limit": _limit(number(within(stats, "pids_stats", "limit")), 2.0**63),
    }
    return Measured(tuple(figures.get(column.name, NAN) for column in CONTAINER_COLUMNS), Before(read, cpu_seconds))


def _shown_before(stats: Mapping[str, object]) -> Before | None:
    """The previous second's sample, which a stream carries and a one-shot answer does not."""
    read = moment(stats.get("preread"))
    cpu = number(within(stats, "precpu_stats", "cpu_usage", "total_usage")) * _NANO
    return None if read is None else Before(read, cpu)


def _rate(read: float, cpu_seconds: float, before: Before | None) -> float:
    if before is None or read <= before.read or not cpu_seconds >= before.cpu_seconds:
        return NAN
    return (cpu_seconds - before.cpu_seconds) / (read - before.read)


def _throttling(data: object) -> dict[str, float]:
    return {
        "throttled_seconds": number(within(data, "throttled_time")) * _NANO,
        "throttled_periods": number(within(data, "throttled_periods")),
    }


def _memory(memory: Mapping[str, object], host_memory: int) -> dict[str, float]:
    usage = number(memory.get("usage"))
    detail = mapping(memory.get("stats"))
    cache = number(detail.get("total_inactive_file", detail.get("inactive_file")))
    in_use = usage - cache if cache < usage else usage
    return {"memory": in_use, "memory_limit": _limit(number(memory.get("limit")), host_memory or 2.0**62)}


def _limit(value: float, none_from: float) -> float:
    """NaN where the limit is absent, zero, or so high that it is the engine's way to say `none`."""
    return value if 0 < value < none_from else NAN


def _network(networks: object) -> dict[str, float]:
    """Sums over the interfaces; unknown without any (`--network host` or `none`: the engine counts nothing)."""
    interfaces = list(mapping(networks).values())
    return {
        name: math.fsum(number(within(interface, key)) for interface in interfaces) if interfaces else NAN
        for name, key in (("net_rx_bytes", "rx_bytes"), ("net_tx_bytes", "tx_bytes"))
    }


def _blocks(entries: object) -> dict[str, float]:
    """Sums over the devices; `null` (no such controller) is unknown, an empty list is no traffic so far."""
    sums = {"read": 0.0, "write": 0.0} if isinstance(entries, list) else {"read": NAN, "write": NAN}
    for entry in sequence(entries):
        operation = text(within(entry, "op")).lower()  # `Read` on v1, `read` on v2
        if operation in sums:
            sums[operation] += number(within(entry, "value"))
    return {"read_bytes": sums["read"], "write_bytes": sums["write"]}
