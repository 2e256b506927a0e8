"""The hub's own counters and gauges, and their text for Prometheus (wire.openmetrics).

Names are declared in a table, so that a misspelt one fails in a test and every one has its help text and unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wire._record import Record
from wire.openmetrics import PLAIN, family

__all__ = ["METRICS", "Metric", "Metrics"]


class Metric(Record):
    """One declared metric."""

    name: str
    kind: str
    """`counter` (only rises) or `gauge`."""
    help: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric("pidone_agents", "gauge", "Agents by presence.", ("presence",)),
    Metric("pidone_messages_total", "counter", "Messages received, by type.", ("type",)),
    Metric("pidone_refused_total", "counter", "Messages and requests refused, by code.", ("code",)),
    Metric("pidone_samples_total", "counter", "Process and container samples kept."),
    Metric("pidone_samples_late_total", "counter", "Samples left out because they came too late or twice."),
    Metric("pidone_facts", "gauge", "Facts kept in the store."),
    Metric("pidone_commands_total", "counter", "Commands, by their end.", ("state",)),
    Metric("pidone_store_queue", "gauge", "Calls that wait for the store's thread."),
    Metric("pidone_store_refused_total", "counter", "Calls refused because the store's queue was full."),
    Metric("pidone_store_waiting", "gauge", "Writes kept in memory while the store is away."),
    Metric("pidone_store_away", "gauge", "1 while the store does not answer or cannot write, else 0."),
    Metric("pidone_store_bytes", "gauge", "Samples on disk, by tier.", ("tier",)),
    Metric("pidone_store_budget_bytes", "gauge", "Bytes that samples may take on disk."),
    Metric("pidone_loop_pass_seconds", "gauge", "Longest time of the last seconds that the loop served nobody else."),
    Metric("pidone_engine_up", "gauge", "1 while the Docker engine answers, else 0.", ("engine",)),
    Metric("pidone_hub_cpu_seconds_total", "counter", "CPU time the hub has used."),
    Metric("pidone_hub_cpu_cores", "gauge", "CPU the hub uses, as a fraction of one core."),
    Metric("pidone_hub_resident_bytes", "gauge", "Memory the hub has resident."),
    Metric("pidone_hub_open_fds", "gauge", "File descriptors the hub has open."),
    Metric("pidone_hub_max_fds", "gauge", "File descriptors the hub may have open."),
    Metric("pidone_hub_capacity", "gauge", "Agents the hub has room for; above 0.9 of them others go elsewhere."),
    Metric("pidone_hub_served", "gauge", "Agents that speak to this hub."),
    Metric("pidone_hub_busy_ratio", "gauge", "Part of the last seconds in which the loop did not sleep."),
    Metric("pidone_hub_period_seconds", "gauge", "Time between heartbeats that agents are told now."),
    Metric("pidone_hub_threads", "gauge", "Threads of the hub."),
    Metric("pidone_exits_total", "counter", "Ends of processes that were told, by cause.", ("cause", "expected")),
    Metric("pidone_alerts", "gauge", "Alerts that fire, by severity, silenced ones too.", ("severity",)),
    Metric("pidone_alert_notices_total", "counter", "Notices by sink and by what became of them.", ("sink", "outcome")),
)

SERIES = 1000
"""Most label combinations of one metric: labels may come from peers, memory may not."""


class Metrics:
    """The present values; reading and writing on one thread."""

    def __init__(self, table: Iterable[Metric] = METRICS) -> None:
        self._table = {metric.name: metric for metric in table}
        self._values: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in self._table}

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Raise a counter.  Raises KeyError or ValueError for what the table does not declare."""
        values, labels = self._series(name, labels, "counter")
        values[labels] = values.get(labels, 0.0) + by

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge, or a counter that is counted elsewhere."""
        values, labels = self._series(name, labels, self._table[name].kind)
        values[labels] = value

    def value(self, name: str, *labels: str) -> float:
        """The present value, 0 where nothing was noted."""
        return self._values[name].get(labels, 0.0)

    def total(self, name: str) -> float:
        """The sum over all labels."""
        return sum(self._values[name].values())

    def _series(
        self, name: str, labels: tuple[str, ...], kind: str
    ) -> tuple[dict[tuple[str, ...], float], tuple[str, ...]]:
        metric, values = self._table[name], self._values[name]
        if metric.kind != kind or len(labels) != len(metric.labels):
            raise ValueError(f"{name} is a {metric.kind} with labels {metric.labels}")
        if labels not in values and len(values) >= SERIES:
            labels = ("other",) * len(labels)
        return values, labels

    def render(self, dialect: str = PLAIN) -> str:
        """All metrics that have a value, as text without its end."""
        shown = [metric for metric in self._table.values() if self._values[metric.name]]
        return "".join(f"{text}\n" for metric in shown for text in self._lines(metric, dialect))

    def _lines(self, metric: Metric, dialect: str) -> Iterator[str]:
        found = sorted(self._values[metric.name].items())
        samples = [(dict(zip(metric.labels, labels, strict=True)), value) for labels, value in found]
        return family(metric.name.removesuffix("_total"), metric.kind, metric.help, samples, dialect)
