"""What the demo needs of a place to run in: a hub and boxes, each a small machine whose PID 1 is initd.

Two places exist: `demo.docker` (containers on an engine) and `demo.bare` (PID namespaces as root, plain processes
otherwise).  The steps know only what stands here, so both show the same job; what a place cannot do it says in `lacks`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from wire.client import Client
from wire.errors import WireError

T = TypeVar("T")
Row = dict[str, Any]

PERIOD = 2.0
"""The hub's heartbeat period, seconds."""
PATIENCE = 60.0
"""How long a step waits for what should come by itself, seconds; machines are slow and shared."""
READY = 5.0
"""Time each call of the hub's client may take, seconds."""


class StepFailed(Exception):
    """A step did not hold; the text says what was expected and what was seen."""


class Box(NamedTuple):
    """One container of the fleet, or what stands for it."""

    name: str
    kind: str
    """`shop` or `jobs`."""
    read_only: bool = False


class Task(NamedTuple):
    """One process of a box as its own process table shows it."""

    pid: int
    state: str
    """The letter of /proc/PID/stat: Z is a zombie."""
    name: str
    parent: int
    arguments: str


class Fleet(ABC):
    """A hub and its boxes.  Methods raise StepFailed, or OSError where the place itself fails."""

    what: str
    """What it runs on, for a person."""
    lacks: dict[str, str]
    """Feature (`containers`, `oom`, `pid1`) to the reason why this place does not have it."""
    programs: dict[str, tuple[str, ...]]
    """Kind of a box to the full names of its programs that run all the time."""
    victim: str
    """The program of a shop that the steps kill and restart."""
    last_words: dict[str, tuple[str, ...]]
    """Kind of a box to what its programs write when their own stop signal arrives."""

    def __init__(self) -> None:
        self.boxes: dict[str, Box] = {}

    @abstractmethod
    def build(self) -> None:
        """Make what has to be made before anything starts."""

    @abstractmethod
    def start_hub(self) -> None:
        """Start the hub, new or again with its old state; returns before it answers."""

    @abstractmethod
    def kill_hub(self) -> None:
        """kill -9."""

    @abstractmethod
    def hub_address(self) -> str:
        """Where this process reaches the hub's client port: a host name or an address."""

    @abstractmethod
    def client(self) -> Client:
        """A connection as administrator; the caller closes it.  Raises OSError while there is no hub yet."""

    @abstractmethod
    def hubctl(self, *argv: str) -> str:
        """Run hubctl; returns what it printed.  Raises StepFailed where it fails."""

    @abstractmethod
    def add(self, box: Box) -> None:
        """Start a new box."""

    @abstractmethod
    def tasks(self, box: str) -> list[Task]:
        """The process table of a box."""

    @abstractmethod
    def kill(self, box: str, pid: int, signal: int) -> None:
        """Send a signal inside a box."""

    @abstractmethod
    def spawn_orphan(self, box: str) -> None:
        """Leave a process behind in a box whose parent is gone and which ends soon."""

    @abstractmethod
    def stop(self, box: str) -> float:
        """Stop it as the engine would, 10 s at most; returns the seconds it took."""

    @abstractmethod
    def start(self, box: str) -> None:
        """Start a stopped one again."""

    @abstractmethod
    def restart(self, box: str) -> None:
        """Stop and start."""

    @abstractmethod
    def freeze(self, box: str, frozen: bool) -> None:
        """Pause every process of a box, or let them go on."""

    @abstractmethod
    def logs(self, box: str) -> str:
        """Everything its programs and its initd have written."""

    @abstractmethod
    def make_busy(self, box: str) -> None:
        """Give its programs work that is under way when they are told to stop."""

    @abstractmethod
    def down(self) -> None:
        """Take everything down; never fails, and may be called at any time."""

    @abstractmethod
    def advice(self) -> list[str]:
        """Commands that a person may try next."""

    def agent(self, box: str) -> str:
        """The name under which the hub shows a box."""
        return box


def until(condition: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """The first true answer.  A hub that does not answer yet counts as no.  Raises StepFailed naming `what`."""
    deadline = time.monotonic() + patience
    last: object = None
    while True:
        try:
            answer = condition()
            if answer:
                return answer
            last = answer
        except (WireError, OSError) as error:
            last = error
        if time.monotonic() > deadline:
            raise StepFailed(f"waited {patience:.0f} s for {what}; last seen: {str(last)[:300]}")
        time.sleep(0.1)


def expect(holds: object, what: str) -> None:
    """Raises StepFailed where it does not hold."""
    if not holds:
        raise StepFailed(what)
