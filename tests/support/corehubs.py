"""Several hubs without sockets: real cores over one real store, and agents that beat, all in virtual time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub import words
from hub.core import Core
from hub.store.chained import chained
from hub.store.embedded import Embedded
from hub.store.errors import Unwritable
from tests.support.corehub import SETTINGS, CoreHub, register
from wire.messages import HubAddress

STEP = 0.2
"""The loop's tick."""
ATTENTION = 0.5
"""As hub.clock.STEP."""


class SharedHub(CoreHub):
    """One of the hubs; `away` cuts it off from the store, `paused` stops it, `dead` ends it without a word."""

    def __init__(self, number: int, store: Any, mono: float) -> None:
        self.name, self.away, self.paused, self.dead = f"hub-{number}", False, False, False
        self.said: list[str] = []
        self.shared = store
        self.polled: list[words.Poll] = []
        super().__init__(Path(), mono)

    def start(self) -> None:
        key = f"key-{self.name}".ljust(40, "x")
        places = (HubAddress(f"{self.name}:1", f"{self.name}:2", f"{self.name}:3", key),)
        settings = SETTINGS._replace(hub=self.name, addresses=places, shared=True, engines=frozenset({"e1"}))
        self.store, self.attention = self.shared, 0.0
        ids = itertools.count(1)
        self.core = Core(settings, "0", lambda: f"{self.name}-{next(ids)}")
        self.carry_out(self.core.start(self.now))

    @property
    def cluster(self) -> Any:
        """Its room among the others."""
        return self.core.cluster

    def carry_out(self, effects: words.Effects) -> None:
        self.said += [effect.line for effect in effects if isinstance(effect, words.Say)]
        self.polled += [effect for effect in effects if isinstance(effect, words.Poll)]
        self.dead = self.dead or any(isinstance(effect, words.Leave) for effect in effects)
        super().carry_out(effects)

    def _store(self, effect: words.Store) -> None:
        if not self.away:
            super()._store(effect)
        elif effect.then is not None:
            self.feed(words.Stored(effect.then, None, str(Unwritable("the store is away"))))

    def turn(self, mono: float) -> None:
        """One pass of its loop."""
        self.attention += min(mono - self.mono, ATTENTION)
        self.mono = mono
        self.feed(words.Tick())


class CoreHubs:
    """`hubs` by number; agents beat every two seconds at the hub where they were put."""

    def __init__(self, folder: Path, count: int = 3) -> None:
        store = chained(Embedded(str(folder)), 365 * 86400.0)
        self.mono = 1000.0
        self.hubs = [SharedHub(number, store, self.mono) for number in range(count)]
        self.places: dict[str, tuple[SharedHub, float]] = {}
        """Agent -> (the hub it speaks to, when it beats next)."""
        self.until(lambda: all(hub.cluster.acts(hub.now) for hub in self.hubs), 30.0)

    def hub(self, name: str) -> SharedHub:
        """By its name."""
        return next(hub for hub in self.hubs if hub.name == name)

    def home(self, agent: str) -> SharedHub:
        """The agent's home, as the first hub alive sees it."""
        seer = next(hub for hub in self.hubs if not (hub.dead or hub.paused))
        return self.hub(str(seer.cluster.homes.of[agent]))

    def agent(self, name: str, **changes: Any) -> str:
        """A new agent, which every hub knows and which beats at its home."""
        agent = str(self.hubs[0].agent(name, boot=f"boot-{name}", **changes))
        self.places[agent] = (self.hubs[0], self.mono)
        self.wait(1.0)
        self.speak(agent, self.home(agent))
        self.wait(2.0)
        return agent

    def agents(self, count: int) -> list[str]:
        """So many."""
        return [self.agent(f"a{number}") for number in range(count)]

    def speak(self, agent: str, hub: SharedHub) -> None:
        """It turns to this hub, now."""
        self.places[agent] = (hub, self.mono)

    def vanish(self, agent: str) -> None:
        """It says nothing any more."""
        self.places.pop(agent)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        for _ in range(round(seconds / STEP)):
            self.mono += STEP
            for hub in self.hubs:
                if not (hub.dead or hub.paused):
                    hub.turn(self.mono)
            for agent, (hub, at) in list(self.places.items()):
                if at <= self.mono and not (hub.dead or hub.paused):
                    self.places[agent] = (hub, self.mono + SETTINGS.period)
                    self._beat(agent, hub)

    def _beat(self, agent: str, hub: SharedHub) -> None:
        known = hub.core.fleet.registry.agents.get(agent)
        said = known.said if known else register(boot="b", at=hub.now.wall)
        answer = hub.beat(agent, said.boot)
        if getattr(answer, "register", False):
            hub.ask("agents", agent, said)

    def until(self, true: Callable[[], bool], most: float) -> float:
        """Seconds until it was true; AssertionError where it is not within `most`."""
        begun = self.mono
        while not true():
            assert self.mono - begun <= most, f"not within {most} s"
            self.wait(STEP)
        return self.mono - begun

    def lost(self, *agents: str) -> bool:
        """Whether some hub told that these are lost."""
        return all(self.losses(agent) for agent in agents)

    def losses(self, agent: str = "") -> int:
        """How often a hub found out that an agent is lost (this one, or any): as the facts of all say."""
        rows = self.hubs[0].store.facts(limit=100_000)
        bodies = [row.body for row in rows if isinstance(row.body, dict) and agent in ("", row.agent)]
        return sum(body.get("note") == "presence" and body.get("presence") == "lost" for body in bodies)
