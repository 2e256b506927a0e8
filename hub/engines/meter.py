"""Measures the containers of one engine: short polls where they are answered at once, open streams on older engines.

Theory.  Engine 25 and newer answer a one-shot request in 10-20 ms; older ones make it wait for their next one-second
tick, so there each container gets one open stream in a thread of its own, of which one sample a period is decoded and
the rest skipped.  Both kinds post samples by themselves; a failure concerns its one container, never the engine:
whether that is there, its list says.  What is aimed at is a snapshot, replaced whole by the engine's thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from hub.engines.api import Api
from hub.engines.lines import Stream
from hub.engines.reasons import EngineError
from hub.engines.reports import ContainerSample
from hub.engines.schedule import Schedule
from hub.engines.stats import Before, Host, measured
from hub.engines.values import parsed
from wire.limits import ENGINE_POLLS, ENGINE_STREAMS

Targets = Mapping[str, Host]
"""Containers to measure, each with what its statistics do not tell."""
STREAM_SILENCE = 5.0
"""A stream brings a sample each second; after so many silent ones it is opened anew."""
HALF_TICK = 0.5
"""Seconds by which a sample may come early and still count for its period."""


class Samples:
    """Turns answers into posted samples; keeps the previous one of each container for the CPU rate."""

    def __init__(self, name: str, post: Callable[[ContainerSample], None]) -> None:
        self._name, self._post = name, post
        self._before: dict[str, Before] = {}

    def take(self, container: str, answer: object, host: Host) -> bool:
        """Post the sample in `answer`; False if there is none in it (the container does not run)."""
        found = measured(answer, self._before.get(container), host)
        if found is None:
            self._before.pop(container, None)
            return False
        self._before[container] = found.before
        self._post(ContainerSample(self._name, container, time.time(), found.values))
        return True

    def keep(self, targets: Targets) -> None:
        """Forget the containers that are no targets."""
        for gone in [key for key in list(self._before) if key not in targets]:
            self._before.pop(gone, None)


class Polls:
    """One-shot requests, at most ENGINE_POLLS in flight, each in one of as many threads."""

    def __init__(self, name: str, api: Api, samples: Samples, period: float) -> None:
        self._name, self._api, self._samples = name, api, samples
        self._schedule, self._targets = Schedule(period), dict[str, Host]()
        self._changed, self._stopped = threading.Condition(), False
        self._threads: list[threading.Thread] = []

    def aim(self, targets: Targets) -> None:
        """Measure exactly these; the first call with any starts the threads."""
        with self._changed:
            self._targets = dict(targets)
            self._schedule.aim(targets, time.monotonic())
            self._changed.notify_all()
        while len(self._threads) < min(ENGINE_POLLS, len(targets)):
            thread = threading.Thread(target=self._work, name=f"polls {self._name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End it; returns at once, requests in flight run into their time-out."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (container := self._await()) is not None:
            answered = self._poll(container)
            with self._changed:
                self._schedule.done(container, answered, time.monotonic())
                self._changed.notify()

    def _await(self) -> str | None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                container = self._schedule.take(now)
                if container is not None:
                    return container
                self._changed.wait(self._schedule.wait(now))
        return None

    def _poll(self, container: str) -> bool:
        try:
            answer = self._api.get(f"/containers/{container}/stats", {"stream": "false", "one-shot": "true"})
        except EngineError:
            return False
        host = self._targets.get(container)
        return host is not None and not self._stopped and self._samples.take(container, answer, host)


class _Flow:
    """One container's open stream and its thread."""

    def __init__(self, container: str, meter: Streams) -> None:
        self._container, self._meter = container, meter
        self._stream: Stream | None = None
        self.cut_off = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stats {container[:12]}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pause = 1.0
        while not self.cut_off.wait(0):
            try:
                pause = 1.0 if self._read() else min(pause * 2, 30.0)
            except EngineError:
                pause = min(pause * 2, 30.0)
            self.cut_off.wait(pause)

    def _read(self) -> bool:
        """Whether there was any sample in it."""
        path, due, samples = f"/containers/{self._container}/stats", 0.0, 0
        stream = self._stream = self._meter.api.lines(path, {"stream": "true"}, STREAM_SILENCE)
        lines = iter(stream)
        while not self.cut_off.is_set() and (line := next(lines, None)) is not None:
            if time.monotonic() >= due:
                due = time.monotonic() + self._meter.period - HALF_TICK
                samples += self._meter.take(self._container, line)
        stream.cut()
        return samples > 0

    def cut(self) -> None:
        self.cut_off.set()
        if self._stream is not None:
            self._stream.cut()


class Streams:
    """One open stream a container, for engines whose one-shot answers are slow; beyond ENGINE_STREAMS it polls."""

    def __init__(self, name: str, api: Api, samples: Samples, period: float) -> None:
        self.api, self.period = api, period
        self._samples, self._targets = samples, dict[str, Host]()
        self._flows: dict[str, _Flow] = {}
        self._rest = Polls(name, api, samples, period)

    def aim(self, targets: Targets) -> None:
        """Measure exactly these."""
        self._targets = dict(targets)
        for gone in self._flows.keys() - targets.keys():
            self._flows.pop(gone).cut()
        for new in sorted(targets.keys() - self._flows.keys()):
            if len(self._flows) < ENGINE_STREAMS:
                self._flows[new] = _Flow(new, self)
        self._rest.aim({key: host for key, host in targets.items() if key not in self._flows})

    def take(self, container: str, line: bytes) -> bool:
        """One sample of a stream."""
        host = self._targets.get(container)
        return host is not None and self._samples.take(container, parsed(line), host)

    def stop(self) -> None:
        """End it; returns at once."""
        self.aim({})
        self._rest.stop()
