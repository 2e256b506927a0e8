"""What can go wrong between a client and its hub, in words for people."""

from __future__ import annotations

__all__ = ["CommandFailed", "RefusedError", "Unreachable", "WireError"]


class WireError(Exception):
    """Base of the client's errors."""


class Unreachable(WireError):
    """No answer in time; the text says how far it got (no connection, key refused, silent)."""


class RefusedError(WireError):
    """The hub refused, and nothing was changed."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message + (f" ({hint})" if hint else ""))
        self.code, self.message, self.hint = code, message, hint


class CommandFailed(WireError):
    """A command ended as failed or expired, or not in time; `row` is the hub's last word on it."""

    def __init__(self, text: str, row: dict[str, object]) -> None:
        super().__init__(text)
        self.row = row
