"""Until all that a hub must know has come from its store on Redis: it waits, says so, and answers its admin.

Theory.  Who may come in stands in the store.  So agents are not let in, or they would hear that nobody knows them and
enrol anew; their port is shut, and they turn to other hubs or try again, as when a hub is down.  Only the admin's key
lies beside the hub: it hears what is wrong.  A store that answers and may not be used (a wrong password, a newer
format) ends the hub with what is wrong, as it does at any start.

A store may go away between its opening and the first readings.  Those that failed are made again when it can be opened
once more, and in their order all that were asked behind them (`Readings`): what is read first tells from where on to
follow what the others change.  The core never hears that they failed, for it would begin without what they tell.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import zmq

from hub.config import Config
from hub.errors import StartError
from hub.opening import open_store
from hub.sockets import Socket, drain, send
from hub.store.base import Store
from hub.store.errors import Unwritable
from hub.store.worker import Outcome
from hub.trust.keyring import Keyring
from hub.trust.rotation import STEP
from hub.trust.zap import Gate
from hub.version import version
from hub.words import Store as Reading
from hub.words import Then
from wire.codec import DecodeError, decode, encode
from wire.frames import FrameError, split
from wire.messages import Answer, Message, Query, Refused
from wire.model import PROTOCOL
from wire.sockets import CLIENT, serve

TRY_SECONDS = 1.0
"""Between two tries to reach the store."""
LOOK_MS = 100
"""How soon it is noticed that the store is open, or that the hub is to end."""


class Ended(Exception):
    """A signal came before the store."""


def opened(config: Config, ring: Keyring, say: Callable[[str], object]) -> Store:
    """The store, as soon as it can be opened.  Raises StoreError where waiting is of no use, and Ended."""
    try:
        return open_store(config)
    except Unwritable as error:
        if not _passes(config, error):
            raise
        return awaited(config, ring, say, str(error))


def awaited(config: Config, ring: Keyring, say: Callable[[str], object], why: str) -> Store:
    """The store, opened as soon as it is back.  Raises as `opened`."""
    blind = "the hub is blind and lets no agent in until it is back"
    say(f"the store is away: {why}; {blind} (tried every {TRY_SECONDS:g} s)")
    found = Vigil(config, ring, why).keep()
    say("the store is there")
    return found


def _passes(config: Config, error: Exception | None) -> bool:
    """Whether waiting helps: not with a disk, nor with a Redis that is full."""
    return config.store is not None and isinstance(error, Unwritable) and isinstance(error, OSError)


class Readings:
    """What the core asked of the store before the ports open, and has no answer to yet."""

    def __init__(
        self, config: Config, effects: dict[type, Callable[[Any], None]], wait: Callable[[str], object]
    ) -> None:
        self._config, self._effects, self._wait = config, effects, wait
        self._ask: Callable[[Any], None] = effects[Reading]
        self._asked: dict[Then, tuple[Reading, int]] = {}
        self._returns = 0
        """How often the store came back."""
        effects[Reading] = self._note

    def _note(self, reading: Reading) -> None:
        if reading.then is not None:
            reading = reading._replace(then=partial(reading.then))  # two may have one continuation
            self._asked[reading.then] = reading, self._returns  # type: ignore[index]
        self._ask(reading)

    def again(self, outcome: Outcome) -> bool:
        """Whether it was asked once more: it failed because the store is away, or was asked behind one that did."""
        reading, returns = self._asked.pop(outcome.tag, (None, 0)) if callable(outcome.tag) else (None, 0)
        if reading is None:
            return False
        if returns == self._returns:
            if not _passes(self._config, outcome.error):
                return False
            self._wait(str(outcome.error))
            self._returns += 1
        self._note(reading)
        return True

    def end(self) -> None:
        """From now on whoever asks hears of it."""
        self._effects[Reading] = self._ask


class Vigil:
    """Tries to open the store in a thread of its own, and answers the admin meanwhile."""

    def __init__(self, config: Config, ring: Keyring, why: str) -> None:
        self._config, self._ring, self.why = config, ring, why
        self._since, self._wanted = time.time(), threading.Event()
        self._store: Store | None = None
        self._fault: Exception | None = None

    def keep(self) -> Store:
        """Until the store is open."""
        before = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        thread = threading.Thread(target=self._try, name="vigil", daemon=True)
        thread.start()
        try:
            self._serve(thread)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._fault is not None:
            raise self._fault
        if self._store is None:
            raise Ended
        return self._store

    def _end(self, number: int, frame: Any) -> None:
        self._wanted.set()

    def _try(self) -> None:
        while self._store is None and self._fault is None and not self._wanted.wait(TRY_SECONDS):
            try:
                self._store = open_store(self._config)
            except Unwritable as error:
                self.why = str(error)
            except Exception as error:
                self._fault = error

    def _serve(self, thread: threading.Thread) -> None:
        context: zmq.Context[Socket] = zmq.Context()
        admin = self._ring.admin.public
        gate = Gate(context, lambda domain, public: "admin" if public == admin else None)
        gate.open()
        try:
            port = self._config.port_client + self._ring.turn.side * STEP
            socket = serve(context, CLIENT, f"tcp://{self._config.bind}:{port}", self._ring.turn.own)
            while thread.is_alive():
                if socket.poll(LOOK_MS):
                    for received in drain(socket, 10):
                        self._answer(socket, received.frames)
            socket.close(0)
        except zmq.ZMQError as error:
            raise StartError(f"cannot listen on port {self._config.port_client}: {error}") from None
        finally:
            gate.close()
            context.destroy(0)

    def _answer(self, socket: Socket, frames: tuple[bytes, ...]) -> None:
        try:
            envelope, payload = split(frames)
            query = decode(payload)
        except (DecodeError, FrameError):
            return
        if isinstance(query, Query):
            send(socket, [*envelope, encode(self.reply(query))])

    def reply(self, query: Query) -> Message:
        """What can be said without a store."""
        if query.op != "about":
            return Refused(
                query.id, "store-away", f"the store is away: {self.why}"[:500], "start or mend it; see about"
            )
        hub = {"hub": self._ring.hub, "version": version(), "protocol": PROTOCOL, "state": "blind", "agents": {}}
        return Answer(query.id, {**hub, "store": {"error": self.why, "away_since": self._since}, "at": time.time()})
