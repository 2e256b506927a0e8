"""Writes docs/alerts.md from the tables of rules, fields, events and templates: `python3 docs/make_alerts.py`."""

from __future__ import annotations

# ruff: noqa: E501 - lines of the page
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hub.alerts.couriers import GIVE_UP_SECONDS, QUEUE
from hub.alerts.expressions import READINGS, TERMS
from hub.alerts.fields import EVENTS, FIELDS
from hub.alerts.formats import AHEAD_SECONDS
from hub.alerts.machine import FLAP_QUIET, FLAP_SECONDS, FLAPS
from hub.alerts.notices import ITEMS, PAUSE_SECONDS, REFRESH_SECONDS, WAIT_SECONDS
from hub.alerts.rules import BUILT_IN, OPTIONS
from hub.alerts.template import NAMES
from hub.alerts.things import DEPLOY_SECONDS
from hub.alerts.watch import GRACE_SECONDS, ROUND_SECONDS

TARGET = Path(__file__).with_name("alerts.md")

HEAD = f"""\
# Alerts

Made by docs/make_alerts.py. The hub holds rules against everything it knows, every {ROUND_SECONDS:g} s, and against what happens, as it
happens. Five rules are on without any file; a file of your own changes them, adds rules, and says who is told:

    [hubd]
    alerts = /etc/pidone/alerts.ini

`hubd --check` and `hubctl alerts check FILE` tell every problem as file:line. conf/alerts.ini is an example with six more
rules. The file is read when hubd starts, when it gets SIGHUP, and for `hubctl alerts reload`: whole, or not at all where it
has a problem. What is the same goes on; a rule that is gone ends its alerts. Each hub has a file of its own: reload each.

    hubctl alerts                    what is wrong now; --all: also what is pending or silenced
    hubctl alerts test               sends a test notice to each sink and prints what became of it
    hubctl alerts reload --dry-run   what would change if this hub read its file again; without --dry-run it does
    hubctl silence 'service=shop' --for 2h --reason 'new disk'
    hubctl silence list | end ID

## The built-in rules

```ini
{BUILT_IN}```

## What never alerts

- an agent that said goodbye, or whose container its engine saw end;
- an agent in whose place a deploy put another of the same name and token, at most {DEPLOY_SECONDS:g} s before it fell silent or any time after;
- a program that somebody stopped, a container that somebody stopped, killed or paused, and exits that were asked for,
  or come of a renewal or of a dependency.

What had an alert and leaves in one of these ways ends its alert. Of an agent that is silent nothing else is known: alerts of
its programs neither begin nor end. In the first {GRACE_SECONDS:g} s of a hub nothing ends because it is not there yet.

## From a condition to a notice

A condition that is true for `for` seconds fires; it is over when `clear` (or, without it, the opposite of `if`) was true for
`clear_for` seconds. Between both thresholds it goes on. Unknown figures (stale, not measured) move nothing and count for no
time, and so does the time in which the hub itself was stopped. What fired {FLAPS} times within {FLAP_SECONDS / 3600:g} h must stay clear for {FLAP_QUIET / 60:g} min.

Alerts of one rule and one host (for storms: one service and program) are one group and one notice: the first waits {WAIT_SECONDS:g} s for
company, more follow after {PAUSE_SECONDS:g} s at the earliest, and the last end says that it is over. Where no agent of a host is heard any
more the notice says `host X may be off` instead of naming each. The host is the engine that lists the agent's container,
else the address the agent comes from. A notice spells out {ITEMS} alerts at most. What was told is kept: a hub that restarts
tells nothing twice and forgets no end. A silence hides what is not told yet, and keeps a group from saying more; what was
told already is still told to be over.

Of several hubs on one store, one tells for all what all of them know: presence, states, exits. Figures, storms and engines are
told by the hub that the agent speaks to, or that polls the engine. A silence counts at every hub within 5 s.

"""

TAIL = f"""
## Sinks

Each sink has its own thread and a queue of {QUEUE} groups: one that hangs delays neither the hub nor another sink. A newer notice
of a group takes the place of an older one that waits. Where the queue is full the oldest goes, and the next notice that
arrives says how many were lost. Errors and time-outs are tried again with a back-off up to a minute, for {GIVE_UP_SECONDS / 3600:g} h; a refusal
(HTTP 4xx other than 408, 425, 429) is not. Redirects are not followed. `pidone_alert_notices_total` counts by sink and outcome.

- `webhook`: a POST of JSON: `version` 1, `group`, `epoch`, `state` (firing, resolved, test), `rule`, `severity`, `summary`, `going`,
  `hub`, `host`, `at`, and lists `firing` and `ended` of `subject`, `summary`, `names`, `since`, `ended`. The header
  `Idempotency-Key` holds group and epoch: the same twice is the same notice.
- `alertmanager`: API v2. What goes on is repeated every {REFRESH_SECONDS:g} s with an end {AHEAD_SECONDS / 60:g} min ahead, so it is over there if the hub is.
- `slack`: the incoming webhook of Slack, Mattermost, Rocket.Chat and Discord (`/slack`).

Names and values come from containers: what does not print is escaped, each is cut, and none becomes markup or a mention.
"""


def cell(text: str) -> str:
    """One cell of a table."""
    return text.replace("|", "\\|")


def options(kind: str) -> Iterator[str]:
    """The options of one kind of section."""
    yield "| option | default | meaning |"
    yield "|---|---|---|"
    for option in OPTIONS[kind]:
        yield f"| `{option.name}` | {f'`{option.default}`' if option.default else ''} | {cell(option.doc)} |"
    yield ""


def fields() -> Iterator[str]:
    """What each subject has."""
    for subject, found in FIELDS.items():
        yield f"### on = {subject}\n"
        yield "| field | unit | meaning |"
        yield "|---|---|---|"
        for field in found:
            yield f"| `{field.name}` | {field.unit}{', rises' if field.counter else ''} | {cell(field.doc)} |"
        yield ""


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## Options of [alert:NAME]\n", *options("alert")]
    parts += [
        "## Conditions\n",
        "    memory_share > 90% and cpu > 1.5      increase(restarts, 1h) >= 5      state == FATAL\n",
    ]
    parts += [
        f"At most {TERMS} terms, `FIELD OP VALUE`, joined by `and`; OP is == != > >= < <=. `rate(FIELD, SPAN)` is per second and"
    ]
    parts += [
        f"`increase(FIELD, SPAN)` in all, for fields that rise, over the last {READINGS} readings of that span. Units: sizes `512MB` (1024s),"
    ]
    parts += ["times `30s 5m 2h 1d`, shares and cores `90%` or `0.9`.\n", *fields()]
    parts += ["## Events\n", "| event | on | meaning |", "|---|---|---|"]
    parts += [f"| `{name}` | {on} | {cell(doc)} |" for name, (on, doc) in EVENTS.items()]
    parts += ["", "## Names in a summary\n", "| name | meaning |", "|---|---|"]
    parts += [f"| `{{{name}}}` | {doc} |" for name, doc in NAMES.items()]
    parts += [
        "| `{label.NAME}` | a label of its agent or container |",
        "| `{FIELD}` | any field of the subject, with its unit |",
    ]
    parts += ["", "## Options of [sink:NAME]\n", *options("sink"), TAIL.lstrip("\n")]
    return "\n".join(parts).replace("\n\n\n", "\n\n")


if __name__ == "__main__":
    TARGET.write_text(page())
