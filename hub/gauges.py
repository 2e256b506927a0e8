"""The hub's own gauges, read when somebody asks: what it knows, what its store holds, what became of orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hub.alerts.machine import Alert
from hub.alerts.rules import SEVERITIES
from hub.fleet import Fleet
from hub.monitor.metrics import Metrics
from hub.store.rows import StoreStats
from hub.words import Asked, Beaten, Event, Published, Sampled
from wire.model import CommandState, Presence


def read_fleet(metrics: Metrics, fleet: Fleet, ended: Counter[CommandState]) -> None:
    """Agents by presence, engines, and commands by their end."""
    there = Counter(agent.presence for agent in fleet.registry.agents.values())
    for presence in Presence:
        metrics.set("pidone_agents", there[presence], presence.value)
    for name, state in fleet.engines.items():
        metrics.set("pidone_engine_up", int(state.up), name)
    for end, count in ended.items():
        metrics.set("pidone_commands_total", count, end.value)


def read_store(metrics: Metrics, stats: StoreStats) -> None:
    """What the store holds, and how much of its budget that is."""
    metrics.set("pidone_samples_total", stats.samples)
    metrics.set("pidone_samples_late_total", stats.late)
    metrics.set("pidone_facts", stats.facts)
    metrics.set("pidone_store_budget_bytes", stats.budget)
    for tier in stats.tiers:
        metrics.set("pidone_store_bytes", tier.size, tier.tier)


def own_values(metrics: Metrics, fleet: Fleet, garbled: int) -> dict[str, Any]:
    """This hub's values for alert rules; None where nothing was measured yet."""

    def known(name: str) -> float | None:
        return metrics.value(name) or None

    most, used = known("pidone_hub_max_fds"), known("pidone_hub_open_fds")
    return {
        "agents": sum(1 for agent in fleet.registry.agents.values() if agent.presence is Presence.LIVE),
        "fds_share": used / most if used and most else None,
        "rss": known("pidone_hub_resident_bytes"),
        "cpu": known("pidone_hub_cpu_cores"),
        "queue": metrics.value("pidone_store_queue"),
        "stall": metrics.value("pidone_loop_pass_seconds"),
        "refused": metrics.total("pidone_refused_total"),
        "garbled": garbled,
    }


def read_alerts(metrics: Metrics, alerts: Iterable[Alert]) -> None:
    """Alerts that fire, by severity."""
    firing = Counter(alert.severity for alert in alerts if alert.firing)
    for severity in SEVERITIES:
        metrics.set("pidone_alerts", firing[severity], severity)


def count_messages(metrics: Metrics, event: Event) -> None:
    """What came, by its type."""
    if isinstance(event, (Asked, Published)):
        metrics.count("pidone_messages_total", type(event.message).__name__)
    elif isinstance(event, Beaten):
        metrics.count("pidone_messages_total", "Heartbeat", by=len(event.beats))
    elif isinstance(event, Sampled):
        metrics.count("pidone_messages_total", "Sample", by=len(event.samples))


def count_exit(metrics: Metrics, body: Any) -> None:
    """Counts what is told on the feed, if it is an end of a process."""
    fact = body.get("fact") if isinstance(body, dict) else None
    if isinstance(fact, dict) and fact.get("kind") == "exit":
        end = fact["body"]
        metrics.count("pidone_exits_total", str(end["cause"]), "yes" if end["expected"] else "no")
