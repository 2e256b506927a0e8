"""The manual's sentences for the topic `order`."""

from __future__ import annotations

INTRO = "What a program waits for before it starts."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
