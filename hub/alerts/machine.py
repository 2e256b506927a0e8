"""Alerts of one hub: a pure machine from what rules find to alerts that begin, last and end.

Theory.  For each (rule, subject) the room tells what it finds, as a sign; time comes with each call.

    nothing --TRUE--> PENDING --TRUE for `for`--> FIRING --CLEAR--> ENDING --CLEAR for `clear_for`--> (resolved)
                         |                          ^  ^               |
                         `--BETWEEN, CLEAR--> nothing  `--TRUE, BETWEEN'

BETWEEN is hysteresis: the rule is not true any more, but what clears it is not true either.  UNKNOWN (no fresh figures)
moves nothing and lets no time pass: `for` and `clear_for` count only the time between two findings that agree.  GONE
(the subject left: goodbye, a deploy, a commanded stop) ends everything at once.

Flapping is bounded: an alert that fired FLAPS times within FLAP_SECONDS must stay clear for FLAP_QUIET before it ends,
so one subject gives at most FLAPS + FLAP_SECONDS / FLAP_QUIET beginnings in that time, whatever it does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.alerts.rules import Rule
from wire._record import Record

__all__ = ["FLAPS", "FLAP_QUIET", "FLAP_SECONDS", "Alert", "Details", "Machine", "Phase", "Sign"]

FLAPS = 3
FLAP_SECONDS = 3600.0
FLAP_QUIET = 900.0
STEP = 30.0
"""Most seconds that may lie between two findings and still count: a hub that was stopped saw nothing in between."""
ALERTS = 10_000
"""Most alerts at a time; more are counted and left out: nobody reads them, and their memory is ours."""
REMEMBERED = 10_000
"""Subjects whose beginnings are remembered; those that fired longest ago are forgotten first."""


class Phase(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    FIRING = "firing"
    ENDING = "ending"
    """Clear, but not for long enough; shown and told as firing."""


class Sign(StrEnum):
    """What was found of one rule and one subject."""

    TRUE = "true"
    BETWEEN = "between"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    GONE = "gone"


class Details(Record):
    """What is said of an alert."""

    summary: str
    names: Mapping[str, str]
    """Names and labels of the subject, for selectors and sinks."""
    place: str
    """What it is grouped by: the host, or the program of a storm."""


Key = tuple[str, str]
"""Rule and subject."""


@dataclass(slots=True)
class Alert:
    """One alert; only the machine changes it."""

    rule: str
    subject: str
    severity: str
    phase: Phase
    since: float
    """When it began to be true."""
    seen: float
    """When it was last found."""
    details: Details
    fired_at: float = 0.0
    held: float = 0.0
    """Seconds that were counted towards `for` or `clear_for`."""
    last: Sign = Sign.TRUE
    flapping: bool = False

    @property
    def firing(self) -> bool:
        """Whether people should know."""
        return self.phase is not Phase.PENDING


@dataclass(slots=True)
class Machine:
    """All alerts of these rules."""

    rules: Mapping[str, Rule]
    alerts: dict[Key, Alert] = field(default_factory=dict)
    left_out: int = 0
    """Alerts that were not begun because there were too many."""
    _fired: dict[Key, deque[float]] = field(default_factory=dict)

    def find(self, rule: str, subject: str, sign: Sign, details: Callable[[], Details], at: float) -> Alert | None:
        """One finding; returns the alert as it now stands, None where there is none.

        `details` is called only where they are needed.
        """
        key = (rule, subject)
        alert = self.alerts.get(key)
        if alert is None:
            return self._begin(key, details(), at) if sign is Sign.TRUE else None
        if sign is Sign.GONE:
            del self.alerts[key]
            return None
        passed = min(max(at - alert.seen, 0.0), STEP) if sign is alert.last else 0.0
        alert.seen, alert.last = at, sign
        if sign is Sign.TRUE:
            alert.details = details()
        return self._moved(key, alert, sign, passed, at)

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Takes over alerts that fired when the hub stopped; those of rules that are no more are dropped."""
        self.alerts.update({(a.rule, a.subject): a for a in alerts if a.rule in self.rules})

    def subjects(self, rule: str) -> list[str]:
        """Subjects that have an alert of this rule."""
        return [subject for name, subject in self.alerts if name == rule]

    def _begin(self, key: Key, details: Details, at: float) -> Alert | None:
        if len(self.alerts) >= ALERTS:
            self.left_out += 1
            return None
        rule = self.rules[key[0]]
        alert = self.alerts[key] = Alert(*key, rule.severity, Phase.PENDING, at, at, details)
        if rule.hold <= 0:
            self._fire(key, alert, at)
        return alert

    def _moved(self, key: Key, alert: Alert, sign: Sign, passed: float, at: float) -> Alert | None:
        rule = self.rules[key[0]]
        if alert.phase is Phase.PENDING:
            if sign in (Sign.CLEAR, Sign.BETWEEN):
                del self.alerts[key]
                return None
            alert.held += passed if sign is Sign.TRUE else 0.0
            if sign is Sign.TRUE and alert.held >= rule.hold:
                self._fire(key, alert, at)
        elif sign in (Sign.TRUE, Sign.BETWEEN):
            alert.phase, alert.held = Phase.FIRING, 0.0
        elif sign is Sign.CLEAR:
            alert.held = alert.held + passed if alert.phase is Phase.ENDING else 0.0
            alert.phase = Phase.ENDING
            if alert.held >= self._quiet(key, alert, at):
                del self.alerts[key]
                return None
        return alert

    def _fire(self, key: Key, alert: Alert, at: float) -> None:
        alert.phase, alert.fired_at, alert.held = Phase.FIRING, at, 0.0
        fired = self._fired.pop(key, None) or deque(maxlen=FLAPS)
        fired.append(at)
        self._fired[key] = fired
        if len(self._fired) > REMEMBERED:
            del self._fired[next(iter(self._fired))]

    def _quiet(self, key: Key, alert: Alert, at: float) -> float:
        """Seconds it must be clear."""
        fired = self._fired.get(key) or deque([at])
        alert.flapping = len(fired) == FLAPS and at - fired[0] <= FLAP_SECONDS
        clear_for = self.rules[key[0]].clear_for
        return max(clear_for, FLAP_QUIET) if alert.flapping else clear_for
