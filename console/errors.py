"""What can go wrong, as RFC 9457 tells it: one exception that every route may raise."""

from __future__ import annotations


class Problem(Exception):
    """A refusal with its HTTP status; becomes application/problem+json, never a traceback.

    `code` is one stable word for programs, `detail` says what is wrong for people, `cure` what to do about it.
    """

    def __init__(self, status: int, code: str, detail: str, cure: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.cure = status, code, detail, cure
