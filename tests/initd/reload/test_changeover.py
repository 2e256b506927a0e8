"""Diffs carried out on a whole initd in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from initd.config.records import Config, Group
from initd.config.topics.logs import Logs
from initd.events import Asked
from initd.reload.changeover import Changeover, is_of_logs
from initd.reload.diff import compare
from tests.sim.machine import Simulated
from tests.support.programs import program
from wire.model import State

ME = Asked("uid=0", "update", "c1")


def config(*programs: Any) -> Config:
    """A configuration of these programs, each in the group it names."""
    names = dict.fromkeys(one.group for one in programs)
    groups = tuple(Group(name, 999, "program", ()) for name in names)
    return Config(programs, groups, Settings(), None, ())  # type: ignore[arg-type]


class Settings(tuple):  # type: ignore[type-arg]
    """No settings of initd itself."""

    _fields = ()


class Scene:
    """A simulated initd and the changeover of its configuration."""

    def __init__(self, *programs: Any) -> None:
        self.initd = Simulated()
        self.told: list[Config] = []
        self.initd.supervisor.adopt(config(*programs))
        self.changeover = Changeover(self.initd.supervisor, self.told.append)
        self.initd.start().run(2)

    def update(self, *programs: Any) -> list[tuple[str, str]]:
        sup, touched = self.initd.supervisor, []
        new = config(*programs)
        assert sup.config is not None
        diff = compare(sup.config, new)
        self.changeover.apply(diff, new, ME, lambda process, verb: touched.append((process.name, verb)))
        return touched

    def pid(self, name: str) -> int | None:
        return self.initd[name].pid

    def state(self, name: str) -> State:
        return self.initd[name].program.state


def slow(*names: str, **options: Any) -> list[Any]:
    return [program(name, stopwaitsecs=5, **options) for name in names]


def test_what_did_not_change_does_not_notice() -> None:
    scene = Scene(program("a"), program("b"))
    before = scene.pid("a")
    assert scene.update(program("a"), program("b", command="new", argv=("new",))) == [("b", "replace")]
    scene.initd.run(2)
    assert scene.pid("a") == before and scene.initd.kernel.sent[0][1] != before


def test_a_changed_command_is_a_new_process_of_the_new_definition() -> None:
    scene = Scene(program("a"))
    scene.update(program("a", command="new", argv=("new",)))
    scene.initd.run(2)
    order = scene.initd.kernel.spawned[-1].order
    assert order is not None and order.argv == ("new",) and scene.state("a") is State.RUNNING


def test_a_live_change_keeps_the_process_and_rules_at_once() -> None:
    scene = Scene(program("a"))
    before = scene.pid("a")
    assert scene.update(program("a", autorestart="false", stopsignal=3, priority=1)) == []
    assert scene.pid("a") == before and scene.initd["a"].program.rules.stopsignal == 3
    assert scene.initd["a"].config.priority == 1


def test_log_options_reach_a_running_program() -> None:
    scene = Scene(program("a"))
    scene.update(program("a", stdout_logfile="/tmp/a"))
    assert ("refit", "a") in scene.initd.output.calls


@pytest.mark.parametrize("option", ["log_mask", "logfile_rotate", "stderr_logfile", "logs"])
def test_so_do_options_of_how_they_are_shown(option: str) -> None:
    assert is_of_logs(option)


def test_a_mask_reaches_a_running_program() -> None:
    scene = Scene(program("a"))
    scene.update(program("a", logs=Logs(log_mask=("token=*",))))
    assert ("refit", "a") in scene.initd.output.calls


def test_the_stop_is_the_old_definitions() -> None:
    scene = Scene(program("a", stopsignal=3))
    scene.update(program("a", stopsignal=15, command="new"))
    scene.initd.run(0)
    assert scene.initd.kernel.sent[0][2] == 3


def test_what_is_removed_goes_and_is_forgotten() -> None:
    scene = Scene(program("a"), program("b"))
    assert scene.update(program("a")) == [("b", "remove")]
    scene.initd.run(1)
    assert list(scene.initd.supervisor.processes) == ["a"] and ("remove", "b") in scene.initd.output.calls


def test_what_is_added_starts_in_its_order() -> None:
    scene = Scene(program("b"))
    scene.update(program("a"), program("b"), program("c", autostart=False))
    assert list(scene.initd.supervisor.processes) == ["a", "b", "c"]
    assert scene.state("a") is State.STARTING and scene.state("c") is State.STOPPED


def test_what_is_added_waits_for_what_is_removed() -> None:
    scene = Scene()
    scene.initd.kernel.delays = {15: 3.0}
    scene = Scene(program("old"))
    scene.initd.kernel.alive[scene.pid("old") or 0].delays = {15: 3.0}
    scene.update(program("new"))
    assert scene.state("new") is State.STOPPED and scene.state("old") is State.STOPPING
    scene.initd.run(3.5)
    assert scene.state("new") is State.STARTING and "old" not in scene.initd.supervisor.processes


def test_who_was_stopped_by_hand_and_has_no_autostart_stays_down() -> None:
    scene = Scene(program("a", autostart=False))
    assert scene.update(program("a", autostart=False, command="new")) == [("a", "redefine")]
    scene.initd.run(2)
    assert scene.state("a") is State.STOPPED and scene.initd["a"].config.command == "new"


def test_a_fatal_program_is_tried_again_with_its_cure() -> None:
    scene = Scene(program("a", argv=(), startretries=0))
    scene.initd.run(5)
    assert scene.state("a") is State.FATAL
    scene.update(program("a", command="cure", startretries=0))
    scene.initd.run(2)
    assert scene.state("a") is State.RUNNING


def test_somebody_elses_start_does_not_bring_back_what_goes() -> None:
    scene = Scene(program("a"), program("b"))
    scene.initd.kernel.alive[scene.pid("b") or 0].delays = {15: 1.0}
    b = scene.initd["b"]
    scene.update(program("a"))
    scene.initd.supervisor.start(b, Asked("uid=1", "start"))
    scene.initd.run(30)
    assert list(scene.initd.supervisor.processes) == ["a"]


def test_what_is_wanted_again_before_it_is_gone_comes_back() -> None:
    scene = Scene(program("a"))
    scene.initd.kernel.alive[scene.pid("a") or 0].delays = {15: 2.0}
    scene.update()
    scene.update(program("a", command="back", argv=("back",)))
    scene.initd.run(5)
    order = scene.initd.kernel.spawned[-1].order
    assert scene.state("a") is State.RUNNING and order is not None and order.argv == ("back",)


def test_a_second_change_meets_a_process_that_is_still_leaving() -> None:
    scene = Scene(program("a"))
    scene.initd.kernel.alive[scene.pid("a") or 0].delays = {15: 2.0}
    scene.update(program("a", command="one", argv=("one",)))
    scene.update(program("a", command="one", argv=("one",), priority=7))
    scene.initd.run(5)
    assert scene.initd["a"].config.priority == 7 and scene.state("a") is State.RUNNING
    assert len(scene.initd.kernel.spawned) == 2


def test_a_shutdown_ends_it_all() -> None:
    scene = Scene(program("a"), program("b"))
    scene.initd.kernel.alive[scene.pid("b") or 0].delays = {15: 1.0}
    scene.update(program("a"), program("c"))
    scene.initd.supervisor.shutdown(ME)
    scene.initd.run(30)
    assert scene.initd.loop.code == 0 and scene.state("c") is State.STOPPED


def test_parts_are_told_before_anything_starts() -> None:
    scene = Scene(program("a"))
    scene.update(program("a"), program("b"))
    assert [len(one.programs) for one in scene.told] == [2]
