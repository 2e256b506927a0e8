"""Errors of the hub that somebody else must understand: each carries a code, one sentence, and the fix."""

from __future__ import annotations


class HubError(Exception):
    """Base of the hub's own errors."""


class Refusal(HubError):
    """A request that is answered with no: `code` for programs, `message` and `hint` for people."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class StartError(HubError):
    """The hub cannot start; the text names the file or port and the cure."""
