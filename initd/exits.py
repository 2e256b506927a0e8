"""Exit records: what is known of one death, put together once, and told in one line; pure.

The record goes to the journal (and so to the hub); the line goes to initd's stderr, so that `docker logs` explains a
death without any hub.
"""

from __future__ import annotations

from initd.errors import StartFailed
from initd.events import KILL, Ended
from initd.process import Process, Run
from initd.signals import name_of
from wire.model import Cause, Exit

OUR_RSS = 16 << 20
"""A smaller max_rss is not told: until its execve a child counts our memory as its own (exec_mmap in the kernel)."""


def cause_of(ended: Ended, suspicion: Cause) -> Cause:
    """Why it ended: who brought it down counts first, then what the OOM counter says of a SIGKILL."""
    if ended.cause is not None:
        return ended.cause
    if ended.asked is not None:
        return Cause.STOPPED
    if ended.signal is None:
        return Cause.EXIT
    return suspicion if ended.signal == KILL else Cause.SIGNAL


def exit_of(process: Process, run: Run, ended: Ended, lines: tuple[str, ...], at: float, seconds: float) -> Exit:
    """The record of a death at wall time `at`, after so many seconds.  The machine has forgotten the pid already."""
    death, asked, config = run.death, ended.asked, process.config
    return Exit(
        group=config.group,
        name=config.name,
        program=config.program,
        number=config.number,
        pid=death.pid if death else None,
        start_ticks=run.start_ticks,
        started_at=run.started_at,
        ended_at=at,
        run_time=max(0.0, seconds),
        code=ended.code,
        signal=ended.signal,
        core=bool(death and death.core),
        expected=ended.expected,
        cause=cause_of(ended, run.suspicion()),
        by=asked.actor if asked else "",
        command=f"{asked.verb} {asked.id}".strip() if asked else "",
        errno=None,
        step=ended.hook,
        rusage=death.rusage if death else None,
        last_lines=lines,
        escalated=ended.escalated,
        why=ended.why,
    )


def start_failure(process: Process, error: StartFailed, why: str, at: float) -> Exit:
    """The record of a process that did not come to be."""
    config = process.config
    return Exit(
        group=config.group,
        name=config.name,
        program=config.program,
        number=config.number,
        pid=None,
        start_ticks=None,
        started_at=at,
        ended_at=at,
        run_time=0.0,
        code=None,
        signal=None,
        core=False,
        expected=False,
        cause=Cause.START_FAILURE,
        by="",
        command="",
        errno=error.errno,
        step=error.step,
        rusage=None,
        last_lines=(),
        why=why,
    )


def line_of(name: str, record: Exit) -> str:
    """The one line for initd's stderr."""
    if record.pid is None:
        return f"{name} did not start: {record.why}"
    what = f"{name}: {record.step}" if record.step else name
    how = f"exited with status {record.code}" if record.signal is None else f"was killed by {name_of(record.signal)}"
    details = [_meaning(record)]
    if record.escalated:
        details.append("its stop needed SIGKILL")
    if record.core:
        details.append("core dumped")
    if record.rusage is not None:
        details.append(f"cpu {record.rusage.user + record.rusage.system:.2f} s")
        if record.rusage.max_rss > OUR_RSS:
            details.append(f"max rss {record.rusage.max_rss >> 20} MiB")
    last = f"; last line: {record.last_lines[-1]}" if record.last_lines and not record.expected else ""
    return f"{what} (pid {record.pid}) {how} after {record.run_time:.1f} s ({', '.join(filter(None, details))}){last}"


RULES = (Cause.PROBE, Cause.RENEWAL, Cause.DEPENDENCY)
"""Why initd ends a process by itself."""


def _meaning(record: Exit) -> str:
    if record.cause is Cause.STOPPED:
        return f"stopped by {record.by}" + (f", {record.command}" if record.command else "")
    if record.cause in RULES:
        return f"{record.cause}: {record.why}"
    if record.cause is Cause.START_FAILURE:
        return record.why
    if record.cause in (Cause.OOM, Cause.OOM_POSSIBLE):
        return str(record.cause)
    return "expected" if record.expected else "not expected"


def exit_environment(record: Exit | None) -> dict[str, str]:
    """How the process ended, for its post_stop: one variable for each thing known."""
    if record is None:
        return {}
    told = {
        "PID": record.pid,
        "CODE": record.code,
        "SIGNAL": None if record.signal is None else name_of(record.signal),
        "CAUSE": record.cause,
        "WHY": record.why,
        "BY": record.by,
        "COMMAND": record.command,
        "RUN_TIME": f"{record.run_time:.3f}",
        "EXPECTED": "true" if record.expected else "false",
        "ESCALATED": "true" if record.escalated else "false",
    }
    return {f"PIDONE_EXIT_{key}": "" if value is None else str(value).replace("\0", " ") for key, value in told.items()}
