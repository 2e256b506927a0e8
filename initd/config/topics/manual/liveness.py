"""The manual's sentences for the topic `liveness`."""

from __future__ import annotations

INTRO = "How a running program is checked, and what is done when it fails."
"""What stands above the table of the options."""

KINDS: dict[str, str] = {}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {}
"""By option."""
