"""The hub's own gauges, read when somebody asks: what it knows, what its store holds, what became of orders."""

from __future__ import annotations

from collections import Counter

from hub.fleet import Fleet
from hub.monitor.metrics import Metrics
from hub.store.rows import StoreStats
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
