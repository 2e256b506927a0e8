"""The commands before a start and after an end, each a process that takes the program's place for a while; pure.

pre_start runs in STARTING: the program's own process is spawned when it ends with status 0, and anything else is a
failed start.  post_stop runs after each end of the program's process, in the state that this end led to, except that a
stop counts as over only when it is: so nothing starts before it has ended.  Whatever it says changes nothing.  Either
is killed with its process group when its time is over.
"""

from __future__ import annotations

from initd.events import (
    KILL,
    PRE_START,
    TERM,
    Ask,
    Asked,
    Await,
    Died,
    Due,
    Effect,
    Ended,
    Failing,
    Force,
    Hold,
    Kill,
    Restart,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
    Stop,
    Tell,
)
from initd.machine.ending import back_off, rest
from initd.machine.life import INITD_ACTOR, Phase, Program, Step, enter, how
from initd.machine.stopping import cancel, hold_back, stopped
from wire.model import Cause, State, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GRACE = 1.0
"""Seconds between TERM and KILL for a hook, and between two KILLs."""


# pre_start


def prepared(program: Program, event: Spawned, now: float) -> Step:
    """pre_start is there."""
    return program._replace(pid=event.pid, spawned_at=now, deadline=now + (program.rules.pre_start or 0.0)), ()


def died_preparing(program: Program, event: Died, now: float) -> Step:
    """pre_start has ended: status 0 opens the way."""
    program = program._replace(pid=None, deadline=None, cause=Cause.START_FAILURE)
    if event.code == 0 and program.want is Want.UP:
        return program._replace(phase=Phase.MAIN), (Spawn(),)
    why = "everything is being stopped" if event.code == 0 else f"{PRE_START}: {how(event)}"
    ended = _ended(program._replace(why=why), event)
    program, effects = back_off(program._replace(falls=program.falls + 1), now, why, event.chance, tidy=False)
    return program, (ended, *effects)


def prepared_too_long(program: Program, event: Due, now: float) -> Step:
    """pre_start has had its time: this start has failed."""
    why = f"{PRE_START} took longer than {now - program.spawned_at:.3g} s"
    program = program._replace(
        phase=Phase.CANCELLING, deadline=now + GRACE, cause=Cause.START_FAILURE, why=why, kills=0
    )
    return program, (Tell(why), Kill(TERM, True, wake=True))


def stop_preparing(program: Program, event: Stop, now: float) -> Step:
    """Somebody wants it down before it has begun."""
    return _cancel(program, now, Want.DOWN, event.asked, Cause.STOPPED, event.wait)


def force_preparing(program: Program, event: Force, now: float) -> Step:
    """Down at once."""
    program, effects = _cancel(program, now, Want.DOWN, event.asked, Cause.STOPPED, 0.0)
    program, killing = kill_hook(program, Due(), now)
    return program, (*effects[:-1], *killing)


def fail_preparing(program: Program, event: Failing, now: float) -> Step:
    """What it depends on went away again."""
    want = Want.UP if event.action == "restart" and program.want is Want.UP else Want.DOWN
    return _cancel(program, now, want, Asked(INITD_ACTOR, str(event.cause)), event.cause, None, event.why)


def _cancel(
    program: Program, now: float, want: Want, asked: Asked, cause: Cause, wait: float | None, why: str = ""
) -> Step:
    grace = float(program.rules.stopwaitsecs) if wait is None else wait
    program, changed = enter(
        program, State.STOPPING, now, why, phase=Phase.CANCELLING, want=want, asked=asked, wisher=asked, cause=cause,
        kills=0, deadline=now + grace,
    )  # fmt: skip
    return program, (changed, Kill(TERM, True, wake=True))


def stop_cancelled(program: Program, event: Stop, now: float) -> Step:
    """Somebody wants it down, and its pre_start is on its way out already."""
    program = program._replace(want=Want.DOWN, wisher=event.asked)
    if event.wait is not None and program.deadline is not None:
        program = program._replace(deadline=min(program.deadline, now + event.wait))
    if program.state is State.STOPPING:
        return program, ()
    program, changed = enter(
        program, State.STOPPING, now, program.why, phase=Phase.CANCELLING, asked=event.asked, deadline=program.deadline
    )
    return program, (changed,)


def force_cancelled(program: Program, event: Force, now: float) -> Step:
    """The same, at once."""
    program, effects = stop_cancelled(program, Stop(event.asked), now)
    program, killing = kill_hook(program, Due(), now)
    return program, (*effects, *killing)


def died_cancelled(program: Program, event: Died, now: float) -> Step:
    """The pre_start that had to go is gone."""
    ended = _ended(program, event)
    program = program._replace(pid=None)
    if program.state is State.STOPPING:
        program, effects = stopped(program._replace(why=how(event)), now)
    else:
        program = program._replace(falls=program.falls + 1)
        program, effects = back_off(program, now, program.why, event.chance, tidy=False)
    return program, (ended, *effects)


def _ended(program: Program, event: Died) -> Ended:
    failed = program.cause is Cause.START_FAILURE
    asked = None if failed else program.asked
    why = "" if program.cause is Cause.STOPPED else program.why
    return Ended(not failed, asked, event.code, event.signal, program.cause, why, program.kills > 0, PRE_START)


# post_stop


def tidying(program: Program, event: Spawned, now: float) -> Step:
    """post_stop is there."""
    deadline = now + (program.rules.post_stop or 0.0)
    return program._replace(pid=event.pid, spawned_at=now, deadline=deadline, kills=0), ()


def tidied(program: Program, event: Died | SpawnFailed, now: float) -> Step:
    """post_stop has ended, or could not be started."""
    turning = program.phase is Phase.TURNING
    program = program._replace(pid=None, deadline=None, phase=Phase.MAIN)
    if program.state in (State.STOPPING, State.UNKNOWN):
        return stopped(program, now)
    if turning:
        return program, (Ask(program.wisher),)
    return rest(program, now, program.again_at, tidy=False)


def turn(program: Program, event: Start | Restart | Await, now: float) -> Step:
    """Somebody wants it up: when post_stop has ended."""
    return program._replace(phase=Phase.TURNING, want=Want.UP, wisher=event.asked, again_at=None), ()


def stop_tidying(program: Program, event: Stop, now: float) -> Step:
    """Somebody wants it down: post_stop may finish, within the time there is."""
    deadline = program.deadline
    if event.wait is not None and deadline is not None:
        deadline = min(deadline, now + event.wait)
    return _down(program, event, now, cancel, deadline)


def force_tidying(program: Program, event: Force, now: float) -> Step:
    """Down at once: post_stop, too."""
    program, effects = _down(program, event, now, cancel, program.deadline)
    program, killing = kill_hook(program, Due(), now)
    return program, (*effects, *killing)


def hold_tidying(program: Program, event: Hold, now: float) -> Step:
    """A shutdown has begun: nothing follows post_stop."""
    return _down(program, event, now, hold_back, program.deadline)


def _down(
    program: Program, event: Stop | Force | Hold, now: float, leave: Callable[..., Step], deadline: float | None
) -> Step:
    effects: tuple[Effect, ...] = ()
    if program.state is State.BACKOFF:
        program, effects = leave(program, event, now)
    return program._replace(
        phase=Phase.TIDYING, want=Want.DOWN, wisher=event.asked, again_at=None, deadline=deadline
    ), effects


def kill_hook(program: Program, event: Due, now: float) -> Step:
    """The hook has had its time."""
    return program._replace(deadline=now + GRACE, kills=program.kills + 1), (Kill(KILL, True),)
