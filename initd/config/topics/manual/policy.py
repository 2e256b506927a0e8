"""The manual's sentences for the topic `policy`."""

from __future__ import annotations

INTRO = (
    "What a program's end means for the container. Without these options nothing does: as with supervisord, initd "
    "runs until it is told to stop. An end counts when `autorestart` does not start the program again, and never "
    "when somebody asked for it. Of a `type=oneshot` only a failure counts. The container's exit status is "
    "described in [exit-policy.md](exit-policy.md)."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "outcome": "ignore, restart or shutdown",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "essential": (
        "the container cannot do without it: `on_exit` and `on_fatal` are `shutdown` unless they say otherwise"
    ),
    "on_exit": (
        "when it has ended and is not restarted: nothing, start it again (as `autorestart=true`), or stop "
        "everything and leave with its status; default: ignore, for an essential program shutdown"
    ),
    "on_fatal": (
        "when its starts have failed for good: nothing, try all again after 30 s, or stop everything and leave with "
        "its status, at least 1; default: ignore, for an essential program shutdown"
    ),
}
"""By option."""
