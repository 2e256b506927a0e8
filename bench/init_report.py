"""The samples of bench/init.py, and what they come to: medians, and ratios to initd round by round."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from statistics import median

from bench.init_measures import MEASURES, Figures, Measure, Size
from bench.init_peers import Peer

ABSENT = "-"


class Report:
    """One run.  `skipped` are the peers that are not installed."""

    def __init__(self, peers: list[Peer], skipped: list[Peer], size: Size, machine: dict[str, str]) -> None:
        self.peers = peers
        self.skipped = skipped
        self.size = size
        self.machine = machine
        self.versions = {peer.name: peer.version() for peer in peers}
        self.samples: dict[tuple[str, str], dict[int, float]] = {}
        """(peer, measure) to round to figure."""
        self.troubles: list[str] = []

    def add(self, peer: Peer, number: int, figures: Figures, trouble: str) -> None:
        """Take in what one scenario gave in one round."""
        for name, value in figures.items():
            self.samples.setdefault((peer.name, name), {})[number] = value
        if trouble:
            self.troubles.append(f"round {number + 1}: {trouble}")

    def median(self, peer: Peer, measure: Measure) -> float | None:
        """In the measure's unit; None where it does not apply."""
        found = self.samples.get((peer.name, measure.name))
        return None if not found else median(found.values()) * measure.scale

    def ratio(self, peer: Peer, measure: Measure) -> float | None:
        """Median of this peer's figure by its base's of the same round; None where the base's is 0 or missing."""
        mine = self.samples.get((peer.name, measure.name), {})
        base = self.samples.get((peer.base, measure.name), {})
        found = [value / base[number] for number, value in mine.items() if base.get(number)]
        return median(found) if found else None

    def as_json(self) -> dict[str, object]:
        """Everything, the single samples included (unscaled: seconds, bytes, times a second)."""
        return {
            "machine": self.machine,
            "size": self.size._asdict(),
            "versions": self.versions,
            "skipped": {peer.name: peer.package for peer in self.skipped},
            "troubles": self.troubles,
            "measures": {one.name: {"unit": one.unit, "text": one.text} for one in MEASURES},
            "results": {peer.name: self._of(peer) for peer in self.peers},
        }

    def _of(self, peer: Peer) -> dict[str, object]:
        return {
            measure.name: {
                "median": self.median(peer, measure),
                "ratio": self.ratio(peer, measure),
                "base": peer.base,
                "samples": list(self.samples[peer.name, measure.name].values()),
            }
            for measure in MEASURES
            if (peer.name, measure.name) in self.samples
        }

    def as_text(self) -> str:
        """For a person."""
        size = self.size
        lines = [" · ".join(f"{name} {value}" for name, value in self.machine.items()), ""]
        lines += [f"{name:<12} {version}" for name, version in self.versions.items()]
        lines += [f"{peer.name:<12} skipped: not installed ({_where(peer)})" for peer in self.skipped]
        lines += [
            "",
            f"{size.many} programs in start_many, {size.some} at rest; {size.orphans} orphans.  xN: times initd's",
        ]
        lines += ["figure; one-program inits stand beside `initd --`, with one program everywhere.", ""]
        lines += self._table()
        lines += ["", *(f"{one.name:<11} {one.text}" for one in MEASURES), ""]
        lines += [f"MISSING {trouble}" for trouble in self.troubles]
        return "\n".join(lines)

    def _table(self) -> list[str]:
        lines = [f"{'':<16}" + "".join(f"{peer.name:>18}" for peer in self.peers)]
        for measure in MEASURES:
            cells = "".join(f"{self._cell(peer, measure):>18}" for peer in self.peers)
            lines.append(f"{measure.name:<11}{measure.unit:<5}{cells}")
        return lines

    def _cell(self, peer: Peer, measure: Measure) -> str:
        value, ratio = self.median(peer, measure), self.ratio(peer, measure)
        if value is None:
            return ABSENT
        return f"{value:.4g}" + ("" if ratio is None or measure.name == "untold" else f" {f'x{ratio:.2f}':>8}")


def _where(peer: Peer) -> str:
    return f"script/prepare packages {peer.package}" if peer.package else "script/prepare venv"


def machine() -> dict[str, str]:
    """What the figures were taken on, its load included."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": f"{os.cpu_count()} x {cpus[0].partition(':')[2].strip() if cpus else platform.machine()}",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }
