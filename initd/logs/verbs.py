"""The verb `logs`: what many processes wrote and write, in one stream of items; pure.

Each item is {name, stream, text} of one process's stream, so that whoever shows them can put whole lines together.  At
first comes the end of each ring, those that spoke last at the end; lines of different processes are in order only from
then on.  Names are settled when the verb is called: `web` stays `web` over restarts and reloads, a process that is
added later to a group is not among them.
"""

from __future__ import annotations

from codecs import getincrementaldecoder

from initd import arguments as read
from initd.arguments import Argument
from initd.control import ANY_NAMES, FOLLOW, OBSERVE, Entry
from initd.replies import Reply, Stream
from initd.reports import ALL, select
from wire.limits import LOGS_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.control import Control
    from initd.output import Output
    from initd.replies import Answer, Call

BOTH = ("stdout", "stderr")


class Source:
    """One stream of one process."""

    def __init__(self, output: Output, name: str, stream: str) -> None:
        self.name = name
        self.stream = stream
        self._output = output
        self._decoder = getincrementaldecoder("utf-8")("backslashreplace")

    def spoke_at(self) -> float:
        """Wall time, 0 for never."""
        return self._output.spoke_at(self.name, self.stream) or 0.0

    def item(self, chunk: bytes) -> dict[str, object]:
        """What was written, as text; half a character waits for its other half."""
        return {"name": self.name, "stream": self.stream, "text": self._decoder.decode(chunk)}

    def kept(self, nbytes: int) -> dict[str, object]:
        """The end of what is there, from the beginning of a line if there is one."""
        kept = self._output.tail(self.name, self.stream, nbytes)
        whole = self._output.size(self.name, self.stream) <= len(kept)
        return self.item(kept if whole else kept[kept.find(b"\n") + 1 :])

    def follow(self, push: Callable[[object], object]) -> Callable[[], None]:
        """Push an item for each chunk from now on."""
        return self._output.follow(self.name, self.stream, lambda chunk: push(self.item(chunk)))


def _logs(control: Control, call: Call) -> Answer:
    names: tuple[str, ...] = call.args["names"] or (ALL,)  # type: ignore[assignment]
    nbytes: int = call.args["bytes"]  # type: ignore[assignment]
    wanted = BOTH if call.args["stream"] is None else (str(call.args["stream"]),)
    chosen = select(control.supervisor.processes, names)
    sources = [Source(control.output, process.name, stream) for process in chosen for stream in wanted]
    items = [source.kept(nbytes) for source in sorted(sources, key=Source.spoke_at)]
    items = [item for item in items if item["text"]]
    if not call.args["follow"]:
        return Reply(call.id, items)
    return Stream(call.id, list(items), lambda push: _follow(sources, push))


def _follow(sources: list[Source], push: Callable[[object], object]) -> Callable[[], None]:
    ends = [source.follow(push) for source in sources]

    def stop() -> None:
        for end in ends:
            end()

    return stop


VERBS: dict[str, Entry] = {
    "logs": Entry(
        (
            ANY_NAMES,
            Argument("stream", read.stream, None, "stdout or stderr; none: both"),
            Argument("bytes", read.size, LOGS_BYTES, "how much of the end of each"),
            FOLLOW,
        ),
        _logs,
        OBSERVE,
        "the end of what processes wrote, of many in one stream",
    ),
}
