"""What will come of a program: each way to end, and the next runs of a schedule; for `initd explain`."""

from __future__ import annotations

from initd.backoff import HASTY_BURST, HASTY_SECONDS
from initd.config.written import action
from initd.events import ONESHOT
from initd.jobs.cron import next_run
from initd.jobs.dates import shown
from initd.jobs.zone import find
from wire.limits import AGAIN_AFTER_FATAL_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Program

WAITS_SHOWN = 5
"""Pauses between failed starts that are listed."""

PROBE_THENS = {
    "restart": "stopped and started again",
    "stop": "stopped",
    "shutdown": "everything is stopped, and initd exits with status 1",
    "ignore": "only said",
}
"""What a failing liveness probe leads to."""

RUNS_SHOWN = 3
"""Next runs of a schedule that are shown: enough to see whether it is read as it was meant."""


def next_runs(program: Program, now: float) -> list[str]:
    """The first runs after `now`, wall time; none without a cron expression."""
    jobs = program.jobs
    if jobs is None or jobs.schedule is None or jobs.schedule.every:
        return []
    offset, at, found = find(jobs.timezone).offset, now, list[str]()
    while len(found) < RUNS_SHOWN:
        later = next_run(jobs.schedule, at, offset)
        if later is None:
            break
        at = later
        found.append(shown(at, offset(at)))
    return found


def exits(program: Program) -> list[dict[str, str]]:
    """What each way to end would do."""
    oneshot = program.jobs is not None and program.jobs.type == ONESHOT
    ends = _of_oneshot(program) if oneshot else _of_service(program)
    return [*ends, *_of_crashes(program), *_of_probes(program), *_of_all(program, oneshot)]


def _of_oneshot(program: Program) -> list[dict[str, str]]:
    retries = program.startretries
    again = f"tried again {retries} times, then FATAL" if retries > 0 else "FATAL"
    return [
        {"when": f"it exits with {_codes(program)}", "then": "done (EXITED)"},
        {"when": "it exits otherwise or a signal ends it", "then": again},
    ]


def _waits(program: Program) -> str:
    """The pauses between failed starts, "" where there are none."""
    backoff = program.restarts.backoff if program.restarts is not None else None
    numbers = [float(number) for number in range(1, program.startretries + 1)]
    if backoff is not None:
        numbers = [min(backoff.cap, backoff.first * backoff.factor ** min(number - 1, 50)) for number in numbers]
    more = ", ..." if len(numbers) > WAITS_SHOWN else ""
    return ", ".join(f"{number:g}" for number in numbers[:WAITS_SHOWN]) + more


def _of_service(program: Program) -> list[dict[str, str]]:
    waits = _waits(program)
    backoff = program.restarts.backoff if program.restarts is not None else None
    early = f"tried {max(program.startretries, 0) + 1} times" + (f", waiting {waits} s between" if waits else "")
    outcomes = {"when": f"it ends within {program.startsecs} s of its start", "then": f"{early}, then FATAL"}
    again = "restarted at once"
    if backoff is not None:
        again = (
            f"restarted after {backoff.first:g} s, each time {backoff.factor:g} times later, at most {backoff.cap:g} s"
        )
    expected = again if program.autorestart == "true" else "stays down (EXITED)"
    other = "stays down (EXITED)" if program.autorestart == "false" else again
    found = [
        {"when": f"it exits with {_codes(program)}", "then": expected},
        {"when": "it exits otherwise or a signal ends it", "then": other},
    ]
    if program.startsecs > 0:
        return [outcomes, *found]
    if program.autorestart == "false" or backoff is not None:
        return found
    often = f"it ends within {HASTY_SECONDS:g} s of its start more than {HASTY_BURST} times in a row"
    return [*found, {"when": often, "then": f"restarted no sooner than {HASTY_SECONDS:g} s after its start"}]


def _of_crashes(program: Program) -> list[dict[str, str]]:
    loop = program.restarts.crash_loop if program.restarts is not None else None
    return [{"when": f"it ends {loop[0]} times in {loop[1]:g} s unasked", "then": "FATAL"}] if loop else []


def _of_probes(program: Program) -> list[dict[str, str]]:
    ready, live, found = program.readiness, program.liveness, []
    if ready is not None:
        when = f"it is not ready within {ready.within:g} s of its start ({ready.probe.text})"
        found.append({"when": when, "then": "stopped; that is a failed start"})
    if live is not None:
        when = (
            f"{live.probe.text} fails {live.failures} times in a row"
            if live.failures > 1
            else f"{live.probe.text} fails"
        )
        found.append(
            {"when": when, "then": PROBE_THENS.get(live.action, f"gets SIG{action(live.action).rpartition(':')[2]}")}
        )
    return found


def _of_all(program: Program, oneshot: bool) -> list[dict[str, str]]:
    """What a final end means for the container; that of a one-shot which is done means nothing."""
    policy = program.policy
    if policy is None:
        return []
    leaves = "everything is stopped, and initd exits with its status"
    again = f"started again after {AGAIN_AFTER_FATAL_SECONDS:g} s"
    thens = {
        "it stays down, and nobody stopped it": {} if oneshot else {"shutdown": leaves},
        "it is FATAL": {"shutdown": f"{leaves}, at least 1", "restart": again},
    }
    outcomes = zip(thens.items(), (policy.on_exit, policy.on_fatal), strict=True)
    return [{"when": when, "then": then[what]} for (when, then), what in outcomes if what in then]


def _codes(program: Program) -> str:
    return ", ".join(str(code) for code in program.exitcodes) or "none"
