"""The life of one program's process as a pure state machine with supervisord's states and transitions.

Theory.  `step(program, event, now)` returns the program after the event and the effects to carry out; it knows no
clock, no process and no descriptor.  What is *wanted* (`want`) and what is *observed* (`state`) are separate fields:
commands change the wish and start whatever brings the state towards it, so giving a command twice is giving it once.

Every transition lives in TABLE, keyed by (state, kind of event).  A pair that may occur and has no consequence is in
IGNORED; a pair in neither is a bug of ours, `step` raises LookupError on it, and a test walks all pairs.

    state      process   deadline                 meaning
    STOPPED    none      none                     never started, or stopped because somebody asked
    STARTING   yes (*)   spawn + startsecs        must live that long to count as started
    RUNNING    yes       none
    BACKOFF    none      death + tries seconds    start failed, will be tried again
    STOPPING   yes       signal + wait            got its stop signal; KILL at the deadline, and again after that
    EXITED     none      none, or next start      ended by itself; is not restarted, or not yet: see backoff.next_start
    FATAL      none      none                     start failed too often
    UNKNOWN    yes       none                     a signal could not be delivered to it

(*) Between the effect Spawn and the event Spawned or SpawnFailed that answers it there is no process yet.  The caller
carries out Spawn before it presents any other event, so no other event ever meets a STARTING program without a pid.

Some steps pass through a state: a process that dies too early enters BACKOFF and, when its tries are used up, FATAL in
the same step; one that is restarted enters EXITED and STARTING in one step, so that a restart waits for nothing.  Each
passage is an effect Changed, in order; listeners see all of them.

Differences from supervisord 4.3, deliberate: a stop is followed by SIGCONT, so that a stopped (SIGSTOP) process can
obey; a start that meets STOPPING is remembered and carried out after the stop instead of being refused; age is
monotonic, so clock changes do nothing.
"""

from __future__ import annotations

from initd.backoff import HASTY_BURST, HASTY_SECONDS, is_exhausted, next_start, program_wait
from initd.events import (
    KILL,
    NOBODY,
    Asked,
    Changed,
    Died,
    Due,
    Effect,
    Ended,
    Event,
    Force,
    Hold,
    Kill,
    Restart,
    Rules,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
    Stop,
    Undeliverable,
)
from initd.signals import name_of
from wire._record import Record
from wire.model import State, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Program(Record):
    """One process of one program.  Times are seconds of the monotonic clock."""

    rules: Rules
    state: State = State.STOPPED
    want: Want = Want.DOWN
    since: float = 0.0
    pid: int | None = None
    spawned_at: float = 0.0
    deadline: float | None = None
    tries: int = 0
    """Failed starts in a row."""
    hasty: int = 0
    """Lives in a row that were started, and over within HASTY_SECONDS; not counted beyond HASTY_BURST + 1."""
    spawns: int = 0
    """Processes that came to be, ever."""
    asked: Asked = NOBODY
    """Whose command is being carried out: it stands in the exit record of a stop."""
    wisher: Asked = NOBODY
    """Who set the present wish; differs from `asked` when somebody wants it up again while it is stopping."""
    patience: float = 0.0
    """While STOPPING: seconds between two KILLs."""


LEAST_PATIENCE = 0.1
"""Seconds between two KILLs at least, where the configured wait is 0: a process in D state must not make us spin."""

Step = tuple[Program, tuple[Effect, ...]]


def step(program: Program, event: Event, now: float) -> Step:
    """The program after `event`, and what to do.  Raises LookupError for a pair that the table does not know."""
    key = (program.state, type(event))
    handler = TABLE.get(key)
    if handler is not None:
        return handler(program, event, now)
    if key in IGNORED:
        return program, ()
    raise LookupError(f"{program.state} has no place for {type(event).__name__}")


def is_alive(program: Program) -> bool:
    """True while there is a process."""
    return program.pid is not None


# Transitions


def _enter(program: Program, state: State, now: float, why: str = "", **changes: object) -> tuple[Program, Changed]:
    asked = changes.get("asked", program.asked)
    changed = Changed(program.state, state, why, asked)  # type: ignore[arg-type]
    fields: dict[str, object] = {"state": state, "since": now, "deadline": None, **changes}
    return program._replace(**fields), changed  # type: ignore[arg-type]


def _launch(program: Program, now: float, asked: Asked) -> Step:
    program, changed = _enter(program, State.STARTING, now, want=Want.UP, asked=asked, wisher=asked)
    return program, (changed, Spawn())


def _start(program: Program, event: Start | Restart, now: float) -> Step:
    return _launch(program._replace(tries=0, hasty=0), now, event.asked)


def _retry(program: Program, event: Due, now: float) -> Step:
    return _launch(program, now, program.asked)


def _want_up(program: Program, event: Start | Restart, now: float) -> Step:
    return program._replace(want=Want.UP, wisher=event.asked), ()


def _want_down(program: Program, event: Stop | Force | Hold, now: float) -> Step:
    return program._replace(want=Want.DOWN, wisher=event.asked), ()


def _stay_down(program: Program, event: Stop | Force | Hold, now: float) -> Step:
    return program._replace(want=Want.DOWN, wisher=event.asked, deadline=None), ()


def _start_again(program: Program, event: Due, now: float) -> Step:
    if program.deadline is None or now < program.deadline:
        return program, ()  # overtaken by the event that ended its state
    return _launch(program, now, NOBODY)


def _spawned(program: Program, event: Spawned, now: float) -> Step:
    deadline = now + max(0.0, program.rules.startsecs)
    return program._replace(pid=event.pid, spawned_at=now, deadline=deadline, spawns=program.spawns + 1), ()


def _spawn_failed(program: Program, event: SpawnFailed, now: float) -> Step:
    return _back_off(program, now, event.why)


def _back_off(program: Program, now: float, why: str) -> Step:
    tries = program.tries + 1
    program, changed = _enter(program, State.BACKOFF, now, why, pid=None, tries=tries)
    if program.want is Want.UP and not is_exhausted(tries, program.rules.startretries):
        return program._replace(deadline=now + program_wait(tries)), (changed,)
    program, given_up = _enter(program, State.FATAL, now, why, tries=0)
    return program, (changed, given_up)


def _started(program: Program, event: Due, now: float) -> Step:
    program, changed = _enter(program, State.RUNNING, now, tries=0)
    return program, (changed,)


def _died_starting(program: Program, event: Died, now: float) -> Step:
    if now - program.spawned_at < program.rules.startsecs:
        ended = Ended(False, None, event.code, event.signal)
        program, effects = _back_off(program, now, f"exited too quickly: {_how(event)}")
        return program, (ended, *effects)
    program, started = _started(program, Due(), now)
    program, effects = _died_running(program, event, now)
    return program, (*started, *effects)


def _died_running(program: Program, event: Died, now: float) -> Step:
    expected = event.code in program.rules.exitcodes
    ended = Ended(expected, None, event.code, event.signal)
    hasty = min(program.hasty, HASTY_BURST) + 1 if now - program.spawned_at < HASTY_SECONDS else 0
    program, changed = _enter(program, State.EXITED, now, _how(event), pid=None, asked=NOBODY, hasty=hasty)
    if program.want is Want.DOWN or not restarts(program.rules, expected):
        return program, (ended, changed)
    again = next_start(program.spawned_at, hasty)
    if again > now:
        return program._replace(deadline=again), (ended, changed)
    program, effects = _launch(program, now, NOBODY)
    return program, (ended, changed, *effects)


def _stop(program: Program, event: Stop, now: float) -> Step:
    return _bring_down(program, now, Want.DOWN, event.asked, event.wait)


def _stop_to_restart(program: Program, event: Restart, now: float) -> Step:
    return _bring_down(program, now, Want.UP, event.asked, None)


def _bring_down(program: Program, now: float, want: Want, asked: Asked, wait: float | None) -> Step:
    rules = program.rules
    patience = rules.stopwaitsecs if wait is None else wait
    program, changed = _enter(
        program,
        State.STOPPING,
        now,
        want=want,
        asked=asked,
        wisher=asked,
        deadline=now + patience,
        patience=max(patience, LEAST_PATIENCE),
    )
    return program, (changed, Kill(rules.stopsignal, rules.stopasgroup, wake=rules.stopsignal != KILL))


def _stop_sooner(program: Program, event: Stop, now: float) -> Step:
    program = program._replace(want=Want.DOWN, wisher=event.asked)
    if event.wait is not None and program.deadline is not None:
        deadline, patience = min(program.deadline, now + event.wait), max(event.wait, LEAST_PATIENCE)
        program = program._replace(deadline=deadline, patience=patience)
    return program, ()


def _force(program: Program, event: Force, now: float) -> Step:
    effects: tuple[Effect, ...] = ()
    if program.state is not State.STOPPING:
        program, changed = _enter(program, State.STOPPING, now, patience=1.0, asked=event.asked)
        effects = (changed,)
    program, killing = _escalate(program._replace(want=Want.DOWN, wisher=event.asked), Due(), now)
    return program, effects + killing


def _escalate(program: Program, event: Due, now: float) -> Step:
    return program._replace(deadline=now + program.patience), (Kill(KILL, program.rules.killasgroup),)


def _died_stopping(program: Program, event: Died, now: float) -> Step:
    ended = Ended(True, program.asked, event.code, event.signal)
    program, changed = _enter(program, State.STOPPED, now, _how(event), pid=None, tries=0, hasty=0)
    if program.want is Want.DOWN:
        return program, (ended, changed)
    program, effects = _launch(program, now, program.wisher)
    return program, (ended, changed, *effects)


def _cancel(program: Program, event: Stop | Force, now: float) -> Step:
    program, changed = _enter(program, State.STOPPED, now, want=Want.DOWN, tries=0, asked=event.asked)
    return program, (changed,)


def _give_up(program: Program, event: Hold, now: float) -> Step:
    program, changed = _enter(program, State.FATAL, now, want=Want.DOWN, wisher=event.asked, tries=0)
    return program, (changed,)


def _lose_sight(program: Program, event: Undeliverable, now: float) -> Step:
    program, changed = _enter(program, State.UNKNOWN, now, event.why)
    return program, (changed,)


def restarts(rules: Rules, expected: bool) -> bool:
    """Whether a process that ended by itself gets a successor."""
    return rules.autorestart == "true" or (rules.autorestart == "unexpected" and not expected)


def _how(event: Died) -> str:
    return f"exit status {event.code}" if event.signal is None else f"killed by {name_of(event.signal)}"


S = State
_DOWN_FOR_GOOD = (S.STOPPED, S.EXITED, S.FATAL)

TABLE: dict[tuple[State, type], Callable[..., Step]] = {
    **{(state, Start): _start for state in (*_DOWN_FOR_GOOD, S.BACKOFF)},
    **{(state, Restart): _start for state in (*_DOWN_FOR_GOOD, S.BACKOFF)},
    **{(state, Hold): _want_down for state in State if state is not S.BACKOFF},
    **{(state, kind): _stay_down for state in _DOWN_FOR_GOOD for kind in (Stop, Force, Hold)},
    (S.EXITED, Due): _start_again,
    (S.BACKOFF, Hold): _give_up,
    (S.BACKOFF, Due): _retry,
    (S.BACKOFF, Stop): _cancel,
    (S.BACKOFF, Force): _cancel,
    (S.STARTING, Start): _want_up,
    (S.STARTING, Stop): _stop,
    (S.STARTING, Restart): _stop_to_restart,
    (S.STARTING, Force): _force,
    (S.STARTING, Spawned): _spawned,
    (S.STARTING, SpawnFailed): _spawn_failed,
    (S.STARTING, Died): _died_starting,
    (S.STARTING, Due): _started,
    (S.RUNNING, Start): _want_up,
    (S.RUNNING, Stop): _stop,
    (S.RUNNING, Restart): _stop_to_restart,
    (S.RUNNING, Force): _force,
    (S.RUNNING, Died): _died_running,
    (S.STOPPING, Start): _want_up,
    (S.STOPPING, Stop): _stop_sooner,
    (S.STOPPING, Restart): _want_up,
    (S.STOPPING, Force): _force,
    (S.STOPPING, Died): _died_stopping,
    (S.STOPPING, Due): _escalate,
    (S.STOPPING, Undeliverable): _lose_sight,
    (S.UNKNOWN, Start): _want_up,
    (S.UNKNOWN, Stop): _stop,
    (S.UNKNOWN, Restart): _stop_to_restart,
    (S.UNKNOWN, Force): _force,
    (S.UNKNOWN, Died): _died_stopping,
}
"""What each event does in each state."""

_NO_PROCESS = (*_DOWN_FOR_GOOD, S.BACKOFF)

IGNORED: frozenset[tuple[State, type]] = frozenset(
    # A deadline that was overtaken by the event that ended its state.
    {(state, Due) for state in (S.STOPPED, S.FATAL, S.RUNNING, S.UNKNOWN)}
    # A signal that failed because the process ended meanwhile, or failed once more.
    | {(state, Undeliverable) for state in (*_NO_PROCESS, S.UNKNOWN)}
)
"""Pairs that occur and change nothing."""

IMPOSSIBLE: frozenset[tuple[State, type]] = frozenset(
    # Only the effect Spawn is answered by these, and only STARTING has it under way.
    {(state, kind) for state in State if state is not S.STARTING for kind in (Spawned, SpawnFailed)}
    # Without a process nothing can die.
    | {(state, Died) for state in _NO_PROCESS}
    # The effect Kill is only ever returned together with STOPPING.
    | {(state, Undeliverable) for state in (S.STARTING, S.RUNNING)}
)
"""Pairs that cannot occur; `step` raises on them."""
