"""Enrolment of a relay: shows the token at an enrolment port, with our key, until a hub says who we are.

Theory.  As an agent does it: the join string is read anew for every round, hubs are tried in turn, pauses grow and are
random, a refusal is said to a person once with its cure and tried again slowly.  The hub is known by the fleet key of
the join string before anything is sent to it.  Unlike an agent, a relay has nothing else to do meanwhile, so this
waits; every wait ends early when `wait` says that the relay is to stop.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import zmq

from hub.relay.membership import Membership
from wire import limits
from wire._record import Record
from wire.codec import DecodeError, decode, encode
from wire.keys import JoinString, KeyFault, KeyPair
from wire.messages import Enrol, Enrolled, Refused
from wire.sockets import REQUESTS, Context, Socket, dial

HUB_SECONDS = 5.0
"""How long one hub is waited for."""
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Between rounds that found no hub, seconds; each is shortened at random by up to half."""
REFUSED_PAUSES = (2.0, 5.0, 10.0, 30.0, 60.0)
"""After a hub refused."""

Say = Callable[[str], object]
Wait = Callable[[Socket | None, float, int], bool]
"""(socket, seconds, events) -> whether the socket is ready; without one, waits; raises Stopped."""


class Stopped(Exception):
    """The relay is to stop."""


class Joined(Record):
    """What an enrolment brings."""

    join: JoinString
    membership: Membership


class Enrolment:
    """Enrols one relay."""

    def __init__(self, context: Context, who: tuple[str, str], read_join: Callable[[], JoinString], say: Say) -> None:
        """`who`: the name to ask for, and our version."""
        self._context, self._who = context, who
        self._read_join, self._say = read_join, say

    def run(self, pair: KeyPair, wait: Wait, rounds: int | None = None) -> Joined | None:
        """Goes on until a hub knows us, for at most so many rounds; raises Stopped."""
        silent = refusals = 0
        while rounds is None or silent + refusals < rounds:
            answer = self._round(pair, wait)
            if isinstance(answer, Joined):
                return answer
            if isinstance(answer, Refused):
                self._say(f"the hub refused to let this relay join: {answer.message}{_hinted(answer.hint)}")
                pair = KeyPair.generate() if answer.code == "bad-key" else pair
                pause = REFUSED_PAUSES[min(refusals, len(REFUSED_PAUSES) - 1)]
                refusals += 1
            else:
                pause = PAUSES[min(silent, len(PAUSES) - 1)]
                silent += 1
            wait(None, pause * random.uniform(0.5, 1.0), 0)
        return None

    def _round(self, pair: KeyPair, wait: Wait) -> Joined | Refused | None:
        """Every hub of the join string once."""
        try:
            join = self._read_join()
        except KeyFault as fault:
            self._say(str(fault))
            return None
        for address in random.sample(join.hubs, len(join.hubs)):
            answer = self._knock(join, address, pair, wait)
            if isinstance(answer, Enrolled) and answer.hubs:
                return Joined(join, Membership(pair, answer.agent, answer.hubs))
            if isinstance(answer, Refused):
                return answer
            self._say(f"hub {address} {answer}")
        return None

    def _knock(self, join: JoinString, address: str, pair: KeyPair, wait: Wait) -> Any:
        """The hub's answer, or a sentence on why there is none."""
        try:
            socket = dial(self._context, REQUESTS, address, pair, join.fleet_key)
        except zmq.ZMQError as error:
            return str(error)
        try:
            if not wait(socket, HUB_SECONDS, zmq.POLLOUT):
                return "cannot be reached, or has another fleet key; the containers are not concerned"
            enrol = Enrol(join.token, join.secret, "", self._who[0][:255], self._who[1][:32], "relay")
            socket.send(encode(enrol, limits.ENROL_BYTES), zmq.NOBLOCK)
            if not wait(socket, HUB_SECONDS, zmq.POLLIN):
                return "does not answer; the containers are not concerned"
            return decode(socket.recv(zmq.NOBLOCK))
        except (zmq.Again, DecodeError) as error:
            return f"gave no answer of use: {error}"
        finally:
            socket.close(0)


def _hinted(hint: str) -> str:
    return f" ({hint})" if hint else ""
