"""From a wish to RUNNING: starts, what they wait for, and readiness; pure."""

from __future__ import annotations

from initd.events import Await, Due, NotReady, Ready, Restart, Spawned, Start, Tell
from initd.machine.ending import lacks_ready, started
from initd.machine.life import Phase, Program, Step, enter, launch
from initd.machine.stopping import begin
from wire.model import Cause, State, Want


def start(program: Program, event: Start | Restart, now: float) -> Step:
    """Somebody wants it up: now, and with fresh tries."""
    return launch(program._replace(tries=0, hasty=0, falls=0, ends=(), why=""), now, event.asked)


def wait(program: Program, event: Await, now: float) -> Step:
    """Somebody wants it up, and it is said what has to come first."""
    waiting = program._replace(
        phase=Phase.WAITING, want=Want.UP, asked=event.asked, wisher=event.asked, deadline=None, why=event.why
    )
    return waiting, (Tell(event.why),)


def wait_instead(program: Program, event: Await, now: float) -> Step:
    """What it would try again needs something that is not there (any more): no more tries until it is."""
    program, changed = enter(program, State.STOPPED, now, asked=event.asked, tries=0)
    program, effects = wait(program, event, now)
    return program, (changed, *effects)


def wait_no_more(program: Program, event: object, now: float) -> Step:
    """The wish was taken back."""
    asked = event.asked  # type: ignore[attr-defined]
    return program._replace(phase=Phase.MAIN, want=Want.DOWN, wisher=asked, why=""), (Tell(""),)


def retry(program: Program, event: Due, now: float) -> Step:
    """The wait after a failed start is over."""
    return launch(program, now, program.asked)


def spawned(program: Program, event: Spawned, now: float) -> Step:
    """The process is there; from here startsecs count."""
    deadline = now + max(0.0, program.rules.startsecs)
    return program._replace(pid=event.pid, spawned_at=now, deadline=deadline, spawns=program.spawns + 1), ()


def lived(program: Program, event: Due, now: float) -> Step:
    """startsecs are over."""
    if lacks_ready(program):
        return program._replace(deadline=None), ()
    program, changed = started(program, now)
    return program, (changed,)


def ready(program: Program, event: Ready, now: float) -> Step:
    """It says that it is ready; startsecs count all the same."""
    program = program._replace(ready_at=now)
    if now - program.spawned_at < program.rules.startsecs:
        return program, ()
    program, changed = started(program, now)
    return program, (changed,)


def ready_late(program: Program, event: Ready, now: float) -> Step:
    """It runs, and nobody had to wait for this."""
    return program._replace(ready_at=now if program.ready_at is None else program.ready_at), ()


def not_ready(program: Program, event: NotReady, now: float) -> Step:
    """The attempt has failed: its process is ended, and that counts as a failed start."""
    program = program._replace(phase=Phase.ABANDONING, cause=Cause.PROBE, why=event.why)
    program, signals = begin(program, now, None)
    return program, (Tell(event.why), *signals)
