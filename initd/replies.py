"""What the control API takes and gives, in records; pure.

A request line is {"id": any scalar, "verb": "status", "args": {...}}.  It is answered by a Reply at once, by a Later
(the same Reply, when a wish is reached or the wait is over), or by a Stream (any number of items, then a Reply if it
ends).  Codes of errors, all of them: see CODES.
"""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Scalar = str | int | float | bool | None

CODES = {
    "unknown-program": "no process of that name; nothing was done",
    "bad-argument": "the request or one of its arguments makes no sense; nothing was done",
    "unknown-verb": "there is no such verb",
    "bad-configuration": "the file has errors, which the message tells; nothing was changed",
    "unknown-group": "no group of that name is there to be updated, added or removed; nothing was done",
    "already-there": "the group is in force already; nothing was done",
    "still-running": "the group has processes that run: stop them first; nothing was done",
    "not-writable": "the process has no stdin to write to, or does not read it",
    "not-running": "there is no process to signal",
    "forbidden": "this carrier or actor may not do that",
    "busy": "too many clients, or too many commands under way",
    "shutting-down": "nothing is started during a shutdown",
    "old-epoch": "a newer hub has commanded here since",
    "replayed": "a command with that number was here before; nothing was done",
    "expired": "the command arrived after its deadline",
    "unknown-command": "no command of that id is remembered",
    "too-large": "request or reply exceeds its bound",
    "failed": "an error of initd itself; it is counted and said on its stderr",
}
"""Every error code with its meaning."""


class ControlError(Exception):
    """A refusal; `code` is one of CODES, `hint` says what to do instead."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Rows(list[dict[str, object]]):
    """Rows of a result whose JSON is known already, because most of it is what it was last time."""

    json = "[]"


class Carrier(Record):
    """Over what a request came: `actor` as it stands in records, and the verbs it may use."""

    actor: str
    may: frozenset[str]


class Call(Record):
    """One request, checked."""

    id: Scalar
    verb: str
    args: dict[str, object]
    carrier: Carrier
    now: float
    """Seconds of the monotonic clock."""
    command: str = ""
    """Id of the command it is, "" where the verb changes nothing."""


class Reply(Record):
    """The end of a request."""

    id: Scalar
    result: object = None
    error: ControlError | None = None

    def message(self) -> dict[str, object]:
        """The reply as it goes over the wire."""
        if self.error is None:
            return {"id": self.id, "ok": True, "result": self.result}
        told = {"code": self.error.code, "message": self.error.message, "hint": self.error.hint}
        return {"id": self.id, "ok": False, "error": told}


class Stream(Record):
    """Items now, and more as they come: `attach(push)` starts and returns what ends it."""

    id: Scalar
    items: list[object]
    attach: Callable[[Callable[[object], object]], Callable[[], None]]


class Later:
    """A reply that is not there yet."""

    def __init__(self, id: Scalar, deadline: float) -> None:
        self.id = id
        self.deadline = deadline
        self.reply: Reply | None = None
        self._callback: Callable[[Reply], object] | None = None

    def then(self, callback: Callable[[Reply], object]) -> None:
        """Call `callback(reply)` when it is there, which may be now."""
        self._callback = callback
        if self.reply is not None:
            callback(self.reply)

    def settle(self, reply: Reply) -> None:
        """Give the reply, which gets our id; only the first counts."""
        if self.reply is None:
            self.reply = reply._replace(id=self.id)
            if self._callback is not None:
                self._callback(self.reply)


Answer = Reply | Stream | Later
