"""Several real hubds of one fleet on one Redis, and a crew of real agents in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from initd.link import moves
from tests.support import crew
from tests.support.livehub import LiveHub
from tests.support.waiting import until
from wire.client import WireError
from wire.keys import KeyPair
from wire.messages import HubAddress
from wire.places import Places

Row = dict[str, Any]


class LiveHubs:
    """`hubs[0]` and so on; all have the same fleet key, as an operator copies it."""

    def __init__(
        self,
        folder: Path,
        store: str,
        count: int = 3,
        period: float = 0.5,
        sample_period: float = 1,
        more: str = "",
        places: Sequence[str] = (),
    ) -> None:
        fleet = KeyPair.generate()
        self.hubs: list[LiveHub] = []
        for number in range(count):
            home = folder / f"hub{number}"
            (home / "state" / "keys").mkdir(mode=0o700, parents=True)
            fleet.save(home / "state" / "keys" / "fleet.json")
            (home / "state" / "keys" / "hub.id").write_text(f"hub-{number}\n")
            place = places[number] if places else "127.0.0.1"
            self.hubs.append(LiveHub(home, period, f"[store]\nstore = {store}\n{more}", sample_period, place))

    def start(self) -> LiveHubs:
        """Starts them, and waits until each sees all and may act."""
        for hub in self.hubs:
            hub.start()
        until(lambda: all(self.states(hub) == self._whole(hub) for hub in self.hubs), 60.0, "all act and see all")
        return self

    def _whole(self, hub: LiveHub) -> Row:
        number = self.hubs.index(hub)
        return {f"hub-{n}": "acting" if n == number else "member" for n in range(len(self.hubs))}

    def states(self, hub: LiveHub) -> Row:
        """The hubs as one of them sees them."""
        try:
            return {row["hub"]: row["state"] for row in hub.client.query("hubs")}
        except WireError:
            return {}

    def join(self) -> str:
        """A join string that names all of them."""
        made = self.hubs[0].join()
        assert set(made.hubs) == {f"{hub.place}:{hub.ports['enrol']}" for hub in self.hubs}
        return made.format()

    def stop(self) -> None:
        """Ends everything, also where one of them makes trouble."""
        with ExitStack() as stack:
            for hub in self.hubs:
                stack.callback(hub.stop)


class LonelyPlaces(Places):
    """The fault: it knows the hub that it was enrolled at, and hears of no other."""

    def __init__(self, hubs: Sequence[HubAddress], now: float) -> None:
        super().__init__(hubs[:1], now)

    def told(self, hubs: Sequence[HubAddress], now: float) -> None:
        """Nothing is learned."""


def run_lonely(*args: Any) -> None:
    """tests.support.crew.run with the fault switched on."""
    moves.Places = LonelyPlaces  # type: ignore[misc]
    crew.run(*args)


class Crew:
    """So many agents in a process; `alone` switches the fault on."""

    def __init__(self, join: str, count: int, alone: bool = False) -> None:
        self.end, other = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(
            target=run_lonely if alone else crew.run, args=(other, join, 0, count, False), daemon=True
        )
        self.process.start()
        other.close()

    def ask(self, what: str) -> Any:
        """See tests.support.crew.run."""
        self.end.send(what)
        return self.end.recv()

    def live(self, pause: float) -> None:
        """Facts every `pause` seconds an agent; 0: no more."""
        self.end.send(pause)

    def close(self) -> None:
        """Ends it."""
        connection: Connection = self.end
        connection.close()
        self.process.join(10)
        if self.process.is_alive():
            self.process.kill()


def presences(hub: LiveHub) -> dict[str, str]:
    """Agent -> presence, by this hub."""
    return {row["agent"]: row["presence"] for row in hub.client.query("agents", all=True)}


def served(hub: LiveHub) -> int:
    """Agents that speak to this hub."""
    return next((row["agents"] for row in hub.client.query("hubs") if row["self"]), 0)


def losses(hub: LiveHub) -> list[Row]:
    """Every notice of a lost agent in the store."""
    rows: list[Row] = list(hub.client.events(limit=1000))
    return [row for row in rows if (row.get("body") or row).get("presence") == "lost"]
