"""One [eventlistener:x]: its listeners, and the letters that wait for one of them to be ready; pure.

Theory.  Letters go out in order, each to the first listener that is up and READY.  A letter that was not accepted
(rejected, its listener broke the protocol or died) goes back to the head of the buffer.  Where the buffer is full, by
number or by bytes, the oldest letter is discarded for any that comes, a returning one included, as in supervisord.
"""

from __future__ import annotations

from initd.eventlistener.dialogue import READY, UNKNOWN, Broken, Dialogue, hear, sent
from initd.eventlistener.events import Letter, envelope, meant
from initd.native import deque
from wire.limits import EVENT_BUFFER_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from initd.eventlistener.events import Event

DEFAULT_HANDLER = "supervisor.dispatchers:default_handler"
"""Accepts the result OK and nothing else.  Other handlers are Python code: of those any result counts as accepted."""


class Listener:
    """One process of a pool."""

    def __init__(self) -> None:
        self.dialogue = Dialogue()
        self.letter: Letter | None = None
        """The one it has and did not answer yet."""


class Pool:
    """See the module's docstring.  `say(text, level)` tells a person one line."""

    def __init__(self, name: str, server: str, say: Callable[[str, str], object]) -> None:
        self.name = name
        self.wanted: Collection[str] = ()
        self.size = 10
        self.handler = DEFAULT_HANDLER
        self.listeners: dict[str, Listener] = {}
        """By the name people type, in the order in which they are asked."""
        self.discarded = 0
        self._server = server
        self._say = say
        self._serial = -1
        self._waiting: deque[Letter] = deque()
        self._bytes = 0
        self._crowded = 0

    def configure(self, wanted: Collection[str], size: int, handler: str, names: Collection[str]) -> None:
        """What its section says; letters that wait go on waiting, listeners that stay keep their place in the talk."""
        self.wanted, self.size, self.handler = wanted, size, handler
        for name, listener in self.listeners.items():
            if name not in names:
                self._return(listener)
        self.listeners = {name: self.listeners.get(name) or Listener() for name in names}

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, event: Event, serial: int) -> None:
        """Take an event as often as the subscriptions mean it."""
        times = meant(event.name, self.wanted)
        if times:
            self._serial += 1
            for _ in range(times):
                self._put(Letter(serial, self._serial, event))

    def began(self, name: str) -> None:
        """A listener is being started."""
        self.listeners[name].dialogue = Dialogue()

    def ended(self, name: str) -> None:
        """A listener is gone."""
        self._return(self.listeners[name])

    def heard(self, name: str, chunk: bytes) -> None:
        """A listener said something."""
        listener = self.listeners[name]
        listener.dialogue, outcomes = hear(listener.dialogue, chunk)
        for outcome in outcomes:
            if isinstance(outcome, Broken):
                self._say(f"{name} {outcome.why}: it gets no events any more until it is started again", "warn")
                self._return(listener)
            elif self.handler == DEFAULT_HANDLER and outcome.body != b"OK":
                self._say(f"{name}: event was rejected", "warn")
                self._return(listener)
            else:
                listener.letter = None

    def dispatch(self, is_up: Callable[[str], bool], send: Callable[[str, bytes], bool]) -> None:
        """Send what waits to those who are up and ready; `send` is false where a listener cannot be reached."""
        while self._waiting:
            letter = self._waiting[0]
            if not self._send(letter, is_up, send):
                return
            self._waiting.popleft()
            self._bytes -= len(letter.event.payload)
        if self._crowded > 1:
            self._say(f"pool {self.name}: {self._crowded - 1} more events were discarded meanwhile", "error")
        self._crowded = 0

    def is_deaf(self, name: str) -> bool:
        """Whether that listener broke the protocol."""
        return self.listeners[name].dialogue.state == UNKNOWN

    def is_unheard(self, is_up: Callable[[str], bool]) -> bool:
        """Whether one that is up and keeps the protocol has an event, or will get one."""
        able = [listener for name, listener in self.listeners.items() if is_up(name) and not self.is_deaf(name)]
        return bool(able) and (bool(self._waiting) or any(listener.letter is not None for listener in able))

    # Inside

    def _send(self, letter: Letter, is_up: Callable[[str], bool], send: Callable[[str, bytes], bool]) -> bool:
        for name, listener in self.listeners.items():
            if listener.dialogue.state != READY or not is_up(name):
                continue
            if send(name, envelope(letter, self._server, self.name)):
                listener.dialogue, listener.letter = sent(listener.dialogue), letter
                return True
        return False

    def _return(self, listener: Listener) -> None:
        letter, listener.letter = listener.letter, None
        if letter is not None:
            self._put(letter, head=True)

    def _put(self, letter: Letter, head: bool = False) -> None:
        """Make room for it, and keep it."""
        length = len(letter.event.payload)
        while self._waiting and (len(self._waiting) >= self.size or self._bytes + length > EVENT_BUFFER_BYTES):
            oldest = self._waiting.popleft()
            self._bytes -= len(oldest.event.payload)
            self._discard(oldest)
        (self._waiting.appendleft if head else self._waiting.append)(letter)
        self._bytes += length

    def _discard(self, letter: Letter) -> None:
        """The first of a run is said, the others are counted."""
        self.discarded += 1
        self._crowded += 1
        if self._crowded == 1:
            text = f"pool {self.name}: its buffer of {self.size} events is full, discarding event {letter.serial}"
            self._say(f"{text} ({letter.event.name})", "error")
