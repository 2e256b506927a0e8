"""What Output keeps for one name: its channels, and the pipes of the present run and of earlier ones.

Modules that most files never need are imported where a program's options ask for them.
"""

from __future__ import annotations

import os

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Program
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


def pipe_of(program: Program, desk: Desk, stream: str, fd: int) -> Pipe:
    """The read end of a new run, with capture mode if the program has it."""
    limit = getattr(program, f"{stream}_capture_maxbytes")
    if limit <= 0:
        return Pipe(fd, desk.channels[stream], None)
    from initd.logs.capture import Capture

    return Pipe(fd, desk.channels[stream], Capture(limit))


def treat(channel: Channel, program: Program, name: str, stream: str, strip_ansi: bool) -> None:
    """What is done with the text of a stream before anybody gets it."""
    channel.strip = channel.mask = channel.shape = None
    if strip_ansi:
        from initd.logs.ansi import Strip

        channel.strip = Strip()
    if program.logs is None:
        return
    from initd.logs.shape import shape_of

    channel.shape = shape_of(program.logs, name, stream)
    if program.logs.log_mask:
        from initd.logs.mask import Mask

        channel.mask = Mask(program.logs.log_mask)
