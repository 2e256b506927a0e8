"""The manual's sentences for the topic `jobs`."""

from __future__ import annotations

INTRO = "Programs whose work ends."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {"type": "service or oneshot"}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "type": (
        "`oneshot`: it is done when it has exited with one of `exitcodes`, and stays EXITED; another end is tried "
        "again startretries times (default 0), then it is FATAL. startsecs is 0 by default"
    ),
}
"""By option."""
