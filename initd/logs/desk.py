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


class Pipes:
    """The pipes of one run: ends that become the child's stdout and stderr, and ours to read from.

    Making them is all that a start waits for.  Both streams have one where they are `together`.  Raises OSError
    (EMFILE, ENFILE, ENOMEM).
    """

    __slots__ = ("_stderr", "_stdout")

    def __init__(self, together: bool) -> None:
        self._stderr = self._stdout = os.pipe2(os.O_CLOEXEC)
        if together:
            return
        try:
            self._stderr = os.pipe2(os.O_CLOEXEC)
        except OSError:
            self.abandon()
            raise

    @property
    def stdout_w(self) -> int:
        """The child's stdout."""
        return self._stdout[1]

    @property
    def stderr_w(self) -> int:
        """The child's stderr."""
        return self._stderr[1]

    def ours(self) -> tuple[int, ...]:
        """What is read here, stdout first."""
        return (self._stdout[0],) if self._stderr is self._stdout else (self._stdout[0], self._stderr[0])

    def spawned(self) -> None:
        """The child has its ends."""
        os.close(self._stdout[1])
        if self._stderr is not self._stdout:
            os.close(self._stderr[1])

    def abandon(self) -> None:
        """The child will never come, or nobody can listen to it."""
        self.spawned()
        self.close()

    def close(self) -> None:
        """Listen no more."""
        for fd in self.ours():
            os.close(fd)


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
        self.is_loud = False
        """The last read brought much."""
        self.is_over = False
        """Its end was met: nobody can write to it any more."""


class Desk:
    """Everything about the output of one name."""

    def __init__(self) -> None:
        self.settings: tuple[object, ...] = ()
        self.channels: dict[str, Channel] = {}
        self.present: list[Pipe] = []
        self.lingering: list[Pipe] = []
        self.serial = 0


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
