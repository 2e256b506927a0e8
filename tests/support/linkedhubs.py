"""Several hubs of one store without sockets, in virtual time: their links carry at once, unless they are cut."""

from __future__ import annotations

from pathlib import Path

from hub import words
from hub.core import Core
from hub.fleet import PEER
from hub.store.base import Store
from hub.store.chained import chained
from hub.store.embedded import Embedded
from tests.support.corehub import SETTINGS, CoreHub
from wire import messages as M
from wire.keys import KeyPair


class Linked(CoreHub):
    """One of them; `crew` are all by name."""

    def __init__(self, name: str, store: Store, crew: dict[str, Linked], start: float = 1000.0) -> None:
        self.name, self.shared, self.crew = name, store, crew
        self.acting, self.reached = True, True
        self.asked: list[tuple[str, str]] = []
        """(other hub, operation) of every question."""
        self.peers: dict[str, tuple[str, str]] = {}
        self.link = KeyPair.generate().public
        crew[name] = self
        super().__init__(Path(name))

    def start(self) -> None:
        self.store, self.attention = self.shared, 0.0
        place = SETTINGS.addresses[0]._replace(key=KeyPair.generate().public)
        settings = SETTINGS._replace(
            hub=self.name, shared=True, client=f"{self.name}:7404", link=self.link, addresses=(place,)
        )
        numbers = iter(range(10**6))
        self.core = Core(settings, "0", lambda: f"{self.name.replace('-', '')}{next(numbers):06d}")
        self.carry_out(self.core.start(self.now))

    def carry_out(self, effects: words.Effects) -> None:
        for effect in effects:
            if isinstance(effect, words.Dial):
                self.peers = dict(effect.peers)
            elif isinstance(effect, words.Ask):
                self._question(effect)
            else:
                super().carry_out([effect])

    def _question(self, effect: words.Ask) -> None:
        """As over a link: admitted by the key, answered on the way back."""
        other = self.crew[effect.hub]
        self.asked.append((effect.hub, effect.query.op))
        user = other.admitted.get(("clients", self.link))
        if self.reached and other.reached and user is not None:
            route = words.Route("clients", (PEER.encode(), self.name.encode()))
            other.feed(words.Asked(route, user, "1.2.3.4", effect.query))
            other.post()

    def post(self) -> None:
        """What was sent to other hubs arrives there."""
        mine = [one for one in self.sent if one.route.envelope[:1] == (PEER.encode(),)]
        self.sent = [one for one in self.sent if one not in mine]
        for one in mine:
            self.crew[one.route.envelope[1].decode()].feed(words.Replied(self.name, one.message))

    def feed(self, event: words.Event) -> None:
        super().feed(event)
        self.post()


class LinkedHubs:
    """So many hubs that know each other and act."""

    def __init__(self, folder: Path, count: int = 3) -> None:
        self.store = chained(Embedded(str(folder)), 365 * 86400.0)
        self.crew: dict[str, Linked] = {}
        self.hubs = [Linked(f"hub-{number}", self.store, self.crew) for number in range(count)]
        self.wait(20.0)

    def wait(self, seconds: float) -> None:
        """Time passes for all of them."""
        for _ in range(round(seconds / 0.2)):
            for hub in self.hubs:
                if hub.acting:
                    hub.mono += 0.2
                    hub.attention += 0.2
                    hub.feed(words.Tick())


def commands(hub: Linked) -> list[M.Command]:
    """What a hub sent to agents."""
    return [one.message for one in hub.sent if isinstance(one.message, M.Command)]
