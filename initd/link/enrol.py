"""Enrolment: shows the token at an enrolment port, with our key, until a hub says who we are.

Theory.  The join string is read anew for every try, since a secret file may appear or be replaced.  Hubs are tried in
turn, each with a few seconds; after a round the pause grows, and starts at a random length, so that a thousand
containers started at once do not knock together.  The same key may show the same token again and is told the same
agent id, so a lost answer costs nothing.  A refusal is said to a person once, with its cure, and tried again slowly:
the token may be renewed at the hub.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from initd.joining import JOIN, JOIN_FILE
from initd.link.identity import Claim
from initd.link.loop import Loop
from wire import limits
from wire.codec import DecodeError, decode, encode
from wire.keys import JoinString, KeyFault, KeyPair
from wire.messages import Enrol, Enrolled, Refused
from wire.sockets import REQUESTS, Context, Socket, dial

HUB_SECONDS = 5.0
"""How long one hub is waited for."""

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Between rounds that found no hub, seconds; each is shortened at random by up to half."""

REFUSED_PAUSES = (5.0, 10.0, 30.0, 60.0)
"""After a hub refused."""

BUSY_SECONDS, BUSY_LONGEST = 5.0, 300.0
"""After `busy` without a time, and the longest time that is believed."""

Say = Callable[[str], object]


def read_join(environ: Mapping[str, str]) -> JoinString:
    """The join string; raises KeyFault, which names the file where there is one."""
    path = environ.get(JOIN_FILE)
    if not path:
        return JoinString.parse(environ.get(JOIN, ""))
    try:
        with open(path, "rb") as file:
            text = file.read(limits.JOIN_CHARS + 64).decode("utf-8", "replace")
    except OSError as error:
        raise KeyFault(f"join string: {path}: {error.strerror}") from None
    try:
        return JoinString.parse(text)
    except KeyFault as fault:
        raise KeyFault(f"{path}: {fault}") from None


class Enrolment:
    """Goes on until `done(join, pair, enrolled)` was called, or `stop`."""

    def __init__(
        self,
        loop: Loop,
        context: Context,
        environ: Mapping[str, str],
        about: tuple[Claim, str, str],
        say: Say,
        done: Callable[[JoinString, KeyPair, Enrolled], object],
    ) -> None:
        """`about` is who we are: claim, host name, version."""
        self._loop, self._context, self._environ, self._about = loop, context, environ, about
        self._say, self._done = say, done
        self._pair = KeyPair.generate()
        self._join: JoinString | None = None
        self._hubs: list[str] = []
        self._socket: Socket | None = None
        self._timer: Any = None
        self._rounds = self._refusals = 0
        self._asked = False
        self.active = False
        """Whether it is under way."""

    def start(self, pair: KeyPair | None = None) -> None:
        """Begin, with a key that the hub may know already, or with the one before."""
        self.stop()
        self._pair, self.active = pair or self._pair, True
        self._next()

    def stop(self) -> None:
        """Give up what is under way."""
        self.active, self._hubs = False, []
        self._rounds = self._refusals = 0
        self._hang_up()

    def _next(self) -> None:
        """Try the next hub, or begin a round."""
        self._hang_up()
        if not self._hubs:
            try:
                self._join = read_join(self._environ)
            except KeyFault as fault:
                self._say(str(fault))
                self._again(PAUSES)
                return
            self._hubs = random.sample(self._join.hubs, len(self._join.hubs))
        self._knock(self._hubs.pop())

    def _knock(self, address: str) -> None:
        assert self._join is not None
        try:
            self._socket = dial(self._context, REQUESTS, address, self._pair, self._join.fleet_key)
        except zmq.ZMQError as error:
            self._say(f"hub {address}: {error}")
            self._fail()
            return
        self._loop.watch(self._socket, self._serve, writable=True)
        self._timer = self._loop.at(self._loop.now() + HUB_SECONDS, lambda: self._silent(address))

    def _silent(self, address: str) -> None:
        words = "does not answer" if self._asked else "cannot be reached, or has another fleet key"
        self._say(f"hub {address} {words}; the programs are not concerned")
        self._fail()

    def _fail(self) -> None:
        if self._hubs:
            self._next()
        else:
            self._again(PAUSES)

    def _again(self, pauses: tuple[float, ...], count: int | None = None) -> None:
        self._hang_up()
        self._hubs = []
        number, self._rounds = self._rounds if count is None else count, self._rounds + 1
        pause = pauses[min(number, len(pauses) - 1)] * random.uniform(0.5, 1.0)
        self._timer = self._loop.at(self._loop.now() + pause, self._next)

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._loop.forget(self._socket)
            self._socket.close(0)
        self._socket, self._asked = None, False
        if self._timer is not None:
            self._timer.cancel()

    def _serve(self) -> None:
        assert self._socket is not None
        if not self._asked:
            self._ask()
        if self._asked and self._socket is not None and self._socket.poll(0):
            self._take(self._socket.recv(zmq.NOBLOCK))

    def _ask(self) -> None:
        assert self._join is not None and self._socket is not None
        claim, hostname, version = self._about
        enrol = Enrol(self._join.token, self._join.secret, claim.container, hostname[:255], version)
        try:
            self._socket.send(encode(enrol, limits.ENROL_BYTES), zmq.NOBLOCK)
        except zmq.Again:
            return
        self._asked = True
        self._loop.watch(self._socket, self._serve)

    def _take(self, data: bytes) -> None:
        try:
            answer = decode(data)
        except DecodeError as error:
            self._say(f"a hub answered with {error}")
            self._fail()
            return
        if isinstance(answer, Refused):
            self._refused(answer)
        elif isinstance(answer, Enrolled) and answer.hubs:
            join = self._join
            assert join is not None
            self.stop()
            self._done(join, self._pair, answer)
        else:
            self._fail()

    def _refused(self, refused: Refused) -> None:
        if refused.code == "busy":
            self._wait_in_line(refused)
            return
        hint = f" ({refused.hint})" if refused.hint else ""
        self._say(f"the hub refused to let this container join: {refused.message}{hint}")
        if refused.code == "bad-key":
            self._pair = KeyPair.generate()
        self._refusals += 1
        self._again(REFUSED_PAUSES, self._refusals - 1)

    def _wait_in_line(self, refused: Refused) -> None:
        """Too many ask at once: come again when we were told to, or up to as long after it."""
        if self._rounds == 0:
            self._say(f"hub: {refused.message}")
        self._again((2 * min(refused.after or BUSY_SECONDS, BUSY_LONGEST),), 0)
