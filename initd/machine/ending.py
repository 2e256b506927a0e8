"""Ends that nobody asked for, failed starts among them: what follows, and when; pure.

Each of them may be followed by an automatic start.  How often is bounded in two ways, startretries in a row and
crash_loop in a time, and how soon by initd.backoff.
"""

from __future__ import annotations

from initd.backoff import HASTY_BURST, HASTY_SECONDS, is_exhausted, next_start, program_wait, wait_after
from initd.events import NOBODY, POST_STOP, Died, Due, Effect, Ended, Rules, Spawn, SpawnFailed
from initd.machine.life import Phase, Program, Step, enter, how, launch
from wire.model import State, Want


def restarts(rules: Rules, expected: bool) -> bool:
    """Whether a process that ended by itself gets a successor."""
    return rules.autorestart == "true" or (rules.autorestart == "unexpected" and not expected)


def died_starting(program: Program, event: Died, now: float) -> Step:
    """It ended before it counted as started; a one-shot may end at any time."""
    rules = program.rules
    if rules.oneshot or (now - program.spawned_at >= rules.startsecs and not lacks_ready(program)):
        program, changed = started(program, now)
        program, effects = died_running(program, event, now)
        return program, (changed, *effects)
    early = "exited before it was ready" if now - program.spawned_at >= rules.startsecs else "exited too quickly"
    ended = Ended(False, None, event.code, event.signal)
    program, effects = back_off(count(program, now), now, f"{early}: {how(event)}", event.chance, tidy=True)
    return program, (ended, *effects)


def lacks_ready(program: Program) -> bool:
    """Whether it has yet to say that it is ready."""
    return program.rules.awaits_ready and program.ready_at is None


def started(program: Program, now: float) -> tuple[Program, Effect]:
    """It counts as started.  A one-shot has proved nothing by that: its failed runs go on being counted."""
    return enter(program, State.RUNNING, now, tries=program.tries if program.rules.oneshot else 0)


def died_running(program: Program, event: Died, now: float) -> Step:
    """It ended by itself."""
    expected = event.code in program.rules.exitcodes
    ended = Ended(expected, None, event.code, event.signal)
    hasty = min(program.hasty, HASTY_BURST) + 1 if now - program.spawned_at < HASTY_SECONDS else 0
    program, changed = enter(count(program, now), State.EXITED, now, how(event), pid=None, asked=NOBODY, hasty=hasty)
    program, effects = (_end_run if program.rules.oneshot else _end_life)(program, event, now, expected)
    return program, (ended, changed, *effects)


def _end_life(program: Program, event: Died, now: float, expected: bool) -> Step:
    if program.want is Want.DOWN or not restarts(program.rules, expected):
        return rest(program, now, None, tidy=True)
    if is_looping(program, now):
        return give_up(program, now, loop_of(program), tidy=True)
    again = next_start(program.spawned_at, program.hasty)
    if program.rules.backoff is not None:
        again = max(again, now + wait_after(program.falls, program.rules.backoff, event.chance))
    return rest(program, now, again, tidy=True)


def _end_run(program: Program, event: Died, now: float, expected: bool) -> Step:
    """A one-shot is done, or has failed once more."""
    if expected:
        return rest(program._replace(tries=0, falls=0, ends=()), now, None, tidy=True)
    program = program._replace(tries=program.tries + 1)
    if program.want is Want.DOWN:
        return rest(program, now, None, tidy=True)
    if is_exhausted(program.tries, program.rules.startretries):
        return give_up(program, now, how(event), tidy=True)
    if is_looping(program, now):
        return give_up(program, now, loop_of(program), tidy=True)
    return rest(program, now, now + _wait(program, event.chance), tidy=True)


def spawn_failed(program: Program, event: SpawnFailed, now: float) -> Step:
    """No process came to be."""
    return back_off(program._replace(falls=program.falls + 1), now, event.why, event.chance, tidy=False)


def back_off(program: Program, now: float, why: str, chance: float, tidy: bool) -> Step:
    """A start has failed: wait and try again, or give up.  `falls` and `ends` have been counted."""
    program, changed = enter(program, State.BACKOFF, now, why, pid=None, tries=program.tries + 1)
    looping = is_looping(program, now)
    if looping or program.want is Want.DOWN or is_exhausted(program.tries, program.rules.startretries):
        program, effects = give_up(program, now, loop_of(program) if looping else why, tidy)
    else:
        program, effects = rest(program, now, now + _wait(program, chance), tidy)
    return program, (changed, *effects)


def give_up(program: Program, now: float, why: str, tidy: bool) -> Step:
    """FATAL: only a wish starts it again."""
    program, changed = enter(program, State.FATAL, now, why, tries=0, ends=(), falls=0)
    program, effects = rest(program, now, None, tidy)
    return program, (changed, *effects)


def rest(program: Program, now: float, again_at: float | None, tidy: bool) -> Step:
    """Stay in this state until `again_at`, for good where it is None; with `tidy`, post_stop comes first."""
    if tidy and program.rules.post_stop is not None:
        return program._replace(phase=Phase.TIDYING, again_at=again_at), (Spawn(POST_STOP),)
    if program.state is State.EXITED and again_at is not None and again_at <= now:
        return launch(program, now, NOBODY)
    return program._replace(phase=Phase.MAIN, deadline=again_at, again_at=None), ()


def start_again(program: Program, event: Due, now: float) -> Step:
    """The wait after an end is over."""
    if program.deadline is None or now < program.deadline:
        return program, ()  # overtaken by the event that ended its state
    return launch(program, now, NOBODY)


def _wait(program: Program, chance: float) -> float:
    backoff = program.rules.backoff
    return program_wait(program.tries) if backoff is None else wait_after(program.falls, backoff, chance)


# Crash loops


def count(program: Program, now: float) -> Program:
    """One more end."""
    backoff, loop = program.rules.backoff, program.rules.crash_loop
    steady = backoff is not None and now - program.spawned_at >= backoff.reset
    ends = (*program.ends, now)[-loop[0] :] if loop is not None else ()
    return program._replace(falls=1 if steady else program.falls + 1, ends=ends)


def is_looping(program: Program, now: float) -> bool:
    """Whether it ended so often in so short a time that it is given up."""
    loop = program.rules.crash_loop
    return loop is not None and len(program.ends) >= loop[0] and now - program.ends[-loop[0]] <= loop[1]


def loop_of(program: Program) -> str:
    """The crash loop in words."""
    times, seconds = program.rules.crash_loop or (0, 0.0)
    return f"{times} exits in {seconds:g} s"
