"""The manual's sentences for the topic `logs`."""

from __future__ import annotations

INTRO = "How its output is shown, rotated and masked."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
