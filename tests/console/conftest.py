"""One fleet with a console for the tests that look at it: a real hub, a real initd, a real consoled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.liveconsole import PASSWORD, LiveConsole, Visitor
from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.waiting import until

PROGRAMS = """
[program:web]
command=sleep 1000
[program:talks]
command=sh -c 'printf "<b>bold</b> \\033[31mred \\342\\200\\256evil\\n"; exec sleep 1000'
[program:fails]
command=sh -c 'exit 3'
startretries=0
"""


class Estate:
    """A hub, containers of two teams, a console, and an admin who is logged in."""

    def __init__(self, folder: Path) -> None:
        self.hub = LiveHub(folder).start()
        self.agents = [self._agent(folder, "blue-1", "blue"), self._agent(folder, "red-1", "red")]
        self.console = LiveConsole(folder / "console", [self.hub]).start()
        self.root = self.console.founded()
        until(lambda: len(self.root.api("GET", "/programs").said["rows"]) == 6, 60, "all programs are known")

    def _agent(self, folder: Path, name: str, team: str) -> LiveInitd:
        join = self.hub.join(labels={"team": team}).format()
        return LiveInitd(folder / name, PROGRAMS, "remote=operate", PIDONE_JOIN=join).start()

    def user(self, name: str, role: str, **scope: str) -> Visitor:
        """Somebody new, logged in."""
        made = self.root.api("POST", "/users", {"user": name, "password": PASSWORD, "role": role, "scope": scope})
        assert made.status in (201, 409), made
        return self.console.visitor(name)

    def stop(self) -> None:
        """Ends all of it."""
        self.console.stop()
        for agent in self.agents:
            agent.destroy()
        self.hub.stop()


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    found = Estate(tmp_path_factory.mktemp("estate"))
    yield found
    found.stop()
