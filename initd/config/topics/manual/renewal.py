"""The manual's sentences for the topic `renewal`."""

from __future__ import annotations

INTRO = "When a healthy process is replaced all the same."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
