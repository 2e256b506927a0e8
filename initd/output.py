"""The output of every process: pipes into PID 1, rings behind `tail`, log files and the container's own streams.

Theory.  Output always passes a pipe through PID 1, so that a program never waits for a log reader and never needs
permission to open /dev/stdout.  How the pipes are read is in initd.logs.intake.  Sinks never wait (initd.logs): what
one cannot take is dropped, counted, and said in one line when it takes bytes again.

End of file is not the end of a process: a grandchild may keep the pipe.  At death `drain` takes what is in the pipe
now, and reading goes on under the same name until the last holder closes it, for at most LINGERING_PIPES earlier runs.

Which sinks a stream has is decided in initd.logs.routes.
"""

from __future__ import annotations

import os

from initd.logs.channel import Channel
from initd.logs.desk import Desk, Dropped, Pipes, pipe_of, treat
from initd.logs.intake import Intake
from initd.logs.lines import last_lines
from initd.logs.pending import Pending
from initd.logs.routes import STDERR, STDOUT, Routes, sweep_auto_logs
from initd.logs.sink import FileSink
from wire.limits import LAST_LINE_BYTES, LAST_LINES, LINGERING_PIPES
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.config.records import Program
    from initd.logs.channel import Sink
    from initd.logs.desk import Pipe
    from initd.logs.intake import Heard
    from initd.logs.stream import Watching

__all__ = ["Dropped", "Output", "Pipes"]

STREAMS = (STDOUT, STDERR)

SETTINGS = ("redirect_stderr", "logs") + tuple(
    f"{stream}_{option}"
    for stream in (STDOUT, STDERR)
    for option in ("logfile", "logfile_maxbytes", "logfile_backups", "syslog", "events_enabled")
)
"""Options of a program that decide where its output goes."""


class Output:
    """See the module's docstring.

    `say(text)` tells a person one line; by default on the container's stderr.  Unless `nocleanup`, the AUTO logs that
    an earlier run left in `childlogdir` are deleted.
    """

    def __init__(
        self,
        loop: Watching,
        now_wall: Callable[[], float],
        stdout_fd: int = 1,
        stderr_fd: int = 2,
        childlogdir: str | None = None,
        identifier: str = "supervisor",
        say: Callable[[str], None] | None = None,
        nocleanup: bool = True,
        strip_ansi: bool = False,
    ) -> None:
        self.strip_ansi = strip_ansi
        """Whether escape sequences are taken out of what programs write, from their next start on."""
        self._loop = loop
        self._routes = Routes(
            loop, now_wall, stdout_fd, stderr_fd, childlogdir, identifier, say, lambda: self._intake.resume()
        )
        if childlogdir is not None and not nocleanup:
            sweep_auto_logs(childlogdir, identifier)
        self._desks: dict[str, Desk] = {}
        self._pending = Pending(loop)
        self._on_log: list[Heard] = []
        self._intake = Intake(loop, now_wall, self._pending, self._routes.tell)

    # Runs of a process

    def open(self, program: Program) -> Pipes:
        """The pipes of a run; the caller hands their ends to the child.  Raises OSError (EMFILE, ENFILE, ENOMEM)."""
        return Pipes(program.redirect_stderr)

    def attach(self, program: Program, pipes: Pipes) -> None:
        """Read the pipes of a new run from now on, as its settings say; those of the run before linger.

        A pipe that cannot be watched (out of kernel memory) and a log file that cannot be opened are tried again later.
        Raises MemoryError; it may be called again then.
        """
        desk, ours = self._desk(program), pipes.ours()
        if [pipe.fd for pipe in desk.present] != list(ours):
            self._take_over(desk, [pipe_of(program, desk, key, fd) for key, fd in zip(STREAMS, ours, strict=False)])
        for pipe in desk.present:
            if not self._loop.is_watched(pipe.fd):
                self._intake.read_on(desk, pipe)

    def _take_over(self, desk: Desk, pipes: list[Pipe]) -> None:
        """Make these the pipes of the present run."""
        for pipe in pipes:
            os.set_blocking(pipe.fd, False)
        desk.lingering, desk.present = desk.lingering + desk.present, pipes
        while len(desk.lingering) > LINGERING_PIPES:
            self._intake.close(desk, desk.lingering[0])
        for channel in desk.channels.values():
            channel.begin()

    def refit(self, program: Program) -> None:
        """Its log options changed: what it writes from now on goes where they say, whether it runs or not."""
        if full_name(program.group, program.name) in self._desks:
            self._desk(program)

    def drain(self, name: str) -> None:
        """The process died: take what is in its pipes now, at most DRAIN_BYTES each; reading goes on afterwards."""
        desk = self._desks.get(name)
        if desk is not None:
            self._drain(desk, desk.present)

    def _drain(self, desk: Desk, pipes: list[Pipe]) -> None:
        for pipe in tuple(pipes):
            self._intake.empty(desk, pipe)
        for channel in desk.channels.values():
            channel.release(all=True)

    def last_lines(self, name: str) -> tuple[str, ...]:
        """The last lines the present run wrote on either stream, oldest first, bounded and printable."""
        desk = self._desks.get(name)
        if desk is None:
            return ()
        spoken = tuple(channel.spoken() for channel in desk.channels.values() if not channel.is_mute)
        return last_lines(spoken, LAST_LINES, LAST_LINE_BYTES) if spoken else ()

    def remove(self, name: str) -> None:
        """Forget a name: close its pipes and the files nobody else writes to."""
        desk = self._desks.pop(name, None)
        if desk is None:
            return
        for pipe in desk.present + desk.lingering:
            self._intake.close(desk, pipe)
        for stream, channel in desk.channels.items():
            self._routes.detach(channel)
            if channel.followers:
                self._channel(name, stream).followers = channel.followers

    # Listening

    def tail(self, name: str, stream: str, nbytes: int | None = None) -> bytes:
        """The last `nbytes` bytes of a stream (None: all that the ring holds); empty for a name that never ran."""
        return self._channel(name, stream).ring.tail(nbytes)

    def follow(self, name: str, stream: str, callback: Callable[[bytes], object]) -> Callable[[], None]:
        """Call `callback(chunk)` for each chunk from now on, also before the first run; the result ends it."""
        return self._channel(name, stream).follow(callback)

    def on_log(self, callback: Heard) -> None:
        """Call `callback(name, stream, text)` for all that programs with *_events_enabled write from now on."""
        self._on_log.append(callback)

    def on_capture(self, callback: Heard) -> None:
        """Call `callback(name, stream, message)` for what programs with *_capture_maxbytes write between the tokens."""
        self._intake.on_capture.append(callback)

    def tap(self, name: str, stream: str, callback: Callable[[bytes], object] | None) -> None:
        """Have `callback(chunk)` called with what the present run writes, before anything is done to it; None ends it.

        For what talks to initd itself: masks would hold a line back that has no end.
        """
        self._channel(name, stream).tap = callback

    def ran(self, program: Program, pid: int) -> None:
        """The run has this pid, which JSON lines show."""
        desk = self._desks.get(full_name(program.group, program.name))
        for channel in desk.channels.values() if desk is not None else ():
            channel.pid = pid

    def spoke_at(self, name: str, stream: str) -> float | None:
        """Wall time at which the stream was last heard, None if never."""
        return self._channel(name, stream).spoke_at

    def dropped(self, name: str) -> Dropped:
        """Bytes dropped so far; zeros for a name that never ran."""
        desk = self._desks.get(name)
        channels = desk.channels if desk is not None else {}
        stdout, stderr = channels.get(STDOUT), channels.get(STDERR)
        return Dropped(stdout.origin.dropped if stdout else 0, stderr.origin.dropped if stderr else 0)

    def size(self, name: str, stream: str) -> int:
        """Bytes of a stream since it was cleared last; the ring has the end of them."""
        return self._channel(name, stream).ring.size

    def place(self, name: str, stream: str) -> int:
        """Bytes that a stream ever had: where its end is; never falls while this PID 1 lives."""
        return self._channel(name, stream).ring.total

    def logfile(self, name: str, stream: str) -> str | None:
        """Path of the log file that a stream goes to, None where there is none (yet)."""
        desk = self._desks.get(name)
        channel = desk.channels.get(stream) if desk is not None else None
        sinks = channel.sinks if channel is not None else []
        return next((sink.path for sink in sinks if isinstance(sink, FileSink)), None)

    def clear(self, name: str) -> None:
        """Empty the rings of a name and begin its log files anew.  Raises OSError where a file cannot be removed."""
        desk = self._desks.get(name)
        for channel in desk.channels.values() if desk is not None else ():
            channel.ring.clear()
            for sink in channel.sinks:
                if isinstance(sink, FileSink):
                    sink.clear()

    # The whole

    def say(self, text: str) -> None:
        """Write lines of initd's own to the container's stderr; waits for nobody, lost ones are counted."""
        self._routes.say(text)

    def shape_own(self, shape: Callable[[bytes, float], bytes] | None) -> None:
        """Let initd's own lines on the container's stderr look like this; None: `initd: ...`."""
        self._routes.own_shape = shape

    def own_log(self, path: str | None, maxbytes: int, backups: int) -> Sink | None:
        """The file for initd's own lines, rotated as any; None where `path` names no file."""
        return self._routes.own_log(path, maxbytes, backups)

    def on_rotated(self, callback: Callable[[FileSink], object]) -> None:
        """Call `callback(sink)` when a log file whose old parts are to be compressed was rotated."""
        self._routes.on_rotated = callback

    def reopen(self) -> None:
        """Open every log file again by name (SIGUSR2, after logrotate)."""
        self._routes.reopen()

    def flush(self, seconds: float) -> bool:
        """At the end of PID 1: wait at most `seconds` for the container's streams to take what is queued.

        That includes what is in a pipe that somebody kept, and wrote to, after its program's death.
        """
        for desk in self._desks.values():
            if left := [pipe for pipe in desk.lingering + desk.present if not pipe.is_over]:
                self._drain(desk, left)
        self._pending.release_all()
        return self._routes.flush(seconds)

    # Inside

    def _channel(self, name: str, stream: str) -> Channel:
        desk = self._desks.setdefault(name, Desk())
        return desk.channels.setdefault(stream, Channel(f"{name} {stream}"))

    def _desk(self, program: Program) -> Desk:
        name = full_name(program.group, program.name)
        settings = (self.strip_ansi, *(getattr(program, field) for field in SETTINGS))
        desk = self._desks.setdefault(name, Desk())
        if desk.settings != settings:
            self._equip(desk, name, program)
            desk.settings = settings
        return desk

    def _equip(self, desk: Desk, name: str, program: Program) -> None:
        """Give the channels their sinks, at first and when the configuration changed."""
        for channel in desk.channels.values():
            self._routes.detach(channel)
        for stream in (STDOUT,) if program.redirect_stderr else (STDOUT, STDERR):
            channel = self._channel(name, stream)
            self._routes.attach(channel, program, stream)
            treat(channel, program, name, stream, self.strip_ansi)
            heard = getattr(program, f"{stream}_events_enabled")
            channel.on_log = self._intake.teller(self._on_log, name, stream) if heard else None
