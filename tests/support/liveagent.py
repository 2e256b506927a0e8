"""A small agent over real ZeroMQ and CURVE: enrols, registers, beats, tells facts, carries out commands."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from array import array
from typing import Any

import zmq

from wire.codec import decode, encode
from wire.frames import split
from wire.keys import JoinString, KeyPair
from wire.messages import (
    Ack,
    Command,
    Enrol,
    Enrolled,
    Facts,
    Goodbye,
    Heartbeat,
    Hello,
    Progress,
    Register,
    Registered,
    Remote,
    Roster,
    Sample,
)
from wire.model import CommandState, Fact, RosterRow, State, Status, Want
from wire.sockets import COMMAND_ROUTE, PUBLISH, REQUESTS, dial

COUNT = itertools.count(1)


class LiveAgent:
    """Every method is one exchange; `live` keeps it beating in a thread until `silence`."""

    def __init__(self, join: JoinString, name: str, pair: KeyPair | None = None, seconds: float = 10.0) -> None:
        self.name, self.join, self.pair = name, join, pair or KeyPair.generate()
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.boot, self.seconds, self.executed = secrets.token_hex(8), seconds, {}
        self.started_at = time.time()
        self.facts: list[Fact] = []
        self.stopping, self.lock = threading.Event(), threading.Lock()
        self.thread: threading.Thread | None = None
        self.remote = Remote.OPERATE

    def enrol(self) -> Any:
        """The answer to the token: Enrolled, or Refused."""
        request = Enrol(self.join.token, self.join.secret, "", self.name, "0")
        socket = dial(self.context, REQUESTS, self.join.hubs[0], self.pair, self.join.fleet_key, first=0.05)
        answer = self._ask(socket, request)
        socket.close(0)
        if isinstance(answer, Enrolled):
            self.id, self.hub = answer.agent, answer.hubs[0]
            self._connect()
        return answer

    def _connect(self) -> None:
        ends = [(REQUESTS, self.hub.command), (COMMAND_ROUTE, self.hub.command), (PUBLISH, self.hub.samples)]
        made = [dial(self.context, role, end, self.pair, self.hub.key, 0.5, 0.05) for role, end in ends]
        self.requests, self.route, self.publisher = made

    def _ask(self, socket: Any, message: Any) -> Any:
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            if socket.poll(200, zmq.POLLOUT):
                socket.send(encode(message))
                if socket.poll(2000):
                    return decode(socket.recv())
        raise TimeoutError(f"no answer to {type(message).__name__}")

    def ask(self, message: Any) -> Any:
        """One request on the command port; from any thread."""
        with self.lock:
            return self._ask(self.requests, message)

    def register(self, **changes: Any) -> Registered:
        """Presents itself and opens its command route."""
        last = self.facts[-1].seq if self.facts else 0
        first = Register(
            self.boot, "", "none", self.name, ("10.0.0.1",), self.started_at, time.time(), time.monotonic(), "0",
            self.remote, {"said": "so"}, 0, last, 1, "ipc:///run/initd/command", self.name,
        )  # fmt: skip
        answer = self.ask(first._replace(**changes))
        self.route.send(encode(Hello(self.boot)))
        return answer

    def beat(self) -> Any:
        """One heartbeat."""
        last = self.facts[-1].seq if self.facts else 0
        return self.ask(Heartbeat(self.boot, last, 1, time.time(), time.monotonic(), 1, 0, 0.0))

    def show(self, *programs: str) -> Ack:
        """A roster with these programs running as pids 100, 101, ..."""
        now = time.time()
        rows = tuple(RosterRow(100 + n, 7, 1, "program", name, name, 0) for n, name in enumerate(programs))
        states = tuple(
            Status(name, name, name, 0, State.RUNNING, Want.UP, 100 + n, 7, now, 5.0, 0, "")
            for n, name in enumerate(programs)
        )
        roster = Roster(self.boot, 1, 0, now, time.monotonic(), ("cpu", "rss"), rows, states, ())
        return self.ask(roster)

    def tell(self, *facts: Fact) -> Ack:
        """Facts by request."""
        self.facts += facts
        return self.ask(Facts(self.boot, 1, facts))

    def publish(self, cpu: list[float]) -> None:
        """One sample, sent once somebody subscribed."""
        packed = {"cpu": array("f", cpu).tobytes(), "rss": array("f", [1e6] * len(cpu)).tobytes()}
        sample = Sample(self.boot, 1, time.time(), time.monotonic(), 1.0, packed, array("d", [1.0] * 14).tobytes())
        self.publisher.send_multipart([b"s", encode(sample)])

    def command(self, seconds: float = 10.0) -> Command:
        """The next command."""
        assert self.route.poll(int(seconds * 1000)), "no command came"
        message = decode(split(self.route.recv_multipart())[1])
        assert isinstance(message, Command)
        return message

    def report(self, command: str, state: CommandState, result: Any = None, error: Any = None) -> None:
        """What became of a command."""
        self.route.send(encode(Progress(command, state, result, error, time.time())))

    def obey(self, seconds: float = 10.0) -> Command:
        """Carries the next command out."""
        command = self.command(seconds)
        self.report(command.id, CommandState.DELIVERED)
        self.report(command.id, CommandState.DONE, {"ok": True})
        return command

    def leave(self, reason: str = "SIGTERM") -> Ack:
        """Goodbye."""
        return self.ask(Goodbye(self.boot, reason, 0))

    def live(self, period: float = 0.2) -> None:
        """Beats in the background, registering again when the hub asks for it."""
        self.thread = threading.Thread(target=self._live, args=(period,), daemon=True)
        self.thread.start()

    def _live(self, period: float) -> None:
        while not self.stopping.wait(period):
            try:
                if self.beat().register:
                    self.register()
            except TimeoutError:
                continue

    def silence(self) -> None:
        """Stops beating."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join(30)

    def close(self) -> None:
        """Ends it."""
        self.silence()
        self.context.destroy(0)


def joined(join: JoinString, name: str, *programs: str) -> LiveAgent:
    """An enrolled and registered agent with these programs."""
    agent = LiveAgent(join, name)
    answer = agent.enrol()
    assert isinstance(answer, Enrolled), answer
    assert isinstance(agent.register(), Registered)
    agent.show(*programs)
    return agent
