"""When a wish is reached, where a state alone does not tell."""

from __future__ import annotations

from typing import Any

from initd.backoff import Backoff
from initd.config.topics.hooks import Hooks
from initd.config.topics.jobs import Jobs
from initd.config.topics.restarts import Restarts
from initd.replies import Later, Reply
from initd.wishes import ACCEPTED, DONE, FAILED, Command, Commands, Goal
from tests.sim.machine import ME, Simulated
from tests.support.programs import program as configured

ONESHOT: dict[str, Any] = {"jobs": Jobs("oneshot"), "startsecs": 0, "startretries": 0, "autostart": False}


class Wish:
    """A wish about `web` in a simulated initd."""

    def __init__(self, verb: str, **options: Any) -> None:
        self.sim = Simulated(configured("web", **options)).start()
        self.goal = Goal(self.sim["web"], verb, self.sim.loop.now())

    def give(self) -> Wish:
        getattr(self.sim.supervisor, self.goal._verb)(self.sim["web"], ME)
        return self

    def end(self, code: int) -> Wish:
        self.sim.kernel.die(self.sim["web"].pid or 0, code=code)
        return self

    def run(self, seconds: float) -> Wish:
        self.sim.run(seconds)
        return self

    def outcome(self) -> str:
        self.goal.judge(self.sim.loop.now())
        return self.goal.outcome


def test_a_oneshot_is_started_when_it_is_done() -> None:
    wish = Wish("start", **ONESHOT).give().run(5.0)
    assert wish.outcome() == ACCEPTED
    assert wish.end(0).outcome() == DONE


def test_a_oneshot_that_fails_is_told_when_no_try_is_left() -> None:
    wish = Wish("start", **{**ONESHOT, "startretries": 1}).give().end(1)
    assert wish.outcome() == ACCEPTED
    assert wish.run(1.1).end(1).outcome() == FAILED
    assert wish.goal.message == "exit status 1"


def test_a_start_that_waits_for_a_dependency_is_open_whatever_came_before() -> None:
    wish = Wish("start", **ONESHOT)
    wish.give().end(0)
    wish.sim.supervisor.gates.append(lambda process: "waits for db:ready")
    wish.give()
    assert wish.outcome() == ACCEPTED
    assert wish.goal.row(0.0)["message"] == "waits for db:ready"


def test_a_start_that_backs_off_is_open() -> None:
    wish = Wish("start", restarts=Restarts(Backoff(5.0, jitter=0.0), None), startsecs=0).run(2.0).end(1)
    assert wish.outcome() == ACCEPTED
    assert wish.run(5.1).outcome() == DONE


def test_a_stop_is_reached_when_post_stop_has_ended() -> None:
    wish = Wish("stop", hooks=Hooks((), 5.0, ("/bin/post",), 5.0), autorestart="false").run(2.0).end(1).give()
    assert wish.outcome() == ACCEPTED
    assert wish.end(0).outcome() == DONE


def test_a_stop_tells_who_survived_it() -> None:
    wish = Wish("stop").run(2.0).give().run(0.1)
    wish.sim["web"].left = "survived its stop: pid 7"
    assert (wish.outcome(), wish.goal.message) == (DONE, "survived its stop: pid 7")


def command_for(sim: Simulated, id: str) -> Command:
    made = Command(id, "stop", "uid=0", sim.loop.now() + 60, remote=False)
    made.goals.append(Goal(sim["web"], "stop", sim.loop.now()))
    return made


def test_changes_are_held_against_open_commands_only() -> None:
    sim = Simulated(configured("web")).start()
    commands, later = Commands(), Later(1, sim.loop.now() + 10)
    for number in range(5):
        assert commands.add(command_for(sim, f"c{number}"), sim.loop.now())
    last = commands.get("c4", sim.loop.now())
    assert last is not None
    last.laters.append(later)
    assert commands.waiting() == [last]
    sim.supervisor.stop(sim["web"], ME)
    sim.run(1)
    for _ in range(2):
        commands.look(sim["web"], sim.loop.now())
    assert later.reply is not None
    assert commands._open == {} and len(commands) == 5 and commands.waiting() == []


def ended(number: int, expires: float = 100.0) -> Command:
    command = Command(f"c{number}", "start", "hub:alice", expires, remote=True)
    command.final = Reply(None, {"command": command.id, "verb": "start", "outcome": "failed", "processes": [1, 2]})
    return command


def test_what_ended_makes_room_until_its_outcomes_fill_theirs():
    commands = Commands(capacity=2, outcomes=3)
    assert [commands.add(ended(number, 100.0 - number), 0.0) for number in range(6)] == [True] * 5 + [False]
    assert commands.get("c0", 0.0).final.result == {
        "command": "c0", "verb": "start", "outcome": "failed", "processes": []
    }  # fmt: skip
    assert commands.get("c4", 0.0).final.result["processes"] == [1, 2] and commands.get("c5", 0.0) is None
    assert commands.add(ended(6), 99.0), "the first is still there, but others have expired"
    assert commands.get("c0", 99.0) is not None and commands.get("c1", 99.0) is None


def test_an_id_that_expired_may_be_used_again():
    commands = Commands(capacity=1, outcomes=9)
    for number, expires in ((0, 50.0), (1, 10.0), (2, 50.0)):
        commands.add(ended(number, expires), 0.0)
    assert commands.add(ended(1, 50.0), 20.0) and commands.get("c1", 20.0).final.result["processes"] == [1, 2]
