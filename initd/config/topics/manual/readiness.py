"""The manual's sentences for the topic `readiness`."""

from __future__ import annotations

INTRO = "How a program tells that it is ready."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
