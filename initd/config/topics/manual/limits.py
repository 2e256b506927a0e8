"""The manual's sentences for the topic `limits`."""

from __future__ import annotations

INTRO = "Groups, resource limits, priorities, capabilities."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
