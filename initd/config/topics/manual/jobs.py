"""The manual's sentences for the topic `jobs`."""

from __future__ import annotations

INTRO = (
    "Programs whose work ends, once or again and again. A program with a `schedule` is a `type=oneshot` that initd "
    "starts at its times; it has `autostart=false` unless the file says otherwise. Runs never overlap: one that is due "
    "while the last still runs is skipped. `initd start` and `stop` work as ever; a stop ends the present run, not the "
    "schedule. `initd status` says when the next run is. Days on which clocks change: a schedule whose hour begins "
    "with `*` follows real time (twice in an hour that comes twice, never in one that is left out); any other runs "
    "once for each time of day, the first time where it comes twice, and at the end of the gap where it is left out."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "type": "service or oneshot",
    "schedule": "`MINUTE HOUR DAY MONTH WEEKDAY`, `@hourly` ... `@yearly`, or `every 90s`",
    "timezone": "UTC or a name as Europe/Berlin",
    "catch_up": "skip or once",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "type": (
        "`oneshot`: it is done when it has exited with one of `exitcodes`, and stays EXITED; another end is tried "
        "again startretries times (default 0), then it is FATAL. startsecs is 0 by default"
    ),
    "schedule": (
        "when it runs: numbers, names (`mon-fri`, `jan`), lists, ranges and steps as in crontab(5), where two "
        "restricted day fields mean either; `every` counts from initd's start, not from the end of a run"
    ),
    "timezone": "zone of the schedule's times; the image must have it (package tzdata)",
    "catch_up": (
        "what becomes of runs that were missed by more than a minute, because the machine slept or its clock was set "
        "forward: nothing, or one run at once; a clock set back by less than three hours repeats no run"
    ),
}
"""By option."""
