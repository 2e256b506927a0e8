"""Names of signals, and the sets that others build on."""

from __future__ import annotations

import signal

import pytest

from initd.signals import DAEMON, HALT, JOB_CONTROL, forwardable, name_of


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (15, "SIGTERM"),
        (signal.SIGRTMIN, "SIGRTMIN"),
        (HALT, "SIGRTMIN+3"),
        (signal.SIGRTMAX, "SIGRTMAX"),
        (99, "signal 99"),
    ],
)
def test_names(number: int, name: str) -> None:
    assert name_of(number) == name


def test_everything_is_forwarded_but_what_cannot_be_and_job_control() -> None:
    kept = {*signal.valid_signals()} - {*forwardable()}
    assert kept == {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, *JOB_CONTROL}


def test_the_daemon_listens_to_what_supervisord_does() -> None:
    assert {"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR2", "SIGCHLD"} < {name_of(number) for number in DAEMON}
