"""The manual's sentences for the topic `liveness`."""

from __future__ import annotations

INTRO = "How a RUNNING program is checked."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "liveness": "as `readiness`, without `log`, `fd` and `sd_notify`; or `watchdog`",
    "duration": "seconds, or with units: 90s, 5m, 1h30m, 2d",
    "pause": "the same, or 0",
    "count": "number 1 to 1000",
    "action": "restart, stop, shutdown, ignore or signal:NAME",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "liveness": (
        "the probe; `watchdog`: the program says WATCHDOG=1 to NOTIFY_SOCKET (sd_notify(3)) at least once in each "
        "`liveness_interval`; WATCHDOG_USEC tells it how often"
    ),
    "liveness_delay": "seconds from RUNNING to the first look",
    "liveness_interval": "seconds between two looks",
    "liveness_timeout": "seconds one look may take",
    "liveness_failures": "looks in a row that must fail until something is done; for `watchdog` intervals",
    "liveness_successes": ("looks in a row that must succeed until it counts as healthy again (`ignore`, `signal`)"),
    "liveness_action": (
        "what is done: replace the process, stop the program, stop everything and leave with status 1, only say so, "
        "or send a signal; `initd healthy` is false meanwhile"
    ),
}
"""By option."""
