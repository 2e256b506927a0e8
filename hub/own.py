"""The hub's own process as psutil sees it: what capacity and metrics need, on every system psutil knows."""

from __future__ import annotations

import os
import time
from contextlib import suppress

import psutil

from hub.cluster.overload import Load
from hub.monitor.metrics import Metrics

__all__ = ["Own", "capacity", "descriptors"]


def descriptors() -> int:
    """Open file descriptors of this process.

    Linux counts them since 6.2 (proc_pid_fd(5)); to list those of 5,000 agents takes 10 ms.
    """
    with suppress(OSError):
        if count := os.stat("/proc/self/fd").st_size:
            return count
    return int(psutil.Process().num_fds())


def capacity() -> int:
    """Most file descriptors this process may have open."""
    return int(psutil.Process().rlimit(psutil.RLIMIT_NOFILE)[0])


class Own:
    """Measures this process; CPU between two looks."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before = (time.monotonic(), self._used())

    def measure(self, metrics: Metrics, load: Load) -> int:
        """Sets the gauges, those of the hub's load too; returns the open file descriptors."""
        now, used = time.monotonic(), self._used()
        (then, before), self._before = self._before, (now, used)
        with self._process.oneshot():
            metrics.set("pidone_hub_cpu_seconds_total", used)
            metrics.set("pidone_hub_cpu_cores", (used - before) / max(now - then, 1e-3))
            metrics.set("pidone_hub_resident_bytes", self._process.memory_info().rss)
            metrics.set("pidone_hub_threads", self._process.num_threads())
        open_fds = descriptors()
        metrics.set("pidone_hub_open_fds", open_fds)
        metrics.set("pidone_hub_max_fds", capacity())
        metrics.set("pidone_hub_capacity", load.capacity)
        metrics.set("pidone_hub_served", load.agents)
        metrics.set("pidone_hub_busy_ratio", load.busy)
        metrics.set("pidone_hub_period_seconds", load.pace.period)
        return open_fds

    def _used(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)
