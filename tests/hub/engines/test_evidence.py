"""What an engine's list proves of an order whose hub died: a table, and that what was before it proves nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.engines.evidence import SLACK_SECONDS, Given, judge
from hub.engines.listing import STATES
from hub.engines.reports import ORDERS
from tests.support.corehub import container

AT = 1_800_000_000.0
BEFORE, AFTER = AT - 100.0, AT + 3.0
GIVEN = Given(AT, "running", BEFORE)


def look(verb: str, state: str, started: float | None, ended: float | None, before: Given = GIVEN, **more: Any) -> str:
    """`done` or `open`, and the words."""
    args = {"signal": more.pop("signal")} if "signal" in more else {}
    row = container(state=state)._replace(started_at=started, finished_at=ended, **more)
    found = judge(verb, args, before, row)
    return f"{'done' if found.done else 'open'}: {found.words}"


@pytest.mark.parametrize(
    ("verb", "state", "started", "ended", "says"),
    [
        ("stop", "exited", BEFORE, AFTER, "done: it ended 3.0 s after the order"),
        ("stop", "exited", BEFORE, BEFORE + 1, "done: was not running"),
        ("stop", "created", None, None, "done: was not running"),
        ("stop", "running", BEFORE, None, "open: it is running, and no end of it is seen since"),
        ("stop", "running", AFTER + 1, AFTER, "open: it ended 3.0 s after the order and was started again"),
        ("restart", "running", AFTER, AFTER - 1, "done: its engine started it 3.0 s after the order"),
        ("restart", "exited", BEFORE, AFTER, "open: it ended 3.0 s after the order and was not started again"),
        ("restart", "running", BEFORE, None, "open: it is running, and no start of it is seen since"),
        ("start", "running", AFTER, None, "done: its engine started it 3.0 s after the order"),
        ("start", "exited", AFTER, AFTER + 1, "done: its engine started it 3.0 s after the order"),
        ("start", "running", BEFORE, None, "done: was running already"),
        ("start", "exited", BEFORE, BEFORE + 1, "open: it is exited, and no start by an order is seen since"),
        ("kill", "exited", BEFORE, AFTER, "done: it ended 3.0 s after the order"),
        ("kill", "running", BEFORE, None, "open: it is running, and no end of it is seen since"),
        ("pause", "paused", BEFORE, None, "done: it is paused"),
        ("pause", "running", BEFORE, None, "open: it is running, and was running before"),
        ("unpause", "running", BEFORE, None, "open: it is running, and was running before"),
    ],
)
def test_what_is_seen(verb: str, state: str, started: float | None, ended: float | None, says: str) -> None:
    assert look(verb, state, started, ended) == says


def test_what_the_restart_policy_did_proves_nothing() -> None:
    for verb in ("start", "restart"):
        assert look(verb, "running", AFTER, AFTER - 1, restart_count=1).startswith("open")


def test_a_start_that_was_known_before_the_order_is_not_its_work() -> None:
    known = GIVEN._replace(started=AT - SLACK_SECONDS / 2)
    assert look("restart", "running", known.started, None, known).startswith("open")


def test_nobody_sees_whether_a_soft_signal_came() -> None:
    assert look("kill", "running", BEFORE, None, signal="hup") == "open: whether it got the signal nobody knows"


def test_who_was_paused_before_and_runs_was_unpaused() -> None:
    assert look("unpause", "running", BEFORE, None, GIVEN._replace(state="paused")) == "done: it is running"


LONG_AGO = st.floats(AT - 1e6, AT - 2 * SLACK_SECONDS)


@settings(max_examples=300)
@given(st.sampled_from(sorted(ORDERS)), st.sampled_from(sorted(STATES)), LONG_AGO, LONG_AGO)
def test_where_nothing_happened_since_nothing_but_a_needless_order_was_done(
    verb: str, state: str, started: float, ended: float
) -> None:
    found = look(verb, state, started, ended, Given(AT, state, started))
    assert not found.startswith("done") or found in ("done: was running already", "done: was not running")
