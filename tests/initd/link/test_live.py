"""A real initd with its real link at a real hub, on 127.0.0.1."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.livehub import LiveHub
from tests.support.liveinitd import LiveInitd
from tests.support.procfs import alive, environment
from tests.support.waiting import until
from wire.client import RefusedError

PROGRAMS = """
[program:sleeper]
command=sleep 1000
[program:family]
command=sh -c 'sleep 1001 & sleep 1002 & wait'
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LiveHub]:
    (tmp_path / "hub").mkdir()
    hub = LiveHub(tmp_path / "hub")
    yield hub.start()
    hub.stop()


@pytest.fixture
def box(hub: LiveHub, tmp_path: Path) -> Iterator[Callable[..., LiveInitd]]:
    """box(name, programs, settings, **environ): a container's initd that has joined the hub."""
    made: list[LiveInitd] = []

    def make(name: str = "web-1", programs: str = PROGRAMS, settings: str = "", **environ: str) -> LiveInitd:
        environ = environ or {"PIDONE_JOIN": hub.join().format()}
        made.append(LiveInitd(tmp_path / name, programs, settings, **environ).start())
        return made[-1]

    yield make
    for one in made:
        one.destroy()


def agent(hub: LiveHub, name: str = "web-1", presence: str = "live") -> dict[str, Any] | None:
    rows = hub.client.query("agents", all=True)
    return next((row for row in rows if row["name"] == name and row["presence"] == presence), None)


def processes(hub: LiveHub) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in hub.client.ps()}


def live(hub: LiveHub) -> dict[str, Any]:
    """The agent, once the hub knows its programs, too: commands name them."""
    until(lambda: processes(hub), what="the agent's programs")
    return until(lambda: agent(hub), what="a live agent")


def told(hub: LiveHub, name: str, key: str) -> Any:
    return processes(hub).get(name, {}).get(key)


def test_it_joins_and_shows_every_program_with_figures(hub: LiveHub, box: Any) -> None:
    box()
    until(lambda: told(hub, "sleeper", "rss"), what="figures of sleeper")
    rows = processes(hub)
    assert {"sleeper", "family"} <= set(rows)
    assert rows["sleeper"]["state"] == "RUNNING" or rows["sleeper"]["state"] == "STARTING"
    assert until(lambda: told(hub, "family", "tree"))["processes"] == 3


def test_the_programs_do_not_see_the_join_string(hub: LiveHub, box: Any) -> None:
    one = box()
    environ = until(lambda: environment(one.pid_of("sleeper")))
    assert "PIDONE_JOIN" not in environ and "pidone1." not in str(environ)


def test_a_command_of_the_hub_takes_effect(hub: LiveHub, box: Any) -> None:
    one = box()
    live(hub)
    before = one.pid_of("sleeper")
    row = hub.client.wait(hub.client.command("web-1/sleeper", "restart"))
    assert row["state"] == "done" and one.pid_of("sleeper") != before


def test_remote_observe_is_enforced_inside(hub: LiveHub, box: Any) -> None:
    one = box(settings="remote=observe")
    live(hub)
    before = one.pid_of("sleeper")
    with pytest.raises(RefusedError, match="observe"):
        hub.client.wait(hub.client.command("web-1/sleeper", "restart"))
    assert one.pid_of("sleeper") == before


def test_a_death_reaches_the_hub_as_an_exit_record(hub: LiveHub, box: Any) -> None:
    one = box()
    live(hub)
    os.kill(one.pid_of("sleeper"), signal.SIGKILL)
    [exit] = until(hub.client.exits)
    assert exit["signal"] == 9 and exit["cause"] in ("signal", "killed, oom possible")


def test_a_killed_link_comes_back_as_the_same_agent_and_no_program_notices(hub: LiveHub, box: Any) -> None:
    one = box()
    first, pid = live(hub), one.pid_of("sleeper")
    for _ in range(3):
        killed = one.kill_link()
        until(lambda: one.link_pid() not in (0, killed))  # noqa: B023
    until(lambda: (found := agent(hub)) and found["facts"]["last"] >= first["facts"]["last"])
    assert live(hub)["agent"] == first["agent"] and one.pid_of("sleeper") == pid
    assert len(hub.client.query("agents", all=True)) == 1


def test_a_hub_that_was_killed_has_everybody_and_everything_back(hub: LiveHub, box: Any) -> None:
    one = box(programs=PROGRAMS + "[program:crasher]\ncommand=sh -c 'sleep 0.2; exit 3'\nstartsecs=0\n")
    first = live(hub)
    until(lambda: len(hub.client.exits()) >= 2)
    hub.kill()
    before = one.status()["crasher"]["restarts"]
    until(lambda: one.status()["crasher"]["restarts"] >= before + 2)
    one.verb("stop", "crasher")
    hub.start()
    row = until(lambda: agent(hub))
    assert row["agent"] == first["agent"] and not one.said("enrolling again")
    ended = one.status()["crasher"]["restarts"] + 1
    until(lambda: len([e for e in hub.client.exits(limit=1000) if e["name"] == "crasher"]) == ended, what="each exit")


SLOW = "[program:slow]\ncommand=sleep 1000\nstartsecs=4\n"


def test_a_link_killed_in_the_middle_of_a_command_does_not_have_it_done_twice(hub: LiveHub, box: Any) -> None:
    one = box(programs=SLOW)
    live(hub)
    before = one.pid_of("slow")
    row = hub.client.command("web-1/slow", "restart", {"wait": 20})
    until(lambda: one.pid_of("slow") not in (0, before))  # executed, and its end is still to come
    one.kill_link()
    done = hub.client.wait(row, seconds=40)
    assert done["result"]["command"] == row["id"] and one.status()["slow"]["restarts"] == 1


def test_link_ends_with_its_pid_1(hub: LiveHub, box: Any) -> None:
    one = box()
    live(hub)
    link, programs = one.link_pid(), [row["pid"] for row in one.status().values()]
    assert one.process is not None
    one.process.kill()
    one.process.wait()
    try:
        until(lambda: not alive(link))
    finally:
        for pid in programs:
            os.kill(pid, signal.SIGKILL)


def test_a_silent_link_does_not_hide_behind_its_sockets(hub: LiveHub, box: Any) -> None:
    one = box()
    live(hub)
    stopped = one.kill_link(signal.SIGSTOP)
    until(lambda: agent(hub, presence="lost"))
    os.kill(stopped, signal.SIGCONT)
    live(hub)


def test_goodbye_is_said_with_the_reason(hub: LiveHub, box: Any) -> None:
    one = box()
    live(hub)
    assert one.stop() == 0
    gone = until(lambda: agent(hub, presence="gone"))
    assert gone["reason"] == "goodbye: shutdown by signal TERM"
    assert {exit["name"] for exit in hub.client.exits()} == {"sleeper", "family"}


def test_a_forgotten_key_is_enrolled_again(hub: LiveHub, box: Any) -> None:
    one = box()
    first = live(hub)
    hub.client.query("key.revoke", name=first["agent"])
    until(lambda: one.said("does not know this container's key"), what=one.log.read_text())
    until(lambda: (found := agent(hub)) and found["agent"] != first["agent"])


def test_without_a_join_string_there_is_no_link(tmp_path: Path) -> None:
    one = LiveInitd(tmp_path / "alone", PROGRAMS).start()
    assert one.link_pid() == 0 and not one.said("link")
    assert one.stop() == 0


@pytest.mark.parametrize(
    ("join", "complaint"),
    [("nonsense", "a join string starts with"), ("pidone1.AAAA", "damaged"), ("", "No such file or directory")],
)
def test_a_wrong_join_string_is_said_in_one_line_and_costs_the_programs_nothing(
    tmp_path: Path, join: str, complaint: str
) -> None:
    environ = {"PIDONE_JOIN": join} if join else {"PIDONE_JOIN_FILE": "/nowhere/join"}
    one = LiveInitd(tmp_path / "alone", PROGRAMS, **environ).start()
    try:
        until(lambda: one.said(complaint), what=one.log.read_text())
        assert one.status()["sleeper"]["state"] in ("STARTING", "RUNNING") and not one.said("Traceback")
    finally:
        assert one.stop() == 0


def test_an_expired_token_is_said_in_one_line(hub: LiveHub, box: Any) -> None:
    join = hub.join()
    hub.client.query("token.revoke", id=join.token)
    one = box(PIDONE_JOIN=join.format())
    until(lambda: one.said("refused to let this container join"), what=one.log.read_text())
    assert one.status()["sleeper"]["pid"] and not one.said("Traceback")


def test_figures_of_a_time_without_a_hub_are_told_later(hub: LiveHub, box: Any) -> None:
    box()
    until(lambda: told(hub, "sleeper", "rss"), what="figures of sleeper")
    hub.kill()
    cut = time.time()
    until(lambda: time.time() - cut > 6.0)
    hub.start()
    back = time.time()

    def whole() -> Any:
        times = hub.client.history("web-1/sleeper", start=cut - 1.5)["times"]
        steps = [b - a for a, b in itertools.pairwise(times)]
        return times and times[-1] > back and times[0] < cut + 2.5 and max(steps) < 2.5 and min(steps) > 0.2

    until(lambda: told(hub, "sleeper", "rss"), what="figures again")
    until(whole, 60, "samples of the time between")
    assert told(hub, "sleeper", "age") < 5.0
