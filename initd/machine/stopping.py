"""From a wish, a failing probe or a shutdown to STOPPED: signals in turn, KILL, and whatever the scope holds; pure.

A stop sends its signals one after the other, each with its own patience, then KILL again and again.  With a stop_scope
it is over when nothing of the scope is left, not when the leader died: what the leader left behind gets the signals
that are still to come, and what survives KILLS_MOST KILLs (it runs as somebody whom we may not signal, or sleeps in the
kernel) is reported, so that a stop always ends.
"""

from __future__ import annotations

from initd.events import (
    GROUP,
    KILL,
    POST_STOP,
    TREE,
    Ask,
    Asked,
    Died,
    Due,
    Effect,
    Emptied,
    Ended,
    Failing,
    Force,
    Kill,
    Leave,
    Look,
    Reach,
    Restart,
    Spawn,
    Stop,
    Undeliverable,
)
from initd.machine.ending import back_off, count, give_up, is_looping, loop_of
from initd.machine.life import INITD_ACTOR, Phase, Program, Step, enter, how, launch
from wire.model import Cause, State, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LEAST_PATIENCE = 0.1
"""Seconds between two KILLs at least, where the configured wait is 0: a process in D state must not make us spin."""

KILLS_MOST = 2
"""What is left of a scope after so many KILLs, without its leader, is reported and left alone."""

KILL_SECONDS = 1.0
"""What a KILL of the scope may take: killing is quick, or does not work at all."""

FORCE_PATIENCE = 1.0
"""Seconds between two KILLs where somebody asked for force."""


# Wishes


def stop(program: Program, event: Stop, now: float) -> Step:
    """Somebody wants it down."""
    return _bring_down(program, now, Want.DOWN, event.asked, event.wait)


def restart(program: Program, event: Restart, now: float) -> Step:
    """Somebody wants a new process in its place."""
    return _bring_down(program, now, Want.UP, event.asked)


def fail(program: Program, event: Failing, now: float) -> Step:
    """A rule wants it replaced, or ended."""
    want = Want.UP if event.action == "restart" and program.want is Want.UP else Want.DOWN
    return _bring_down(program, now, want, Asked(INITD_ACTOR, str(event.cause)), None, event.cause, event.why)


def _bring_down(
    program: Program,
    now: float,
    want: Want,
    asked: Asked,
    wait: float | None = None,
    cause: Cause = Cause.STOPPED,
    why: str = "",
) -> Step:
    signum, schedule = _first(program, now, wait)
    program, changed = enter(
        program, State.STOPPING, now, why, want=want, asked=asked, wisher=asked, cause=cause, **schedule
    )
    return program, (changed, _send(program, signum))


def stop_sooner(program: Program, event: Stop, now: float) -> Step:
    """Asked again while it is stopping: perhaps there is less time now."""
    program = program._replace(want=Want.DOWN, wisher=event.asked)
    return (program if event.wait is None else _hurry(program, now, event.wait)), ()


def force(program: Program, event: Force, now: float) -> Step:
    """KILL, now."""
    effects: tuple[Effect, ...] = ()
    if program.state is not State.STOPPING:
        program, changed = enter(
            program, State.STOPPING, now, phase=_ending_phase(program), asked=event.asked, cause=Cause.STOPPED, kills=0
        )
        effects = (changed,)
    program = program._replace(want=Want.DOWN, wisher=event.asked, steps=(), patience=FORCE_PATIENCE)
    program, killing = escalate(program, Due(), now)
    return program, effects + killing


def _ending_phase(program: Program) -> Phase:
    return Phase.EMPTYING if program.phase is Phase.EMPTYING else Phase.MAIN


# Signals


def begin(program: Program, now: float, wait: float | None) -> Step:
    """The first signal of a stop that may take `wait` seconds, by default as long as its signals are given."""
    signum, schedule = _first(program, now, wait)
    program = program._replace(**schedule)
    return program, (_send(program, signum),)


def _first(program: Program, now: float, wait: float | None) -> tuple[int, dict[str, Any]]:
    """The first signal of a stop, and the fields that say what comes after it."""
    (signum, seconds), *later = _schedule(program, wait)
    last = later[-1][1] if later else seconds
    patience = max(last, LEAST_PATIENCE)
    return signum, {"deadline": now + seconds, "steps": tuple(later), "patience": patience, "kills": 0}


def _schedule(program: Program, wait: float | None) -> tuple[tuple[int, float], ...]:
    rules = program.rules
    steps = rules.stop_signals or ((rules.stopsignal, float(rules.stopwaitsecs)),)
    if wait is None:
        return steps
    if len(steps) == 1:
        return ((steps[0][0], wait),)
    whole = sum(seconds for _, seconds in steps)
    return tuple((signum, wait * seconds / whole if whole else wait / len(steps)) for signum, seconds in steps)


def _hurry(program: Program, now: float, wait: float) -> Program:
    """Squeeze what is still to come into `wait` seconds; never the other way."""
    if program.deadline is None:
        return program
    here = max(0.0, program.deadline - now)
    whole = here + sum(seconds for _, seconds in program.steps)
    part = min(1.0, wait / whole) if whole else 1.0
    return program._replace(
        deadline=min(program.deadline, now + here * part),
        steps=tuple((signum, seconds * part) for signum, seconds in program.steps),
        patience=max(wait, LEAST_PATIENCE),
    )


def escalate(program: Program, event: Due, now: float) -> Step:
    """The last signal has had its time: the next one, and KILL when there is none."""
    if program.steps:
        (signum, seconds), *later = program.steps
        return program._replace(deadline=now + seconds, steps=tuple(later)), (_send(program, signum),)
    killing = Reach(KILL) if _has_scope(program) else Kill(KILL, program.rules.killasgroup)
    return program._replace(deadline=now + program.patience, kills=program.kills + 1), (killing,)


def _send(program: Program, signum: int) -> Effect:
    if _has_scope(program):
        return Reach(signum, wake=signum != KILL)
    return Kill(signum, program.rules.stopasgroup, wake=signum != KILL)


def _has_scope(program: Program) -> bool:
    return program.rules.stop_scope in (GROUP, TREE)


def lose_sight(program: Program, event: Undeliverable, now: float) -> Step:
    """We may not signal it (any more)."""
    program, changed = enter(program, State.UNKNOWN, now, event.why)
    return program, (changed,)


def stop_emptying(program: Program, event: Stop, now: float) -> Step:
    """Somebody wants it down while the rest of it is being stopped."""
    program, _ = stop_sooner(program, event, now)
    if program.state is not State.STARTING:
        return program, ()
    program, changed = enter(
        program, State.STOPPING, now, phase=Phase.EMPTYING, asked=event.asked, deadline=program.deadline
    )
    return program, (changed,)


# Ends


def died_stopping(program: Program, event: Died, now: float) -> Step:
    """The leader is gone."""
    ended = _ended(program, event)
    if program.cause is Cause.PROBE:
        program = count(program, now)
    program = program._replace(pid=None, why=how(event))
    program, effects = _look_around(program, now, event.chance)
    return program, (ended, *effects)


def died_abandoned(program: Program, event: Died, now: float) -> Step:
    """The process that did not become ready is gone."""
    ended = _ended(program, event)
    program, effects = _look_around(count(program, now)._replace(pid=None), now, event.chance)
    return program, (ended, *effects)


def _ended(program: Program, event: Died) -> Ended:
    probed = program.cause is Cause.PROBE
    asked = Asked(INITD_ACTOR, str(program.cause)) if program.phase is Phase.ABANDONING else program.asked
    why = "" if program.cause is Cause.STOPPED else program.why
    return Ended(not probed, asked, event.code, event.signal, program.cause, why, program.kills > 0)


def _look_around(program: Program, now: float, chance: float) -> Step:
    if not _has_scope(program):
        return _over(program, now, chance)
    return program._replace(phase=Phase.EMPTYING, deadline=program.deadline or now + KILL_SECONDS), (Look(),)


def emptied(program: Program, event: Emptied, now: float) -> Step:
    """Nothing of the scope is left; of a tree there may be orphans that it cannot claim, and that are reported."""
    program, effects = _over(program, now)
    return program, (Leave(), *effects) if program.rules.stop_scope == TREE else effects


def press_on(program: Program, event: Due, now: float) -> Step:
    """Something of the scope outlived its leader and the last signal."""
    if program.steps:
        return escalate(program, event, now)
    if program.kills < KILLS_MOST:
        return escalate(program._replace(patience=min(program.patience, KILL_SECONDS)), event, now)
    program, effects = _over(program, now)
    return program, (Leave(), *effects)


def _over(program: Program, now: float, chance: float = 0.5) -> Step:
    """Its process is gone, and what belonged to it."""
    if program.state is State.STARTING:
        return back_off(program, now, program.why, chance, tidy=True)
    if program.rules.post_stop is not None:
        phase = Phase.TURNING if program.want is Want.UP else Phase.TIDYING
        return program._replace(phase=phase, deadline=None, again_at=None), (Spawn(POST_STOP),)
    return stopped(program, now)


def stopped(program: Program, now: float) -> Step:
    """It is down; where it is wanted up, it starts again."""
    replaced = program.cause is Cause.PROBE and program.wisher == program.asked
    program, changed = enter(program, State.STOPPED, now, program.why, pid=None, tries=0, hasty=0)
    if program.want is Want.DOWN:
        return program, (changed,)
    if not replaced:
        return program, (changed, Ask(program.wisher))
    if is_looping(program, now):
        program, effects = give_up(program, now, loop_of(program), tidy=False)
    else:
        program, effects = launch(program, now, program.wisher)
    return program, (changed, *effects)


def cancel(program: Program, event: Stop | Force, now: float) -> Step:
    """No process to stop: only the next try."""
    program, changed = enter(program, State.STOPPED, now, want=Want.DOWN, tries=0, asked=event.asked)
    return program, (changed,)


def hold_back(program: Program, event: object, now: float) -> Step:
    """A shutdown has begun: no next try."""
    asked = event.asked  # type: ignore[attr-defined]
    program, changed = enter(program, State.FATAL, now, want=Want.DOWN, wisher=asked, tries=0)
    return program, (changed,)


def stay_down(program: Program, event: object, now: float) -> Step:
    """It is down already: see that it stays so."""
    return program._replace(want=Want.DOWN, wisher=event.asked, deadline=None), ()  # type: ignore[attr-defined]
