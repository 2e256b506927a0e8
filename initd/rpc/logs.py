"""The verbs that read and clear logs by place: what supervisord's readProcessStdoutLog and its kin need.

Theory.  supervisord answers from the log *file*, so places are offsets in that file, and after a rotation they start
anew.  The same here where a stream has a file.  Where it has none but is kept (the container's own stream, AUTO), the
ring stands in for the file: its size is all that was written since it was cleared, and the last RING_BYTES of it can be
read.  A stream whose logfile is none has no log, as in supervisord.

PID 1 reads at most LOG_CHUNK_BYTES a request, so that a disk is never waited for long; the client asks again.  Text
goes as Latin-1, one character a byte: only the client knows where characters begin.
"""

from __future__ import annotations

import os
import stat

from initd import arguments as read
from initd.arguments import Argument
from initd.control import OBSERVE, OPERATE, Entry
from initd.replies import ControlError, Stream
from initd.reports import select
from initd.rpc.details import logfile
from wire._record import Record
from wire.limits import LOG_CHUNK_BYTES, RING_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.activity import ActivityLog
    from initd.control import Control
    from initd.process import Process
    from initd.replies import Answer, Call


class Desk(Record):
    """What the handlers here work with."""

    control: Control
    own: ActivityLog


def _none(path: str = "") -> dict[str, object]:
    """There is no such log; `path` is where it would be."""
    return {"log": False, "size": 0, "offset": 0, "text": "", "path": path}


def _row(size: int, offset: int, chunk: bytes, file: int) -> dict[str, object]:
    """`file` names the file, so that a client notices when another has taken its place; 0 is the ring."""
    return {"log": True, "size": size, "offset": offset, "text": chunk.decode("latin-1"), "file": file}


def _from_file(path: str, offset: int, count: int) -> dict[str, object]:
    """A piece of a regular file.  Raises ControlError where it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        return _none(path)
    except OSError as error:
        raise ControlError("failed", f"{path}: {error.strerror}") from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return _row(0, 0, b"", 0)
        start = _place(offset, found.st_size)
        return _row(found.st_size, start, os.pread(fd, count, start), found.st_ino)
    except OSError as error:
        raise ControlError("failed", f"{path}: {error.strerror}") from error
    finally:
        os.close(fd)


def _place(offset: int, size: int) -> int:
    """A place from the front; a negative one counts from the end."""
    return offset if offset >= 0 else max(0, size + offset)


def _from_ring(kept: bytes, size: int, offset: int, count: int) -> dict[str, object]:
    """A piece of a ring that holds the last bytes of `size`."""
    first = size - len(kept)
    start = max(_place(offset, size), first)
    return _row(size, start, kept[start - first : start - first + count], 0)


def _read(desk: Desk, call: Call) -> object:
    args = call.args
    offset: int = args["offset"]  # type: ignore[assignment]
    count: int = args["bytes"]  # type: ignore[assignment]
    if args["name"] is None:
        return _read_own(desk.own, offset, count)
    process, stream = _process(desk.control, str(args["name"])), str(args["stream"])
    output = desk.control.output
    path = logfile(process.config, stream, output)
    if path and not _is_stream(path):
        return _from_file(path, offset, count)
    if not path and (getattr(process.config, f"{stream}_logfile") is None or _is_redirected(process, stream)):
        return _none()
    return _from_ring(output.tail(process.name, stream), output.size(process.name, stream), offset, count)


def _is_redirected(process: Process, stream: str) -> bool:
    return stream == "stderr" and process.config.redirect_stderr


def _is_stream(path: str) -> bool:
    """Whether the container's own streams are meant: never opened by name."""
    return path in ("syslog",) or path.startswith(("/dev/std", "/dev/fd/", "/proc/self/fd/", "/proc/1/fd/"))


def _process(control: Control, name: str) -> Process:
    if name not in control.supervisor.processes:
        raise ControlError("unknown-program", f"no process is called {name}", "status lists the names")
    return control.supervisor.processes[name]


def _read_own(own: ActivityLog, offset: int, count: int) -> object:
    if own.file is not None:
        return _from_file(own.file.path, offset, count)
    return _from_ring(own.channel.ring.tail(), own.channel.ring.size, offset, count)


def _follow(desk: Desk, call: Call) -> Answer:
    """First the end of the log, then what comes: nothing is lost or told twice between the two."""
    count: int = call.args["bytes"]  # type: ignore[assignment]
    offset = {"offset": -count} if count else {"offset": 0}
    row = _read(desk, call._replace(args={**call.args, **offset}))
    attach = desk.own.channel.follow
    if call.args["name"] is not None:
        name, stream, output = str(call.args["name"]), str(call.args["stream"]), desk.control.output

        def attach(callback: Callable[[bytes], object]) -> Callable[[], None]:
            return output.follow(name, stream, callback)

    first = row["text"] if count else ""  # type: ignore[index]
    return Stream(call.id, [first], lambda push: attach(lambda chunk: push(chunk.decode("latin-1"))))


def _clear(desk: Desk, call: Call) -> object:
    if call.args["names"] is None:
        return _clear_own(desk.own)
    chosen = select(desk.control.supervisor.processes, call.args["names"])  # type: ignore[arg-type]
    return [{"name": process.name, "fault": _clear_one(desk.control, process)} for process in chosen]


def _clear_one(control: Control, process: Process) -> str:
    """ "" or why not."""
    try:
        control.output.clear(process.name)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _clear_own(own: ActivityLog) -> object:
    try:
        own.clear()
    except OSError as error:
        raise ControlError("failed", f"initd's log: {error.strerror}") from error
    return []


def place(value: object) -> int:
    """A place in a log; negative ones count from its end."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise read.refuse("must be a whole number")
    return value


def piece(value: object) -> int:
    """How many bytes of a log."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LOG_CHUNK_BYTES:
        raise read.refuse(f"must be a whole number from 0 to {LOG_CHUNK_BYTES}")
    return value


FOLLOW_BYTES = 1024
"""Of a log that is followed, told before what comes: supervisord's."""

NAME = Argument("name", read.text, None, "name of one process; none: initd's own log")
STREAM = Argument("stream", read.stream, "stdout", "stdout or stderr")

VERBS: dict[str, Entry] = {
    "log.read": Entry(
        (
            NAME,
            STREAM,
            Argument("offset", place, 0, "where to begin; negative: that far from the end"),
            Argument("bytes", piece, RING_BYTES, "how much at most"),
        ),
        _read,
        OBSERVE,
        "a piece of a log file, or of what is kept where there is none",
    ),
    "log.follow": Entry(
        (NAME, STREAM, Argument("bytes", piece, FOLLOW_BYTES, "how much of its end comes first")),
        _follow,
        OBSERVE,
        "the end of a log and what it gets from now on",
    ),
    "log.clear": Entry(
        (Argument("names", read.names, None, "names of processes, GROUP:*, or all; none: initd's own log"),),
        _clear,
        OPERATE,
        "begin logs anew",
    ),
}


def bound(control: Control, own: ActivityLog) -> dict[str, Entry]:
    """VERBS for a control and initd's own log."""
    desk = Desk(control, own)
    return {verb: entry._replace(handler=_with(entry, desk)) for verb, entry in VERBS.items()}


def _with(entry: Entry, desk: Desk) -> Callable[[object, Call], Answer | object]:
    return lambda _control, call: entry.handler(desk, call)
