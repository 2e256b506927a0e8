"""What a process costs on disk, from measured bytes a sample and a point, and the times that tiers are kept."""

from __future__ import annotations

from hub.store.rows import Retention
from hub.store.shelf import RAW, TIERS
from tests.support.swarm import PERIOD


def points() -> dict[str, int]:
    """Samples or points of one process that each tier holds when it is full, its last window included."""
    keep = Retention()
    kept = zip(TIERS, (keep.raw, keep.minute, keep.ten_minutes, keep.hour), strict=True)
    return {tier.name: int((seconds + tier.span) / (tier.step or PERIOD)) for tier, seconds in kept}


def told(raw: float, tier: float) -> dict[str, object]:
    """Figures; `raw` and `tier` are bytes a process-sample takes as it came and in the first tier."""
    point = tier * TIERS[1].step / PERIOD
    sizes = {name: number * (raw if name == RAW.name else point) for name, number in points().items()}
    minutes = point * 3600 / TIERS[1].step
    return {
        "bytes_process_hour": f"{raw * 3600 / PERIOD:,.0f} as it came, {minutes:,.0f} by the minute",
        "bytes_process_year": f"{sum(sizes.values()):,.0f} (all tiers full; {point:.0f} bytes a point)",
    }
