"""A whole initd in virtual time: the real supervisor on a simulated kernel, with an output that keeps nothing."""

from __future__ import annotations

from typing import Any

from initd.config.records import Config
from initd.events import Asked
from initd.facts import Journal
from initd.process import Process
from initd.supervisor import Supervisor
from tests.sim.clock import SimLoop
from tests.sim.kernel import SimKernel
from wire.model import Exit, FactKind, State, StateChange

ME = Asked("uid=0", "stop", "c1")


class SimPipes:
    """Ends by number."""

    stdout_w, stderr_w = 10, 11

    def __init__(self, output: SimOutput, name: str) -> None:
        self._told = lambda what: output.calls.append((what, name))

    def spawned(self) -> None:
        self._told("spawned")

    def abandon(self) -> None:
        self._told("abandoned")


class SimOutput:
    """Pipes by number; remembers what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.failures: list[OSError] = []
        self.lines: tuple[str, ...] = ("last words",)

    def open(self, program: Any) -> SimPipes:
        if self.failures:
            raise self.failures.pop(0)
        return SimPipes(self, program.name)

    def attach(self, program: Any, pipes: SimPipes) -> None:
        self.calls.append(("attach", program.name))

    def drain(self, name: str) -> None:
        self.calls.append(("drain", name))

    def last_lines(self, name: str) -> tuple[str, ...]:
        return self.lines

    def refit(self, program: Any) -> None:
        self.calls.append(("refit", program.name))

    def remove(self, name: str) -> None:
        self.calls.append(("remove", name))


class SimVoice:
    """Keeps what initd says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def wants(self, level: str) -> bool:
        return True

    def say(self, text: str, level: str = "info") -> None:
        self.lines.append(text)


class Simulated:
    """A supervisor and everything around it; domain words for tests."""

    def __init__(self, *programs: Any, budget: float | None = None) -> None:
        self.loop = SimLoop()
        self.kernel = SimKernel(self.loop)
        self.journal = Journal()
        self.output = SimOutput()
        self.voice = SimVoice()
        base = {"PATH": "/bin", "HOME": "/root"}
        self.supervisor = Supervisor(
            self.loop,
            self.kernel,
            self.journal,
            self.output,
            self.voice,
            base,
            0,
            "boot",
            budget,  # type: ignore[arg-type]
        )
        self.kernel.on_death = self.supervisor.reap
        self.supervisor.adopt(config_of(*programs))

    def __getitem__(self, name: str) -> Process:
        return self.supervisor.processes[name]

    def start(self) -> Simulated:
        self.supervisor.start_all()
        return self

    def run(self, seconds: float) -> Simulated:
        self.loop.advance(seconds)
        return self

    def states(self) -> dict[str, State]:
        return {name: process.program.state for name, process in self.supervisor.processes.items()}

    def changes(self, name: str = "") -> list[State]:
        facts = [fact.body for fact in self.journal.since(0, 10_000) if fact.kind is FactKind.STATE]
        return [body.state for body in facts if isinstance(body, StateChange) and name in ("", body.name)]

    def exits(self) -> list[Exit]:
        return [fact.body for fact in self.journal.since(0, 10_000) if isinstance(fact.body, Exit)]


def config_of(*programs: Any) -> Config:
    """A configuration of these programs; nothing else of it is read by the supervisor."""
    return Config(programs, (), None, None, ())  # type: ignore[arg-type]
