"""What Output keeps for one name: its channels, and the pipes of the present run and of earlier ones."""

from __future__ import annotations

import os

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.logs.capture import Capture
    from initd.logs.channel import Channel


class Pipes(Record):
    """The child's ends; equal where stderr is redirected to stdout."""

    stdout_w: int
    stderr_w: int


class Dropped(Record):
    """Bytes of a process that did not reach one of their sinks."""

    stdout: int
    stderr: int


class Pipe:
    """A read end and the channel it feeds."""

    def __init__(self, fd: int, channel: Channel, capture: Capture | None) -> None:
        self.fd = fd
        self.channel = channel
        self.capture = capture


class Desk:
    """Everything about the output of one name."""

    def __init__(self) -> None:
        self.settings: tuple[object, ...] = ()
        self.channels: dict[str, Channel] = {}
        self.present: list[Pipe] = []
        self.lingering: list[Pipe] = []
        self.child_ends: tuple[int, ...] = ()
        self.serial = 0

    def close_child_ends(self) -> None:
        """The child has its ends, or will never come."""
        for end in self.child_ends:
            os.close(end)
        self.child_ends = ()
