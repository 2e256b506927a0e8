"""One running hub for the tests of hubctl, with one agent that obeys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from hub.ctl.verbs import main
from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A hub that all tests of a module share."""
    hub = LiveHub(tmp_path_factory.mktemp("hub"), period=2.0)
    try:
        yield hub.start()
    finally:
        hub.stop()


@pytest.fixture(scope="module")
def shop(hub: LiveHub) -> Iterator[LiveAgent]:
    """An agent `shop` with programs web and worker that carries out every command."""
    agent = joined(hub.join(), "shop", "web", "worker")
    agent.live()
    ending = threading.Event()
    thread = threading.Thread(target=_obey, args=(agent, ending), daemon=True)
    thread.start()
    yield agent
    ending.set()
    thread.join(10)
    agent.close()


def _obey(agent: LiveAgent, ending: threading.Event) -> None:
    while not ending.is_set():
        if agent.route.poll(50):
            agent.obey()


@pytest.fixture
def hubctl(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """hubctl(*argv) -> exit code, with the admin's key."""
    monkeypatch.setenv("PIDONE_CLIENT_KEY", str(hub.folder / "state" / "client" / "admin.json"))
    return lambda *argv: main(argv)
