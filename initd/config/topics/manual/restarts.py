"""The manual's sentences for the topic `restarts`."""

from __future__ import annotations

INTRO = "The shape of restarts: back-off and crash loops."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
