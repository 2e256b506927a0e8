"""The alarm in real time: it rings when it is to, with and without the kernel's help."""

from __future__ import annotations

import os
import time

import pytest

from initd.jobs.alarm import Alarm
from initd.loop import Loop


@pytest.mark.parametrize("kernel", [True, False])
def test_it_rings_at_the_wall_time(kernel: bool) -> None:
    if kernel and not hasattr(os, "timerfd_create"):
        pytest.skip("this Python has no timerfd")
    loop, rang = Loop(), list[float]()
    alarm = Alarm(loop, time.time, lambda: (rang.append(time.time()), loop.stop(0)), kernel)
    at = time.time() + 0.05
    alarm.set(None)
    alarm.set(at)
    loop.run()
    loop.close()
    assert rang[0] >= at - 0.001
