"""Who asks: the one record that login makes, every route looks at, the hub narrows by and the audit keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

ROLES = ("viewer", "operator", "admin")
"""From the least right to the most; each may do what those before it may."""


class Who(NamedTuple):
    """A person or a token that has proved itself."""

    user: str
    """Name of the account; of a token, the account that made it."""
    role: str
    """One of ROLES."""
    scope: Mapping[str, str]
    """Labels that a thing must carry to exist for this asker; empty = the whole fleet."""
    address: str
    """Where the request came from, after trusted proxies."""
    by: str
    """`session`, or `token:ID`."""

    def may(self, role: str) -> bool:
        """Whether this asker has the role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)
