"""Pure: whether an order was carried out, by what the engine shows of its container afterwards.

Theory.  Who gave the order is gone and nobody heard the engine's answer; but an engine keeps when a container last
started and ended, and a request that reached it is carried out though its sender died.  All times here are the engine's
own, the order's is estimated: what lies less than SLACK_SECONDS before it counts as after it, unless it was known
already when the order was given.  What the engine's restart policy may have done proves nothing.  Only what is certain
is called done; everything else is told in words, for the engine may still be at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.engines.reports import ContainerRow
from wire._record import Record
from wire.model import Verb

SLACK_SECONDS = 0.2
"""Error of the estimate of an engine's clock."""
DOWN = frozenset({"created", "exited", "dead", "removing"})
DEADLY = frozenset({"", "9", "KILL", "SIGKILL"})
"""Signals of a kill that end a container at once; none is said = KILL."""


class Given(Record):
    """What was known when the order was given."""

    at: float
    """By the engine's clock, seconds since the epoch."""
    state: str
    """Of the container, as its engine had listed it last."""
    started: float
    """When it had started last; 0 = unknown or never."""


class Finding(Record):
    """What an engine's list says of an order."""

    done: bool
    words: str


def judge(verb: str, args: Mapping[str, object], given: Given, row: ContainerRow) -> Finding:
    """What `row`, listed after the order was given, says of it."""
    started = _since(row.started_at, given) if row.started_at != given.started else None
    look = _LOOKS.get(verb)
    if look is None:
        return Finding(False, f"nothing shows whether {verb} was carried out")
    return look(_Sight(args, given, row, started, _since(row.finished_at, given)))


class _Sight(Record):
    args: Mapping[str, object]
    given: Given
    row: ContainerRow
    started: float | None
    """Seconds from the order to a start that came after it."""
    ended: float | None

    @property
    def policy(self) -> bool:
        """Whether the engine started it by itself: an order to start sets the count back to 0."""
        return bool(self.row.restart_count)


def _since(at: float | None, given: Given) -> float | None:
    return None if at is None or at < given.at - SLACK_SECONDS else max(at - given.at, 0.0)


def _start(sight: _Sight) -> Finding:
    if sight.started is not None and not sight.policy:
        return Finding(True, f"its engine started it {sight.started:.1f} s after the order")
    if sight.row.state == "running" and sight.started is None and sight.row.started_at is not None:
        return Finding(True, "was running already")
    return Finding(False, f"it is {sight.row.state}, and no start by an order is seen since")


def _stop(sight: _Sight) -> Finding:
    if sight.row.state in DOWN:
        words = "was not running" if sight.ended is None else f"it ended {sight.ended:.1f} s after the order"
        return Finding(True, words)
    return _still_there(sight)


def _still_there(sight: _Sight) -> Finding:
    if sight.ended is not None:
        return Finding(False, f"it ended {sight.ended:.1f} s after the order and was started again")
    return Finding(False, f"it is {sight.row.state}, and no end of it is seen since")


def _restart(sight: _Sight) -> Finding:
    if sight.started is not None and sight.policy:
        return Finding(False, "it was started since, perhaps by its restart policy")
    if sight.started is not None:
        return Finding(True, f"its engine started it {sight.started:.1f} s after the order")
    if sight.ended is not None:
        return Finding(False, f"it ended {sight.ended:.1f} s after the order and was not started again")
    return Finding(False, f"it is {sight.row.state}, and no start of it is seen since")


def _kill(sight: _Sight) -> Finding:
    if sight.row.state in DOWN and sight.ended is not None:
        return Finding(True, f"it ended {sight.ended:.1f} s after the order")
    if str(sight.args.get("signal", "")).upper() not in DEADLY:
        return Finding(False, "whether it got the signal nobody knows")
    return _still_there(sight)


def _turned(before: str, after: str) -> Callable[[_Sight], Finding]:
    def look(sight: _Sight) -> Finding:
        turned = (sight.given.state, sight.row.state) == (before, after) and sight.started is None
        words = f"it is {sight.row.state}"
        return Finding(turned, words if turned else f"{words}, and was {sight.given.state or 'unknown'} before")

    return look


_LOOKS: dict[str, Callable[[_Sight], Finding]] = {
    Verb.START: _start,
    Verb.STOP: _stop,
    Verb.RESTART: _restart,
    Verb.KILL: _kill,
    Verb.PAUSE: _turned("running", "paused"),
    Verb.UNPAUSE: _turned("paused", "running"),
}
