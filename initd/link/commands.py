"""Commands from the hub (DEALER) and from scripts in the container (REP), both to PID 1's one control API.

Theory.  PID 1 carries out each id at most once and remembers its result; so link may die, and hub or script may ask
again, without a second execution.  A command of the hub is reported when PID 1 knows its end, and as delivered before
only where that takes long; what comes after its deadline PID 1 refuses.  A script is answered within ANSWER_SECONDS in
any case, so that the one REP socket never waits for a program: with the end of its command where that is known by then,
else with `accepted`, and `result` asks later.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from initd import address
from initd.joining import SOCKET
from initd.link.loop import Loop
from initd.link.pid1 import Answer as Told
from initd.link.pid1 import Pid1
from initd.timers import Timer
from wire import limits
from wire.codec import DecodeError, EncodeError, decode, encode
from wire.messages import Answer, Command, Message, Progress, Query, Refused
from wire.model import CommandState
from wire.sockets import Context, Socket, serve_scripts

ANSWER_SECONDS = 0.045
"""A script has its answer within 50 ms."""

DELIVERED_SECONDS = 0.02
"""How long a command may take before the hub is told that it is here: most have ended by then, and one message does."""

LOOKS = frozenset(("status", "tail", "events", "exits", "healthy", "result", "about"))
"""Verbs that change nothing: asked directly, not as a command."""

WAITERS = frozenset(("start", "stop", "restart"))
"""Verbs that wait for what they want; a script's do not unless it says `wait`."""

SCRIPT_SECONDS = 600.0
"""How long the result of a script's command is remembered."""

ENDS = {
    "done": CommandState.DONE, "accepted": CommandState.DELIVERED, "failed": CommandState.FAILED,
    "partly": CommandState.FAILED, "timeout": CommandState.FAILED,
}  # fmt: skip
"""Outcomes of PID 1's commands (initd.wishes) as states of the protocol."""


def progress(id: str, told: Told, at: float) -> Progress:
    """What PID 1 answered, as the hub hears it."""
    if told.error is not None:
        state = CommandState.EXPIRED if told.error.get("code") == "expired" else CommandState.FAILED
        return Progress(id, state, None, dict(told.error), at)
    outcome = outcome_of(told.result)
    state = ENDS.get(outcome, CommandState.DONE)
    error = {"code": outcome, "message": complaint(told.result)} if state is CommandState.FAILED else None
    return Progress(id, state, told.result, error, at)


def outcome_of(result: Any) -> str:
    """How a command ended; verbs that only look are simply done."""
    return str(result.get("outcome", "done")) if isinstance(result, Mapping) and "command" in result else "done"


def complaint(result: Any) -> str:
    """One line on the processes that did not get where they should."""
    rows = [row for row in result.get("processes", ()) if row.get("outcome") != "done"]
    return ("; ".join(map(_plight, rows)) or str(result.get("outcome")))[: limits.TEXT_CHARS]


def _plight(row: Mapping[str, Any]) -> str:
    """How it is with one process; some messages name it themselves."""
    name, message = str(row.get("name")), str(row.get("message") or "")
    return message if message.startswith(name) else f"{name} is {row.get('state')} {message}".strip()


def fitting(message: Message, instead: Callable[[str], Message]) -> bytes:
    """The bytes of a message, or of what `instead` makes of the reason why it cannot be sent."""
    try:
        return encode(message)
    except EncodeError as error:
        return encode(instead(str(error)[: limits.TEXT_CHARS]))


class HubCommands:
    """The hub's front end; `send(bytes)` sends on the command route, and may fail: the hub asks again.

    `later(seconds, callback)` gives a timer.
    """

    def __init__(
        self,
        pid1: Pid1,
        send: Callable[[bytes], object],
        later: Callable[[float, Callable[[], object]], Timer],
        hub_wall: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._pid1, self._send, self._later, self._hub_wall = pid1, send, later, hub_wall
        self.taken = 0
        """Commands received."""

    def take(self, data: bytes) -> None:
        """Carry out what the hub sent; anything but a command is ignored."""
        try:
            command = decode(data)
        except DecodeError:
            return
        if not isinstance(command, Command):
            return
        self.taken += 1
        asked = {
            "id": command.id, "verb": command.verb, "args": command.args, "deadline": self._left(command),
            "actor": command.actor, "epoch": command.epoch,
            **({"nonce": command.nonce} if command.nonce else {}),
        }  # fmt: skip
        here = Progress(command.id, CommandState.DELIVERED, None, None, time.time())
        timer = self._later(DELIVERED_SECONDS, lambda: self._report(here))  # PID 1 works meanwhile

        def ended(told: Told) -> None:
            timer.cancel()
            self._report(progress(command.id, told, time.time()))

        try:
            self._pid1.ask("command", asked, ended)
        except (TypeError, ValueError) as error:
            ended(Told(None, {"code": "bad-argument", "message": str(error)[:200]}))

    def _left(self, command: Command) -> float:
        """Seconds until its deadline: one that lay in a buffer while we were stopped or cut off has less than `ttl`."""
        now = self._hub_wall()
        return command.ttl if not command.until or now is None else max(min(command.ttl, command.until - now), 0.0)

    def _report(self, report: Progress) -> None:
        def too_large(why: str) -> Progress:
            error = {"code": "too-large", "message": why}
            return report._replace(state=CommandState.FAILED, result=None, error=error)

        self._send(fitting(report, too_large))


class ScriptCommands:
    """The REP socket inside the container."""

    def __init__(self, loop: Loop, pid1: Pid1, socket: Socket, epoch: Callable[[], int]) -> None:
        self._loop, self._pid1, self._socket, self._epoch = loop, pid1, socket, epoch
        self._asked: Query | None = None
        self._number = 0
        self._timer: Any = None
        loop.watch(socket, self.serve)

    def serve(self) -> None:
        """Take one query; the next one is taken when this is answered."""
        if self._asked is not None or not self._socket.poll(0):
            return
        frames = self._socket.recv_multipart()
        try:
            query = decode(frames[-1])
        except DecodeError as error:
            self._answer(Refused("", "bad-message", str(error)[: limits.TEXT_CHARS], "see docs/protocol.md"))
            return
        if not isinstance(query, Query):
            self._answer(Refused("", "unexpected", "only Query is heard here", "see docs/protocol.md"))
            return
        self._asked = query
        self._timer = self._loop.at(self._loop.now() + ANSWER_SECONDS, self._overdue)
        self._carry_out(query)

    def _carry_out(self, query: Query) -> None:
        verb, args = query.op, query.args
        if args.get("follow"):
            self._answer(Refused(query.id, "bad-argument", "follow is not possible here", "use initd on a terminal"))
            return
        if verb not in LOOKS:
            given = {"wait": 0} | args if verb in WAITERS else args
            verb, args = "command", {
                "id": query.id, "verb": verb, "args": given, "deadline": SCRIPT_SECONDS, "actor": "script",
                "epoch": self._epoch(),
            }  # fmt: skip
        try:
            self._number = self._pid1.ask(verb, args, lambda told: self._told(query, told))
        except (TypeError, ValueError) as error:
            self._answer(Refused(query.id, "bad-argument", str(error)[:200]))

    def _told(self, query: Query, told: Told) -> None:
        if self._asked is not query:
            return
        if told.error is not None:
            message, hint = (str(told.error.get(key, ""))[: limits.TEXT_CHARS] for key in ("message", "hint"))
            self._answer(Refused(query.id, told.error.get("code", "failed"), message, hint))
            return
        outcome = outcome_of(told.result)
        state = "failed" if ENDS.get(outcome) is CommandState.FAILED else outcome
        self._answer(Answer(query.id, {"id": query.id, "state": state, "result": told.result}))

    def _overdue(self) -> None:
        query = self._asked
        if query is not None:
            self._pid1.forget(self._number)
            self._answer(Answer(query.id, {"id": query.id, "state": "accepted"}))

    def _answer(self, reply: Answer | Refused) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._asked = None
        self._socket.send(fitting(reply, lambda why: Refused(reply.id, "too-large", why, "ask for less")))


def script_endpoint(environ: Mapping[str, str]) -> str:
    """`ipc://...` beside the control socket, in a directory that only we can enter; empty where there is none."""
    given = environ.get(SOCKET, "")
    places = [os.path.dirname(given)] if given else [address.RUN_DIRECTORY, address.temporary_directory(os.getuid())]
    for place in places:
        if address.is_private(place, os.getuid()) and os.access(place, os.W_OK):
            return f"ipc://{place}/command"
    return ""


def open_scripts(context: Context, endpoint: str) -> Socket:
    """The REP socket, open to the group of its directory where that is; an old name is replaced, as libzmq does.

    Raises zmq.ZMQError, OSError.
    """
    socket = serve_scripts(context, endpoint)
    path = endpoint.removeprefix("ipc://")
    directory = os.stat(os.path.dirname(path))
    if directory.st_mode & 0o010:
        os.chown(path, -1, directory.st_gid)
    os.chmod(path, 0o660 if directory.st_mode & 0o010 else 0o600)
    return socket
