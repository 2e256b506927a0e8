"""Exit statuses of supervisorctl, as the original uses them."""

from __future__ import annotations

GENERIC, INVALID, UNIMPLEMENTED, REFUSED, NOT_INSTALLED, DEAD = 1, 2, 3, 4, 5, 7
"""Of LSB init scripts."""

NOT_RUNNING, UNKNOWN = 3, 4
"""Of `status`."""
