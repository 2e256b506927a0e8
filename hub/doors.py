"""The hub's bound sockets: four of them, on the configured ports or on those beside them, for a while on both.

Theory.  A ROUTER, SUB or XPUB may be bound to two ports under two CURVE keys: the key that is set when it is bound is
that port's.  So during a change of the hub's key (hub.trust.rotation) there are no second sockets, routes and queues
are the same ones by whichever port a peer came, and unbinding a port at the end cuts just those who came by it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import zmq

from hub.config import Config
from hub.errors import StartError
from hub.sockets import Socket
from hub.trust import keyring, rotation
from hub.trust.rotation import STEP, Standing, Turn
from wire.keys import KeyFault, KeyPair
from wire.sockets import CLIENT, COMMANDS, FEED, SAMPLES, Serve, serve

READERS = FEED._replace(domain="feed")


class Doors:
    """See the module's docstring.  `turn` says which key is the present one, and which is the next."""

    def __init__(self, context: zmq.Context[Socket], config: Config, turn: Turn) -> None:
        self._context, self._config, self._turn = context, config, turn
        self.commands = self._open(COMMANDS, config.port_command)
        self.samples = self._open(SAMPLES, config.port_samples)
        self.samples.subscribe(b"")
        self.clients = self._open(CLIENT, config.port_client)
        self.feed = self._open(READERS, config.port_feed)
        if turn.next is not None:
            self._bind(turn.next, 1 - turn.side)

    def _open(self, role: Serve, port: int) -> Socket:
        endpoint = self._endpoint(port, self._turn.side)
        try:
            return serve(self._context, role, endpoint, self._turn.own)
        except zmq.ZMQError as error:
            raise _taken(endpoint, error) from None

    def _endpoint(self, port: int, side: int) -> str:
        return f"tcp://{self._config.bind}:{port + side * STEP}"

    def _each(self, side: int) -> Iterator[tuple[Socket, str]]:
        config = self._config
        ports = (config.port_command, config.port_samples, config.port_client, config.port_feed)
        for socket, port in zip((self.commands, self.samples, self.clients, self.feed), ports, strict=True):
            yield socket, self._endpoint(port, side)

    # -- the change of the key ---------------------------------------------------------------------------------------

    def rotate(self, until: float | None) -> Standing:
        """Listens under a next key too until then, or, with None, under the next key alone.

        Raises OSError, StartError where a port is taken; then nothing has changed.
        """
        folder, before = Path(self._config.state_dir) / "keys", self._turn.standing.goal
        if until is None:
            old = self._turn.side
            self._turn = rotation.finish(folder, self._turn)
            self._unbind(old)
        else:
            self._begin(folder, until)
        standing = self._turn.standing
        with suppress(OSError, KeyFault):  # a client learns its new place from an answer, too
            keyring.readdress(self._config.state_dir, standing, standing.goal - before)
        return standing

    def _begin(self, folder: Path, until: float) -> None:
        under_way = self._turn.next is not None
        self._turn = rotation.begin(folder, self._turn, until, time.time())
        if not under_way and self._turn.next is not None:
            try:
                self._bind(self._turn.next, 1 - self._turn.side)
            except StartError:
                self._turn = rotation.abandon(folder, self._turn)
                raise

    def _bind(self, pair: KeyPair, side: int) -> None:
        done: list[tuple[Socket, str]] = []
        for socket, endpoint in self._each(side):
            try:
                _bind(socket, pair, endpoint)
            except zmq.ZMQError as error:
                for other, bound in done:
                    other.unbind(bound)
                raise _taken(endpoint, error) from None
            done.append((socket, endpoint))

    def _unbind(self, side: int) -> None:
        for socket, endpoint in self._each(side):
            with suppress(zmq.ZMQError):  # not bound: the hub ended this change while it started
                socket.unbind(endpoint)

    # -- the feed ----------------------------------------------------------------------------------------------------

    def renew_feed(self) -> None:
        """Closes and binds the feed again; its readers come back by themselves if their key is still good."""
        self.feed.close(0)
        for _ in range(200):  # the port is free once libzmq's thread has closed the old listener
            with suppress(StartError):
                self.feed = self._open(READERS, self._config.port_feed)
                break
            time.sleep(0.01)
        else:
            raise StartError("the feed could not be bound again")
        if self._turn.next is not None:
            self._again(self._turn.next)

    def _again(self, pair: KeyPair) -> None:
        endpoint = self._endpoint(self._config.port_feed, 1 - self._turn.side)
        for _ in range(200):
            with suppress(zmq.ZMQError):
                _bind(self.feed, pair, endpoint)
                return
            time.sleep(0.01)
        raise StartError("the feed could not be bound again")

    def close(self) -> None:
        """Closes everything at once."""
        for door in (self.commands, self.samples, self.clients, self.feed):
            door.close(0)


def numbers(config: Config) -> dict[int, str]:
    """Every port that may be bound, each with the name of its door."""
    doors = {
        config.port_command: "command", config.port_samples: "samples",
        config.port_client: "client", config.port_feed: "feed",
    }  # fmt: skip
    return {port + side * STEP: name for side in (1, 0) for port, name in doors.items()}


def _bind(socket: Socket, pair: KeyPair, endpoint: str) -> None:
    socket.setsockopt(zmq.CURVE_SECRETKEY, pair.secret.encode("ascii"))
    socket.bind(endpoint)


def _taken(endpoint: str, error: zmq.ZMQError) -> StartError:
    return StartError(f"cannot listen on {endpoint}: {error.strerror}; choose another port_... or bind=")
