"""Virtual time and a network with faults: everything that happens is one heap of calls, ordered by a seed.

A process (hub, agent, store, client) has a name and a `life`; what was sent to an earlier life of it is lost, as with
the connections of a process that died.  What reaches a paused process waits for it, as in a socket's buffer.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

RESEND_SECONDS = 0.4
"""What TCP needs to send a lost segment again: its least time-out and the jitter."""


class Process:
    """Something that can die, pause and come back."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.life, self.alive, self.paused = 0, True, False
        self.inbox: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def kill(self) -> None:
        self.alive, self.paused, self.life = False, False, self.life + 1
        self.inbox.clear()

    def pause(self) -> None:
        self.paused = self.alive

    def resume(self) -> None:
        self.paused, waiting = False, self.inbox
        self.inbox = []
        for call, args in waiting:
            call(*args)

    def after(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        """A timer of this life; it fires late where the process was paused."""
        self.world.at(self.world.now + seconds, self.reach, self.life, call, args)

    def reach(self, life: int, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        if life != self.life or not self.alive:
            return
        if self.paused:
            self.inbox.append((call, args))
        else:
            call(*args)


class World:
    """The clock, the heap, the network and the story."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self.count = 0
        self.cuts: dict[int, Callable[[str, str], bool]] = {}
        self.loss, self.copies, self.jitter = 0.0, 0.0, 0.01
        self.story: list[str] = []

    def at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        self.count += 1
        heapq.heappush(self.heap, (when, self.count, call, args))

    def run(self, until: float) -> None:
        heap = self.heap
        while heap and heap[0][0] <= until:
            self.now, _, call, args = heapq.heappop(heap)
            call(*args)
        self.now = until

    def tell(self, text: str) -> None:
        self.story.append(f"{self.now:8.2f}  {text}")

    def joined(self, one: str, other: str) -> bool:
        """Whether no fault lies between two processes."""
        return not any(cut(one, other) or cut(other, one) for cut in self.cuts.values())

    def send(self, source: str, target: Process, call: Callable[..., None], *args: Any, again: bool = False) -> None:
        """Deliver once, never, or twice, each after a time of its own: so order is not kept either.

        `again`: what noise loses is sent once more, as TCP does where nobody gives the connection up.
        """
        if self.cuts and not self.joined(source, target.name):
            return
        draw = self.random.random
        if self.loss and draw() < self.loss:
            if again:
                self.at(self.now + RESEND_SECONDS, target.reach, target.life, call, args)
            return
        times = 2 if self.copies and draw() < self.copies else 1
        for _ in range(times):
            self.at(self.now + 0.001 + draw() * self.jitter, target.reach, target.life, call, args)
