"""The life of one program's process as a pure state machine with supervisord's states and transitions.

Theory.  `step(program, event, now)` returns the program after the event and the effects to carry out; it knows no
clock, no process, no descriptor and no chance.  What is *wanted* (`want`) and what is *observed* (`state`) are separate
fields: commands change the wish and start whatever brings the state towards it, so giving a command twice is giving it
once.

Every transition lives in TABLE, keyed by (place, kind of event).  A pair that may occur and has no consequence is in
IGNORED, one that cannot is in IMPOSSIBLE; `step` raises LookupError on it, and a test walks all pairs.  The place is
the state, or the phase inside a state where options that supervisord does not know have one.  The transitions
themselves are in initd.machine, by theme: starting, ending (what nobody asked for), stopping, hooks.

    state      process   deadline                 meaning
    STOPPED    none      none                     never started, or stopped because somebody asked
    STARTING   yes (*)   spawn + startsecs        must live that long (and say Ready) to count as started
    RUNNING    yes       none
    BACKOFF    none      death + wait             start failed, will be tried again
    STOPPING   yes       signal + wait            got its stop signal; the next, or KILL, at the deadline, and again
    EXITED     none      none, or next start      ended by itself; is not restarted, or not yet: see initd.backoff
    FATAL      none      none                     start failed too often, or a crash loop
    UNKNOWN    yes       none                     a signal could not be delivered to it

    phase       in the states               process     meaning
    WAITING     STOPPED, EXITED, FATAL      none        wanted up, but something else has to come first
    PREPARING   STARTING                    the hook    pre_start runs
    CANCELLING  STARTING, STOPPING          the hook    pre_start has to go
    ABANDONING  STARTING                    yes         was not ready in time and has to go: a failed start
    EMPTYING    STOPPING, STARTING (**)     none        the leader is gone, others of the stop's scope are not
    TIDYING     any but STARTING, RUNNING   the hook    post_stop runs; then nothing, or the next automatic start
    TURNING     the same                    the hook    post_stop runs; then somebody wants it up

(*) Between the effect Spawn and the event Spawned or SpawnFailed that answers it there is no process yet.  The caller
carries out Spawn before it presents any other event, so no other event ever meets a program whose process is missing.
The same holds for Ask, which is answered with Start or Await, and Look, which may be answered with Emptied.
(**) STARTING after ABANDONING; also UNKNOWN.

Some steps pass through a state: a process that dies too early enters BACKOFF and, when its tries are used up, FATAL in
the same step; one that is restarted enters EXITED and STARTING in one step, so that a restart waits for nothing.  Each
passage is an effect Changed, in order; listeners see all of them.

Differences from supervisord 4.3, deliberate: a stop is followed by SIGCONT, so that a stopped (SIGSTOP) process can
obey; a start that meets STOPPING is remembered and carried out after the stop instead of being refused; age is
monotonic, so clock changes do nothing.
"""

from __future__ import annotations

from initd.events import (
    Await,
    Died,
    Due,
    Emptied,
    Event,
    Failing,
    Force,
    Hold,
    NotReady,
    Ready,
    Restart,
    Spawned,
    SpawnFailed,
    Start,
    Stop,
    Undeliverable,
)
from initd.machine import ending, hooks, starting, stopping
from initd.machine.life import Phase, Program, Step, want_down, want_up
from wire.model import State, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Place = State | Phase

__all__ = [
    "IGNORED", "IMPOSSIBLE", "PLACES", "TABLE", "Phase", "Program", "Step", "is_alive", "is_pending", "place", "step",
]  # fmt: skip


def step(program: Program, event: Event, now: float) -> Step:
    """The program after `event`, and what to do.  Raises LookupError for a pair that the table does not know."""
    key = (place(program), type(event))
    handler = TABLE.get(key)
    if handler is not None:
        return handler(program, event, now)
    if key in IGNORED:
        return program, ()
    raise LookupError(f"{key[0]} has no place for {type(event).__name__}")


def place(program: Program) -> Place:
    """Where it stands in the table."""
    return program.state if program.phase is Phase.MAIN else program.phase


def is_alive(program: Program) -> bool:
    """True while there is a process, a hook or the rest of a scope that a stop waits for."""
    return program.pid is not None or program.phase is Phase.EMPTYING


def is_pending(program: Program) -> bool:
    """True while it is down and will be started all the same: by itself, or when something else has come."""
    if program.want is Want.DOWN or (program.phase is Phase.TIDYING and program.again_at is None):
        return False
    return program.phase is not Phase.MAIN or (program.state is State.EXITED and program.deadline is not None)


S, P = State, Phase
PLACES: tuple[Place, ...] = (*State, *(phase for phase in Phase if phase is not P.MAIN))
"""Where a program can stand."""

_DOWN_FOR_GOOD = (S.STOPPED, S.EXITED, S.FATAL)
_HOOK_AFTER = (P.TIDYING, P.TURNING)
_NO_PROCESS = (*_DOWN_FOR_GOOD, S.BACKOFF, P.WAITING, P.EMPTYING)

TABLE: dict[tuple[Place, type], Callable[..., Step]] = {
    # down
    **{(place, kind): starting.start for place in (*_DOWN_FOR_GOOD, S.BACKOFF, P.WAITING) for kind in (Start, Restart)},
    **{(place, Await): starting.wait for place in (*_DOWN_FOR_GOOD, P.WAITING)},
    **{(state, kind): stopping.stay_down for state in _DOWN_FOR_GOOD for kind in (Stop, Force, Hold)},
    **{(P.WAITING, kind): starting.wait_no_more for kind in (Stop, Force, Hold)},
    (S.EXITED, Due): ending.start_again,
    (S.BACKOFF, Await): starting.wait_instead,
    (S.BACKOFF, Hold): stopping.hold_back,
    (S.BACKOFF, Due): starting.retry,
    (S.BACKOFF, Stop): stopping.cancel,
    (S.BACKOFF, Force): stopping.cancel,
    # up, or on the way
    **{(state, kind): want_up for state in (S.STARTING, S.RUNNING) for kind in (Start, Await)},
    **{(state, Hold): want_down for state in (S.STARTING, S.RUNNING)},
    **{(state, Stop): stopping.stop for state in (S.STARTING, S.RUNNING, S.UNKNOWN, P.ABANDONING)},
    **{(state, Restart): stopping.restart for state in (S.STARTING, S.RUNNING, S.UNKNOWN, P.ABANDONING)},
    **{(state, Failing): stopping.fail for state in (S.STARTING, S.RUNNING)},
    (S.STARTING, Spawned): starting.spawned,
    (S.STARTING, SpawnFailed): ending.spawn_failed,
    (S.STARTING, Died): ending.died_starting,
    (S.STARTING, Due): starting.lived,
    (S.STARTING, Ready): starting.ready,
    (S.STARTING, NotReady): starting.not_ready,
    (S.RUNNING, Died): ending.died_running,
    (S.RUNNING, Ready): starting.ready_late,
    # on the way down
    **{(place, kind): want_up for place in (S.STOPPING, P.EMPTYING, P.CANCELLING) for kind in (Start, Await, Restart)},
    **{(place, kind): want_up for place in (S.UNKNOWN, P.ABANDONING) for kind in (Start, Await)},
    **{(place, Hold): want_down for place in (S.STOPPING, S.UNKNOWN, P.ABANDONING, P.EMPTYING, P.CANCELLING)},
    **{
        (place, Force): stopping.force
        for place in (S.STARTING, S.RUNNING, S.STOPPING, S.UNKNOWN, P.ABANDONING, P.EMPTYING)
    },
    (S.STOPPING, Stop): stopping.stop_sooner,
    (S.STOPPING, Died): stopping.died_stopping,
    (S.STOPPING, Due): stopping.escalate,
    (S.STOPPING, Undeliverable): stopping.lose_sight,
    (S.UNKNOWN, Died): stopping.died_stopping,
    (P.ABANDONING, Due): stopping.escalate,
    (P.ABANDONING, Died): stopping.died_abandoned,
    (P.EMPTYING, Stop): stopping.stop_emptying,
    (P.EMPTYING, Due): stopping.press_on,
    (P.EMPTYING, Emptied): stopping.emptied,
    # hooks
    **{(P.PREPARING, kind): want_up for kind in (Start, Await, Restart)},
    (P.PREPARING, Hold): want_down,
    (P.PREPARING, Stop): hooks.stop_preparing,
    (P.PREPARING, Force): hooks.force_preparing,
    (P.PREPARING, Failing): hooks.fail_preparing,
    (P.PREPARING, Spawned): hooks.prepared,
    (P.PREPARING, SpawnFailed): ending.spawn_failed,
    (P.PREPARING, Died): hooks.died_preparing,
    (P.PREPARING, Due): hooks.prepared_too_long,
    (P.CANCELLING, Stop): hooks.stop_cancelled,
    (P.CANCELLING, Force): hooks.force_cancelled,
    (P.CANCELLING, Died): hooks.died_cancelled,
    (P.CANCELLING, Due): hooks.kill_hook,
    **{(phase, kind): hooks.turn for phase in _HOOK_AFTER for kind in (Start, Await, Restart)},
    **{(phase, Stop): hooks.stop_tidying for phase in _HOOK_AFTER},
    **{(phase, Force): hooks.force_tidying for phase in _HOOK_AFTER},
    **{(phase, Hold): hooks.hold_tidying for phase in _HOOK_AFTER},
    **{(phase, Spawned): hooks.tidying for phase in _HOOK_AFTER},
    **{(phase, kind): hooks.tidied for phase in _HOOK_AFTER for kind in (SpawnFailed, Died)},
    **{(phase, Due): hooks.kill_hook for phase in _HOOK_AFTER},
}
"""What each event does in each place."""

IMPOSSIBLE: frozenset[tuple[Place, type]] = frozenset(
    # Only the effect Spawn is answered by these, and only these places have it under way.
    {
        (place, kind)
        for place in PLACES
        if place not in (S.STARTING, P.PREPARING, *_HOOK_AFTER)
        for kind in (Spawned, SpawnFailed)
    }
    # Without a process nothing can die.
    | {(place, Died) for place in _NO_PROCESS}
)
"""Pairs that cannot occur; `step` raises on them."""

IGNORED: frozenset[tuple[Place, type]] = frozenset(
    # A deadline that was overtaken by the event that ended its state.
    {(place, Due) for place in (S.STOPPED, S.FATAL, S.RUNNING, S.UNKNOWN, P.WAITING)}
    # A signal that failed because the process ended meanwhile, or failed once more, or was a hook's.
    | {(place, Undeliverable) for place in PLACES if place is not S.STOPPING}
    # A look around that was overtaken.
    | {(place, Emptied) for place in PLACES if place is not P.EMPTYING}
    # News of a process that is not there (any more), or is on its way out already.
    | {(place, Ready) for place in PLACES if place not in (S.STARTING, S.RUNNING)}
    | {(place, NotReady) for place in PLACES if place is not S.STARTING}
    | {(place, Failing) for place in PLACES if place not in (S.STARTING, S.RUNNING, P.PREPARING)}
)
"""Pairs that occur and change nothing."""
