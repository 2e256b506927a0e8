"""Rules for replacing healthy processes, in virtual time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from initd.config.topics.renewal import Renewal
from initd.renewal import part as module
from initd.renewal.part import Renewals, memory_of
from tests.sim.machine import ME, Simulated
from tests.support.programs import program
from wire.model import Cause, State


def rules(**options: Any) -> Any:
    values: dict[str, Any] = {
        "memory": None, "memory_of": "leader", "age": None, "age_jitter": 0.0, "on_change": (), "look": 10.0
    } | options  # fmt: skip
    return program("web", renewal=Renewal(**values))


def begin(one: Any) -> Simulated:
    sim = Simulated(one, program("other"))
    part = Renewals(sim.supervisor)
    assert sim.supervisor.config is not None
    part.adopt(sim.supervisor.config)
    sim.part = part  # type: ignore[attr-defined]
    return sim.start()


def spawns(sim: Simulated) -> int:
    return sim["web"].program.spawns


def test_an_old_process_is_replaced() -> None:
    sim = begin(rules(age=100.0))
    assert spawns(sim.run(99)) == 1
    assert spawns(sim.run(2)) == 2
    [record] = sim.exits()
    assert record.cause is Cause.RENEWAL
    assert spawns(sim.run(105)) == 3


def test_chance_makes_it_younger() -> None:
    sim = begin(rules(age=100.0, age_jitter=0.5))
    sim.supervisor.chance = lambda: 0.5
    sim.supervisor.restart(sim["web"], ME)
    assert spawns(sim.run(74)) == 2
    assert spawns(sim.run(2)) == 3


def test_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    used = {101: 50, 102: 1000, 103: 10}
    monkeypatch.setattr(module, "resident", lambda pid: used[pid])
    sim = begin(rules(memory=100))
    assert spawns(sim.run(50)) == 1
    used[101] = 101
    assert spawns(sim.run(10)) == 2
    assert spawns(sim.run(100)) == 2


def test_the_family_counts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "resident", lambda pid: 60)
    monkeypatch.setattr(module, "members", lambda kernel, process, scope: [(process.pid, 1), (7, 1)])
    assert spawns(begin(rules(memory=100)).run(15)) == 1
    assert spawns(begin(rules(memory=100, memory_of="family")).run(15)) == 2


def test_a_changed_file_counts_when_it_rests(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text("1")
    sim = begin(rules(on_change=(str(path),)))
    sim.run(25)
    path.write_text("22")
    sim.run(10)  # seen at 30
    path.write_text("333")
    assert spawns(sim.run(10)) == 1
    assert spawns(sim.run(10)) == 2
    assert spawns(sim.run(100)) == 2
    assert f"changed: {path}" in "".join(sim.voice.lines)


def test_a_change_that_is_taken_back_is_none(tmp_path: Path) -> None:
    sim = begin(rules(on_change=(f"{tmp_path}/*",)))
    sim.run(5)
    (tmp_path / "x").touch()
    sim.run(10)
    (tmp_path / "x").unlink()
    assert spawns(sim.run(100)) == 1


def test_a_stopped_program_is_left_alone() -> None:
    sim = begin(rules(age=100.0, memory=1))
    sim.run(5).supervisor.stop(sim["web"], ME)
    sim.run(1000)
    assert sim["web"].program.state is State.STOPPED
    assert sim.loop.pending == 0


def test_new_rules_count_for_those_that_run() -> None:
    sim = begin(rules(age=1000.0))
    sim.run(50)
    sim["web"].config = rules(age=20.0)
    assert sim.supervisor.config is not None
    sim.part.adopt(sim.supervisor.config)  # type: ignore[attr-defined]
    assert spawns(sim.run(1)) == 2


def test_our_own_memory_is_read() -> None:
    ours = memory_of([os.getpid()])
    assert 5 << 20 < ours < 5 << 30
    assert memory_of([os.getpid(), 2**22 + 1]) == pytest.approx(ours, rel=0.2)
