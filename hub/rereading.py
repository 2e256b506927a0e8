"""The file of alert rules, read again when somebody asks or the process gets SIGHUP; hub.alerts.reload decides."""

from __future__ import annotations

import signal
from collections import deque

from hub.alerts import rules
from hub.alerts.couriers import Couriers
from hub.loop import Loop
from hub.words import Employ, Event, Reread, Stored, Then

__all__ = ["Rereader"]


class Rereader:
    """Carries out what a reload takes, on the loop's thread: the file has at most 256 KiB."""

    def __init__(self, loop: Loop, couriers: Couriers, path: str) -> None:
        self._loop, self._path = loop, path
        self._handed: deque[Stored] = deque()
        self._signals = 0
        loop.effects[Reread] = lambda effect: self._handed.append(self._read(effect.then))
        loop.effects[Employ] = lambda effect: couriers.employ(effect.sinks)
        loop.turns.append(lambda now: self._turn())

    def listen(self) -> None:
        """SIGHUP reads the file from now on."""
        signal.signal(signal.SIGHUP, self._note)

    def _note(self, number: int, frame: object) -> None:
        self._signals += 1
        self._loop.waker.wake()

    def _turn(self) -> list[Event]:
        if self._signals:
            self._signals = 0
            self._handed.append(self._read(self._loop.core.alerts.reloading.again))
        return [self._handed.popleft() for _ in range(len(self._handed))]

    def _read(self, then: Then) -> Stored:
        self._loop.waker.wake()
        try:
            return Stored(then, rules.load(self._path or None), "")
        except rules.RuleError as error:
            return Stored(then, None, str(error))
