"""The verbs that say something: to one process on its stdin, or to the event listeners; pure."""

from __future__ import annotations

from initd import arguments as read
from initd.arguments import REQUIRED, Argument
from initd.control import OPERATE, Entry
from initd.errors import NotWritable
from initd.replies import ControlError
from wire.limits import STDIN_WRITE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.control import Control
    from initd.replies import Call


def words(value: object) -> str:
    """Any text of at most STDIN_WRITE_BYTES."""
    if not isinstance(value, str) or len(value.encode("utf-8", "surrogatepass")) > STDIN_WRITE_BYTES:
        raise read.refuse(f"must be text of at most {STDIN_WRITE_BYTES} bytes")
    return value


def _write(control: Control, call: Call) -> object:
    name, text = str(call.args["name"]), str(call.args["text"])
    process = control.supervisor.processes.get(name)
    if process is None:
        raise ControlError("unknown-program", f"no process is called {name}", "write takes one name; status lists them")
    if process.pid is None:
        raise ControlError("not-running", f"{name} is {process.program.state}: nobody reads")
    inlet = control.supervisor.stdin_of(process)
    data = text.encode("utf-8", "surrogateescape")
    try:
        if inlet is None:
            raise NotWritable("it has no stdin of its own")
        inlet.write(data)
    except NotWritable as error:
        raise ControlError("not-writable", f"{name}: {error}") from None
    return {"name": name, "written": len(data)}


def _announce(control: Control, call: Call) -> object:
    tell = control.supervisor.announce
    if tell is not None:
        tell(str(call.args["type"]), str(call.args["data"]))
    return {"told": tell is not None}


VERBS: dict[str, Entry] = {
    "write": Entry(
        (
            Argument("name", read.text, REQUIRED, "name of one process"),
            Argument("text", words, REQUIRED, "what it shall read; no newline is added"),
        ),
        _write,
        OPERATE,
        "write to the stdin of a process; waits for nobody, refused whole where too much waits already",
    ),
    "announce": Entry(
        (
            Argument("type", words, REQUIRED, "what kind of news it is"),
            Argument("data", words, REQUIRED, "the news"),
        ),
        _announce,
        OPERATE,
        "a REMOTE_COMMUNICATION event for the event listeners; `told` is false where there are none",
    ),
}
