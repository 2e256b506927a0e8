"""Methods about logs, read by place, and about standard input."""

from __future__ import annotations

from initd.compat.rpc_control import outcome
from initd.compat.rpc_initd import Initd, full_name, number, text
from initd.compat.rpc_method import Method
from initd.compat.rpc_words import SIGNALLABLE_STATES, Fault
from wire.limits import LOG_CHUNK_BYTES, RPC_LOG_BYTES, STDIN_CHUNK_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.compat.rpc_initd import Row


class Log:
    """One log: of a process, by full name and stream, or the daemon's own."""

    def __init__(self, initd: Initd, name: str | None = None, stream: str = "stdout") -> None:
        self._initd = initd
        self._which = {} if name is None else {"name": name, "stream": stream}
        self.path = ""
        """Where it would be, once it was found missing."""

    def read(self, offset: int, length: int) -> str | None:
        """supervisord's readFile: `length` bytes from `offset` on, 0 for all; a negative offset counts from the end.

        None where there is no log.  Raises Fault.
        """
        if (offset < 0 and length) or length < 0:
            raise Fault("BAD_ARGUMENTS")
        wanted = RPC_LOG_BYTES if not length else min(length, RPC_LOG_BYTES)
        if offset < 0:
            wanted = min(-offset, RPC_LOG_BYTES)
        return self._pieces(offset, wanted)

    def _pieces(self, offset: int, wanted: int) -> str | None:
        found: list[str] = []
        while wanted > 0:
            row = self._row(offset, min(wanted, LOG_CHUNK_BYTES))
            if not row["log"]:
                self.path = str(row["path"])
                return None
            found.append(row["text"])
            wanted -= len(row["text"])
            offset = row["offset"] + len(row["text"])
            if not row["text"]:
                break
        return decode("".join(found))

    def _row(self, offset: int, count: int) -> Row:
        row: Row = self._initd.ask("log.read", offset=offset, bytes=count, **self._which)
        return row

    def exists(self) -> bool:
        """Whether there is such a log."""
        return bool(self._row(0, 0)["log"])

    def tail(self, offset: int, length: int) -> list[object]:
        """supervisord's tailFile: the last `length` bytes if more came than were asked for."""
        first = self._row(0, 0)
        if not first["log"]:
            return ["", 0, False]
        size = first["size"]
        overflow = size > offset + length
        if overflow:
            offset = size - 1
        if offset + length > size:
            length = 0 if offset > size - 1 else length
            offset = size - length
        wanted = min(max(length, 0), RPC_LOG_BYTES)
        return [self._pieces(max(offset, 0), wanted) if wanted else "", size, overflow]


def decode(text: str) -> str:
    """Bytes that came one character a byte, as UTF-8; what is none is escaped."""
    return text.encode("latin-1").decode("utf-8", "backslashreplace")


def read_main(initd: Initd, offset: object, length: object) -> object:
    initd.check_running()
    return _read(Log(initd), offset, length)


def _read(log: Log, offset: object, length: object) -> str:
    found = log.read(number(offset), number(length))
    if found is None:
        raise Fault("NO_FILE", log.path or None)
    return found


def clear_main(initd: Initd) -> object:
    initd.check_running()
    initd.ask("log.clear")
    return True


def read_stdout(initd: Initd, name: object, offset: object, length: object) -> object:
    initd.check_running()
    return _read(_log(initd, name, "stdout"), offset, length)


def read_stderr(initd: Initd, name: object, offset: object, length: object) -> object:
    initd.check_running()
    return _read(_log(initd, name, "stderr"), offset, length)


def tail_stdout(initd: Initd, name: object, offset: object, length: object) -> object:
    initd.check_running()
    return _log(initd, name, "stdout").tail(number(offset), number(length))


def tail_stderr(initd: Initd, name: object, offset: object, length: object) -> object:
    initd.check_running()
    return _log(initd, name, "stderr").tail(number(offset), number(length))


def _log(initd: Initd, name: object, stream: str) -> Log:
    return Log(initd, full_name(initd.find(text(name))), stream)


def clear(initd: Initd, name: object) -> object:
    initd.check_running()
    [row] = initd.ask_by_name(name, "log.clear")
    if row["fault"]:
        raise Fault("FAILED", name)
    return True


def clear_all(initd: Initd) -> object:
    initd.check_running()
    rows = initd.by_priority()
    if not rows:
        return []
    faults = {row["name"]: row["fault"] for row in initd.ask("log.clear", names=["all"])}
    return [outcome(row, Fault("FAILED", full_name(row)) if faults.get(full_name(row)) else None) for row in rows]


def send_stdin(initd: Initd, name: object, chars: object) -> object:
    initd.check_running()
    if not isinstance(chars, str):
        raise Fault("INCORRECT_PARAMETERS", chars)
    row = initd.find(text(name))
    if row["state"] not in SIGNALLABLE_STATES or row["state"] == "STOPPING":
        raise Fault("NOT_RUNNING", name)
    for start in range(0, len(chars), STDIN_CHUNK_CHARS):
        _write(initd, name, full_name(row), chars[start : start + STDIN_CHUNK_CHARS])
    return True


def _write(initd: Initd, name: object, full: str, chars: str) -> None:
    try:
        initd.ask("write", name=full, text=chars)
    except Fault as fault:
        raise Fault("NOT_RUNNING" if fault.name == "NOT_RUNNING" else "NO_FILE", name) from fault


NAME = "string name a process or group:process"
OFFSET, LENGTH = "int offset where to begin; negative: from the end", "int length how many bytes; 0: all"
PIECE, TAIL = "string result text of the log", "array text, new offset, and whether more came than was asked for"
DONE = "boolean result true"

READ_OUT = Method(read_stdout, PIECE, "Read a process's stdout log.", NAME, OFFSET, LENGTH)
READ_MAIN = Method(read_main, PIECE, "Read the daemon's own log.", OFFSET, LENGTH)
TAIL_OUT = Method(tail_stdout, TAIL, "Read the end of a process's stdout log.", NAME, OFFSET, LENGTH)
CLEAR = Method(clear, DONE, "Begin a process's logs anew.", NAME)

METHODS = {
    "readLog": READ_MAIN,
    "readMainLog": READ_MAIN,
    "clearLog": Method(clear_main, DONE, "Begin the daemon's own log anew."),
    "readProcessStdoutLog": READ_OUT,
    "readProcessLog": READ_OUT,
    "readProcessStderrLog": Method(read_stderr, PIECE, "Read a process's stderr log.", NAME, OFFSET, LENGTH),
    "tailProcessStdoutLog": TAIL_OUT,
    "tailProcessLog": TAIL_OUT,
    "tailProcessStderrLog": Method(tail_stderr, TAIL, "Read the end of a process's stderr log.", NAME, OFFSET, LENGTH),
    "clearProcessLogs": CLEAR,
    "clearProcessLog": CLEAR,
    "clearAllProcessLogs": Method(clear_all, "array structs as of startAllProcesses", "Begin all logs anew."),
    "sendProcessStdin": Method(
        send_stdin, DONE, "Write to a process's standard input.", NAME, "string chars what to write"
    ),
}
