"""The hub's own process by psutil."""

from __future__ import annotations

import os
import resource
import time

from hub.cluster.overload import Load
from hub.monitor.metrics import Metrics
from hub.own import Own, capacity, descriptors


def test_what_is_measured_is_this_process() -> None:
    metrics, own = Metrics(), Own()
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    opened = own.measure(metrics, Load(2.0, 10))
    assert abs(opened - len(os.listdir("/proc/self/fd"))) <= 3
    assert metrics.value("pidone_hub_cpu_seconds_total") >= 0.05 and metrics.value("pidone_hub_cpu_cores") > 0.01
    assert metrics.value("pidone_hub_resident_bytes") > 1e6 and metrics.value("pidone_hub_threads") >= 1


def test_descriptors_are_counted_and_bounded() -> None:
    before = descriptors()
    with open(os.devnull):
        assert descriptors() == before + 1
    assert capacity() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
