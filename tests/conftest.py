"""What all tests share: the loud report of tests that did not run for want of a service."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

from tests.support.services import DID_NOT_RUN

settings.register_profile("shared machine", deadline=None)  # a pause of the machine is no fault of the code
settings.register_profile("glance", deadline=None, max_examples=15)
settings.load_profile("shared machine")

for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:  # a background job of sh, or under nohup: programs would inherit it
        signal.signal(_number, signal.SIG_DFL)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in red how many tests did not run because something they need is absent."""
    reports = terminalreporter.stats.get("skipped", [])
    absent = [report for report in reports if DID_NOT_RUN in str(report.longrepr)]
    if absent:
        terminalreporter.write_line(
            f"!!! {len(absent)} test(s) DID NOT RUN for want of a service (see above)", red=True, bold=True
        )
