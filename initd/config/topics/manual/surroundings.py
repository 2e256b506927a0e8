"""The manual's sentences for the topic `surroundings`."""

from __future__ import annotations

INTRO = "Environment files, secrets, the list of inherited variables."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
