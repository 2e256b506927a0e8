"""What will come of a program: each way to end, and the next runs of a schedule; for `initd explain`."""

from __future__ import annotations

from initd.backoff import HASTY_BURST, HASTY_SECONDS
from initd.events import ONESHOT
from initd.jobs.cron import next_run
from initd.jobs.dates import shown
from initd.jobs.zone import find
from wire.limits import AGAIN_AFTER_FATAL_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Program

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
    return [*(_of_oneshot(program) if oneshot else _of_service(program)), *_of_all(program, oneshot)]


def _of_oneshot(program: Program) -> list[dict[str, str]]:
    retries = program.startretries
    again = f"tried again {retries} times, then FATAL" if retries > 0 else "FATAL"
    return [
        {"when": f"it exits with {_codes(program)}", "then": "done (EXITED)"},
        {"when": "it exits otherwise or a signal ends it", "then": again},
    ]


def _of_service(program: Program) -> list[dict[str, str]]:
    waits = ", ".join(str(number) for number in range(1, min(program.startretries, 5) + 1))
    waits += ", ..." if program.startretries > 5 else ""
    early = f"tried {max(program.startretries, 0) + 1} times" + (f", waiting {waits} s between" if waits else "")
    outcomes = {"when": f"it ends within {program.startsecs} s of its start", "then": f"{early}, then FATAL"}
    expected = "restarted at once" if program.autorestart == "true" else "stays down (EXITED)"
    other = "stays down (EXITED)" if program.autorestart == "false" else "restarted at once"
    found = [
        {"when": f"it exits with {_codes(program)}", "then": expected},
        {"when": "it exits otherwise or a signal ends it", "then": other},
    ]
    if program.startsecs > 0:
        return [outcomes, *found]
    if program.autorestart == "false":
        return found
    often = f"it ends within {HASTY_SECONDS:g} s of its start more than {HASTY_BURST} times in a row"
    return [*found, {"when": often, "then": f"restarted no sooner than {HASTY_SECONDS:g} s after its start"}]


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
