"""The part of the topic `logs`: what the logs of programs need of the supervisor.

A child that compresses rotated files (initd.logs.archive), and the pid of each run, which JSON lines show.  Where all
programs have JSON lines, or all have times, initd's own lines have them too: who reads the container's stderr finds
nothing else there then.
"""

from __future__ import annotations

from initd.config.topics.logs import Logs
from initd.logs.archive import Archive
from initd.logs.shape import shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config
    from initd.logs.shape import JsonShape, TextShape
    from initd.process import Process
    from initd.supervisor import Supervisor


def own_shape(found: set[Logs]) -> TextShape | JsonShape | None:
    """The shape of initd's own lines among programs with these options."""
    formats, stamps = {logs.log_format for logs in found}, {logs.log_timestamps for logs in found}
    if len(formats) > 1 or ("json" not in formats and "none" in stamps):
        return None
    common = min(stamps) if len(stamps) == 1 else "utc"
    given = all(logs.timestamps_given for logs in found)
    shown = Logs("initd:", common, formats.pop() if formats else "text", timestamps_given=given)
    return shape_of(shown, "initd", "stderr") if found else None


class Keeper:
    """Tells Output of runs, and an Archive of rotations."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._output = supervisor.output
        self._output.on_rotated(Archive(supervisor).add)
        supervisor.on_change(self._hear)

    def adopt(self, config: Config) -> None:
        """Own lines of initd, and the pids of runs that get JSON now; all else reaches Output without this part."""
        found = {program.logs or Logs() for program in config.programs}
        self._output.shape_own(own_shape(found))
        for process in self._sup.processes.values():
            self._hear(process)

    def _hear(self, process: Process) -> None:
        if process.pid is not None and process.config.logs is not None:
            self._output.ran(process.config, process.pid)
