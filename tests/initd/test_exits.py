"""Exit records and their one line."""

from __future__ import annotations

import errno

import pytest

from initd.errors import StartFailed
from initd.events import Asked, Ended
from initd.exits import OUR_RSS, cause_of, exit_of, line_of, start_failure
from initd.process import Process
from initd.reaper import Death
from tests.support.programs import program
from wire.model import Cause, Rusage

BY = Asked("hub:alice", "restart", "6f1c")


def process(**options: object) -> Process:
    made = Process(program("web", **options), 0.0)
    made.run.death = Death(42, None, 9, False, Rusage(1.5, 0.25, 64 << 20, 1, 0))
    made.run.started_at = 1000.0
    return made


@pytest.mark.parametrize(
    ("ended", "suspicion", "cause"),
    [
        (Ended(True, BY, None, 9), Cause.OOM, Cause.STOPPED),
        (Ended(True, None, 0, None), Cause.OOM, Cause.EXIT),
        (Ended(False, None, None, 9), Cause.OOM, Cause.OOM),
        (Ended(False, None, None, 9), Cause.OOM_POSSIBLE, Cause.OOM_POSSIBLE),
        (Ended(False, None, None, 9), Cause.SIGNAL, Cause.SIGNAL),
        (Ended(False, None, None, 11), Cause.OOM, Cause.SIGNAL),
    ],
)
def test_the_cause(ended: Ended, suspicion: Cause, cause: Cause) -> None:
    assert cause_of(ended, suspicion) is cause


@pytest.mark.parametrize(
    ("ended", "suspicion", "line"),
    [
        (
            Ended(False, None, None, 9), Cause.OOM,
            "web (pid 42) was killed by SIGKILL after 7.0 s (oom, cpu 1.75 s, max rss 64 MiB); last line: bye",
        ),
        (
            Ended(True, BY, 0, None), Cause.SIGNAL,
            "web (pid 42) exited with status 0 after 7.0 s"
            " (stopped by hub:alice, restart 6f1c, cpu 1.75 s, max rss 64 MiB)",
        ),
        (
            Ended(True, None, 0, None), Cause.SIGNAL,
            "web (pid 42) exited with status 0 after 7.0 s (expected, cpu 1.75 s, max rss 64 MiB)",
        ),
    ],
)  # fmt: skip
def test_the_line(ended: Ended, suspicion: Cause, line: str) -> None:
    one = process()
    one.run.suspicion = lambda: suspicion
    assert line_of("web", exit_of(one, one.run, ended, ("bye",), 1007.0, 7.0)) == line


def test_memory_that_may_be_ours_is_not_told() -> None:
    one = process()
    assert one.run.death is not None and one.run.death.rusage is not None
    small = one.run.death.rusage._replace(max_rss=OUR_RSS)
    one.run.death = one.run.death._replace(rusage=small)
    record = exit_of(one, one.run, Ended(True, None, 0, None), (), 1007.0, 10.0)
    assert record.rusage == small
    assert line_of("web", record).endswith("(expected, cpu 1.75 s)")


def test_a_start_failure() -> None:
    error = StartFailed("exec", errno.ENOENT, "/x")
    record = start_failure(process(), error, str(error), 1000.0)
    assert (record.cause, record.step, record.errno, record.pid) == (Cause.START_FAILURE, "exec", errno.ENOENT, None)
    assert line_of("web", record) == "web did not start: exec: /x: No such file or directory"
