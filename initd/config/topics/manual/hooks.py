"""The manual's sentences for the topic `hooks`."""

from __future__ import annotations

INTRO = (
    "Hooks run as the program's user, in its directory and environment, and write to its logs; they are no shell "
    "lines. While one runs the program has no other process, and a stop or shutdown does not wait longer than it may. "
    "post_stop finds how the process ended in PIDONE_EXIT_PID, _CODE, _SIGNAL, _CAUSE, _WHY, _BY, _COMMAND, "
    "_RUN_TIME (seconds), _EXPECTED and _ESCALATED; what is not known is empty."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "words": "a command and its arguments, split as `command` is",
    "duration": "seconds or units, as 90, 2.5, 90s, 5m, 1h30m",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "pre_start": "runs before each start, restarts too; any status but 0 is a failed start",
    "pre_start_timeout": "how long it may take: then it is ended, and that is a failed start",
    "post_stop": "runs after each end of the process, however it ended; the next start, and `stop --wait`, wait for it",
    "post_stop_timeout": "how long it may take: then it is killed",
}
"""By option."""
