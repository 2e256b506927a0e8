"""A supervisor with its control in a world of made-up processes and virtual time."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator

from initd.control import MAY, OPERATE, Control
from initd.errors import StartFailed
from initd.facts import Journal
from initd.output import Output
from initd.reaper import Death
from initd.remote import Remote
from initd.replies import Answer, Carrier, Reply
from initd.supervisor import Supervisor
from tests.support.estate import emptied, owned
from tests.support.handloop import HandLoop
from tests.support.programs import program
from wire.model import Cause

TERM, KILL = 15, 9
ROOT = Carrier("uid=0", MAY[OPERATE])


class FakeKernel:
    """Processes that obey SIGTERM and SIGKILL, unless told otherwise."""

    def __init__(self) -> None:
        self.pid = 1
        self.alive: dict[int, int] = {}
        """pid -> write end of its stdout."""
        self.stubborn: set[int] = set()
        self.signals: list[tuple[int, int]] = []
        self.refuse: str = ""
        self._dead: list[Death] = []
        self._next = 100

    def wall(self) -> float:
        return 5000.0

    def start_ticks(self, pid: int) -> int:
        return pid * 10

    def judge(self, killed: Collection[int], programs: Collection[int], now: float) -> Cause:
        return Cause.SIGNAL

    def verdict(self, death: Death, suspicion: Cause) -> Cause:
        return suspicion

    def leftovers(self) -> list[object]:
        return []

    def spawn(self, order: object) -> int:
        if self.refuse:
            raise StartFailed("exec", errno.ENOENT, self.refuse)
        self._next += 1
        self.alive[self._next] = os.dup(order.stdout)  # type: ignore[attr-defined]
        owned(self.alive[self._next])
        return self._next

    def kill(self, pid: int, signum: int, group: bool) -> None:
        self.signals.append((pid, signum))
        if signum == KILL or (signum == TERM and pid not in self.stubborn):
            self.die(pid, None, signum)

    def die(self, pid: int, code: int | None, signum: int | None = None) -> None:
        os.close(self.alive.pop(pid))
        self._dead.append(Death(pid, code, signum, False, None))

    def collect(self) -> Iterator[list[Death]]:
        dead, self._dead = self._dead, []
        if dead:
            yield dead


class Silence:
    """A voice that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str, level: str = "info") -> None:
        self.lines.append(text)

    def error(self, text: str) -> None:
        self.lines.append(text)


class FakeConfig:
    """As much of a Config as the supervisor and the control read."""

    def __init__(self, programs: tuple[object, ...]) -> None:
        self.programs = programs


class SmallWorld:
    """Supervisor, journal, output, control and link's verbs; `web` and the two workers of `pool` by default."""

    def __init__(self, *programs: object) -> None:
        self.loop = HandLoop()
        self.kernel = FakeKernel()
        self.journal = Journal()
        null = os.open("/dev/null", os.O_WRONLY)
        owned(null)
        self.output = emptied(Output(self.loop, self.kernel.wall, null, null))
        self.supervisor = Supervisor(
            self.loop,  # type: ignore[arg-type]
            self.kernel,  # type: ignore[arg-type]
            self.journal,
            self.output,
            Silence(),  # type: ignore[arg-type]
            {},
            0,
            "b0071d0000000000",
        )
        self.remote_may = "operate"
        self.control = Control(self.supervisor, self.journal, self.output, self.loop.now, {"version": "1", "pid": 1})
        self.remote = Remote(self.control, lambda: self.remote_may)
        default = (program("web"), program("w_0", group="pool"), program("w_1", group="pool", autostart=False))
        self.supervisor.adopt(FakeConfig(programs or default))  # type: ignore[arg-type]

    def run_all(self) -> SmallWorld:
        """Start what has autostart and let it become RUNNING."""
        self.supervisor.start_all()
        return self.pass_time(2.0)

    def pass_time(self, seconds: float) -> SmallWorld:
        """Let time pass; deaths are reaped, waits run out."""
        self.supervisor.reap()
        self.loop.advance(seconds)
        self.supervisor.reap()
        self.control.expire(self.loop.now())
        return self

    def pid(self, name: str = "web") -> int:
        pid = self.supervisor.processes[name].pid
        assert pid is not None
        return pid

    def state(self, name: str = "web") -> str:
        return str(self.supervisor.processes[name].program.state)

    def ask(self, verb: str, carrier: Carrier = ROOT, /, **args: object) -> Answer:
        return self.control.handle({"id": 7, "verb": verb, "args": args}, carrier, self.loop.now())

    def result(self, verb: str, **args: object) -> object:
        """The result of a request that is answered at once."""
        reply = self.ask(verb, **args)
        assert isinstance(reply, Reply) and reply.error is None, reply
        return reply.result

    def code(self, verb: str, **args: object) -> str:
        """The error code of a request that is refused."""
        reply = self.ask(verb, **args)
        assert isinstance(reply, Reply) and reply.error is not None, reply
        return reply.error.code

    def command(self, id: str, verb: str, deadline: float = 10.0, epoch: int = 1, **args: object) -> Answer:
        """A command of the hub."""
        told = {"id": id, "verb": verb, "args": args, "deadline": deadline, "actor": "hub:alice", "epoch": epoch}
        told |= {"nonce": args.pop("nonce")} if "nonce" in args else {}
        request = {"id": 8, "verb": "command", "args": told}
        return self.control.handle(request, self.remote.carrier, self.loop.now())
