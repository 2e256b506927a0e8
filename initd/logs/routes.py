"""Which sinks a stream has: the routes from a program's logfile options to files and to the container's streams.

Where a stream goes, by its logfile: None - only the ring; AUTO - the container's stream of the same kind, or a file in
childlogdir where that is set; a name of the container's own stream (/dev/stdout, /dev/fd/1 ...) - the inherited
descriptor, never opened by name; /dev/null - nowhere; anything else - a file.  `syslog`, and stdout_syslog=true - a
syslog daemon besides; while there is none, the container's stream, unless it goes there anyway.
"""

from __future__ import annotations

import os
import select
import stat

from initd.logs.channel import Channel
from initd.logs.pen import is_null
from initd.logs.rotation import ARCHIVED, Keeping
from initd.logs.sink import FileSink, Origin
from initd.logs.stream import StreamSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.config.records import Program
    from initd.logs.channel import Sink
    from initd.logs.stream import Watching

STDOUT, STDERR = "stdout", "stderr"
CONTAINER_STREAMS = {
    "/dev/stdout": STDOUT,
    "/dev/fd/1": STDOUT,
    "/proc/self/fd/1": STDOUT,
    "/proc/1/fd/1": STDOUT,
    "/dev/stderr": STDERR,
    "/dev/fd/2": STDERR,
    "/proc/self/fd/2": STDERR,
    "/proc/1/fd/2": STDERR,
}
"""Names by which configurations mean the container's own streams."""

OWN = "initd: "
"""Before each of initd's own lines."""

AUTO = "AUTO"
SYSLOG = "syslog"


class Routes:
    """All sinks of this initd.

    `say(text)` tells a person one line, by default on the container's stderr; `relief()` is called when a sink that was
    congested is so no longer.
    """

    def __init__(
        self,
        loop: Watching,
        wall: Callable[[], float],
        stdout_fd: int,
        stderr_fd: int,
        childlogdir: str | None,
        identifier: str,
        say: Callable[[str], None] | None,
        relief: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._wall = wall
        self.on_rotated: Callable[[FileSink], object] | None = None
        """Told of each file that became FILE.1 and is to be compressed."""
        self.own_shape: Callable[[bytes, float], bytes] | None = None
        """How initd's own lines look, where it is not the usual way."""
        self._childlogdir = childlogdir
        self._identifier = identifier
        self._own = Origin("initd")
        self._own_channel = Channel("initd")
        self.tell = say or self.say
        self._relief = relief
        self._files: dict[str, tuple[Sink, list[Channel]]] = {}
        self._streams = self._inherit(stdout_fd, stderr_fd)

    def attach(self, channel: Channel, program: Program, stream: str) -> None:
        """Give the channel the sinks that the program's options ask for `stream`."""
        logfile, wants_syslog = getattr(program, f"{stream}_logfile"), getattr(program, f"{stream}_syslog")
        if logfile == AUTO and self._childlogdir is not None:
            logfile = self._auto_path(program.name, stream)
        if logfile == SYSLOG:
            logfile, wants_syslog = None, True
        if logfile == AUTO and program.kind == "eventlistener" and stream == STDOUT:
            logfile = None  # what it says there is protocol, no news for people
        container = stream if logfile == AUTO else CONTAINER_STREAMS.get(logfile or "")
        if container is None and program.logs is not None and stream in program.logs.relay:
            channel.shared.append(self._streams[STDOUT])
        if container is not None:
            channel.shared.append(self._streams[container])
        elif logfile is not None and not _is_null_path(logfile):
            self._attach_file(channel, program, stream, logfile)
        if wants_syslog:
            self._attach_syslog(channel, program.name)
            is_shown = any(sink in channel.shared for sink in self._streams.values())
            channel.spare = None if is_shown else self._streams[stream]

    def _attach_file(self, channel: Channel, program: Program, stream: str, path: str) -> None:
        maxbytes, backups = (getattr(program, f"{stream}_logfile_{option}") for option in ("maxbytes", "backups"))
        policy, logs = Keeping(maxbytes, backups), program.logs
        if logs is not None:
            policy = policy._replace(every=logs.logfile_rotate, compress=logs.logfile_compress)
        sinks = channel.shared if logs is not None and logs.log_files else channel.files
        sinks.append(self._file(path, policy, channel))

    def _attach_syslog(self, channel: Channel, name: str) -> None:
        from initd.logs.syslog import SyslogSink

        channel.syslog = SyslogSink(name, self._loop.now, self._wall, self.tell)

    def own_log(self, path: str | None, maxbytes: int, backups: int) -> Sink | None:
        """The file for initd's own lines, in place of the one before; None where `path` is none or a stream."""
        self.detach(self._own_channel)
        if path is None or path == SYSLOG or path in CONTAINER_STREAMS or _is_null_path(path):
            return None
        return self._file(path, Keeping(maxbytes, backups), self._own_channel)

    def detach(self, channel: Channel) -> None:
        """Take its sinks away; a file that nobody writes to any more is closed."""
        channel.release(all=True)
        channel.files.clear()
        channel.shared.clear()
        if channel.syslog is not None:
            channel.syslog.close()
        channel.syslog = channel.spare = None
        for path, (sink, users) in tuple(self._files.items()):
            if channel in users:
                users.remove(channel)
                if not users:
                    sink.close()
                    del self._files[path]

    def say(self, text: str) -> None:
        """Write initd's own lines to the container's stderr; waits for nobody, lost ones are counted."""
        own = text if self.own_shape is not None else OWN + text.replace("\n", "\n" + OWN)
        line = f"{own}\n".encode("utf-8", "backslashreplace")
        if self.own_shape is not None:
            line = self.own_shape(line, self._wall())
        self._streams[STDERR].write(line, self._own)

    def reopen(self) -> None:
        """Open every log file again by name."""
        for sink, _ in self._files.values():
            sink.reopen()

    def flush(self, seconds: float) -> bool:
        """Wait at most `seconds` for the container's streams to take what is queued; whether they did."""
        deadline = self._loop.now() + seconds
        return min(self._flush_stream(sink, deadline) for sink in self._streams.values())

    def _inherit(self, stdout_fd: int, stderr_fd: int) -> dict[str, StreamSink]:
        err = self._stream("the container's stderr", fd=stderr_fd)
        if _same_file(stdout_fd, stderr_fd):
            return {STDOUT: err, STDERR: err}
        return {STDOUT: self._stream("the container's stdout", fd=stdout_fd), STDERR: err}

    def _stream(self, name: str, fd: int = -1, path: str = "") -> StreamSink:
        sink = StreamSink(name, self._loop, self.tell, fd, path)
        sink.relief = self._relief
        return sink

    def _file(self, path: str, keeping: Keeping, channel: Channel) -> Sink:
        """One sink a path, however many streams name it: two would rotate it under each other."""
        if path not in self._files:
            self._files[path] = (self._make_sink(path, keeping), [])
        sink, users = self._files[path]
        users.append(channel)
        return sink

    def _make_sink(self, path: str, keeping: Keeping) -> Sink:
        if _is_regular(path):
            sink = FileSink(path, keeping, self._loop.now, self.tell, self._wall)
            sink.on_rotated = self._rotated
            return sink
        return self._stream(path, path=path)

    def _rotated(self, sink: FileSink) -> None:
        if self.on_rotated is not None:
            self.on_rotated(sink)

    def _auto_path(self, name: str, stream: str) -> str:
        return f"{self._childlogdir}/{name}-{stream}---{self._identifier}-{os.urandom(4).hex()}.log"

    def _flush_stream(self, sink: StreamSink, deadline: float) -> bool:
        poll = select.poll()
        while not sink.flush():
            left = deadline - self._loop.now()
            if left <= 0:
                return False
            poll.register(sink.fileno(), select.POLLOUT)
            poll.poll(int(left * 1000) + 1)
        return True


def sweep_auto_logs(directory: str, identifier: str) -> int:
    """Delete the AUTO logs of an earlier run, as supervisord does at its start; how many there were.

    AUTO names hold a random part, so nobody would ever write to them again.  A directory that cannot be read has none.
    """
    try:
        names = os.listdir(directory)
    except OSError:
        return 0
    old = [name for name in names if is_auto_name(name, identifier)]
    for name in old:
        try:
            os.unlink(f"{directory}/{name}")
        except OSError:
            pass
    return len(old)


def is_auto_name(name: str, identifier: str) -> bool:
    """Whether it is PROCESS-STREAM---IDENTIFIER-RANDOM.log, or that with the number of a backup, maybe compressed."""
    stem, _, number = name.removesuffix(ARCHIVED).rpartition(".log")
    process, mark, random = stem.rpartition(f"---{identifier}-")
    ours = process.endswith((f"-{STDOUT}", f"-{STDERR}")) and random.replace("_", "").isalnum() and len(random) == 8
    return bool(mark) and ours and (not number or (number[0] == "." and number[1:].isdigit()))


def _same_file(first: int, second: int) -> bool:
    """Whether both descriptors lead to one pipe, terminal or socket: then one queue keeps their order."""
    try:
        one, two = os.fstat(first), os.fstat(second)
    except OSError:
        return False
    return (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino) and not stat.S_ISREG(one.st_mode)


def _is_null_path(path: str) -> bool:
    try:
        return is_null(os.stat(path))
    except OSError:
        return False


def _is_regular(path: str) -> bool:
    """Whether it is a plain file or will be one."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True
