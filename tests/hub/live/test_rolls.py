"""A rolling command outlives its hub: kill -9 in the middle, and every process is restarted exactly once."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub
from tests.support.waiting import until

Make = Callable[..., LiveAgent]


class Crew:
    """Agents that obey until they are told to stop; as PID 1 does, they execute an id once."""

    def __init__(self, agents: list[LiveAgent]) -> None:
        self.agents, self.ending, self.executed = agents, threading.Event(), Counter[str]()
        self.threads = [threading.Thread(target=self._obey, args=(agent,), daemon=True) for agent in agents]
        for thread in self.threads:
            thread.start()

    def _obey(self, agent: LiveAgent) -> None:
        while not self.ending.is_set():
            if agent.route.poll(50):
                self.executed[agent.obey().id] += 1

    def dismiss(self) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join(10)


def state(hub: LiveHub) -> Any:
    return hub.client.query("rolls", id="r1")[0]


def test_a_roll_goes_on_after_kill_9_of_the_hub(hub: LiveHub, agent: Make) -> None:
    agents = [agent(f"shop-{n}", "web", "db") for n in range(6)]
    for one in agents:
        one.live()
    crew = Crew(agents)
    try:
        hub.client.query("roll", targets=["*/*"], verb="restart", id="r1", at_a_time=1)
        until(lambda: state(hub)["done"] >= 2, what="two are done")
        hub.kill(signal.SIGKILL)
        hub.start()
        until(lambda: state(hub)["phase"] == "done", 60, "the roll is done")
        row = state(hub)
        assert (row["done"], row["failed"], row["total"]) == (12, 0, 12)
        assert set(crew.executed) == {f"r1.{n}" for n in range(1, 13)}
    finally:
        crew.dismiss()
