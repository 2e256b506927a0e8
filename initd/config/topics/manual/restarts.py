"""The manual's sentences for the topic `restarts`."""

from __future__ import annotations

INTRO = (
    "Without these options a program is started again as under supervisord: at once after an exit from RUNNING (after "
    "more than 5 lives in a row of less than a second, once a second), and 1, 2, 3 s after failed starts. With "
    "`backoff` every automatic start waits, longer each time. `startretries` counts failed starts in a row; "
    "`crash_loop` counts every exit that nobody asked for."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "pause": "seconds or units, as 0, 2.5, 90s, 5m",
    "duration": "seconds or units, as 90, 2.5, 90s, 5m, 1h30m",
    "factor": "a number 1 to 1000",
    "part": "a number 0 to 1",
    "exits": "a number from 2 on, `in`, a duration",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "backoff": "first wait before an automatic start, after failed starts and after exits alike",
    "backoff_factor": "by what each wait is longer than the one before",
    "backoff_cap": "longest wait, before jitter",
    "backoff_jitter": "part of each wait by which it may randomly be longer or shorter",
    "backoff_reset": "a process that lived this long makes the waits begin anew",
    "crash_loop": "so many exits in so much time, and it is given up (FATAL); `on_fatal` says what then",
}
"""By option."""
