"""The manual's sentences for the topic `order`."""

from __future__ import annotations

INTRO = (
    "What a program waits for before it starts; `initd status` says what that is. Starting a program by hand starts "
    "what it waits for too; autostart does not start what has `autostart=false`. A restart after its own exit does "
    "not wait. Stops go the other way round: who depends on another stops first. Unknown names and circles are "
    "errors of the file."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "conditions": (
        "names with commas between: PROGRAM, GROUP:NAME or GROUP:*, each with `:started`, `:ready` or `:done` behind it"
    ),
    "lost": "ignore, restart or stop",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "depends_on": (
        "what has to be there; of a program with `numprocs` every process. `started`: has a process; `ready` (the "
        "default): RUNNING, or a one-shot that is done; `done`: has ended as expected"
    ),
    "dependency_lost": (
        "when a dependency that was there goes away: nothing; restart once it is back; or stop now, and start again "
        "once it is back"
    ),
}
"""By option."""
