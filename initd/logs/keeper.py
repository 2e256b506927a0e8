"""The part of the topic `logs`: what the logs of programs need of the supervisor.

A child that compresses rotated files (initd.logs.archive), and the pid of each run, which JSON lines show.
"""

from __future__ import annotations

from initd.logs.archive import Archive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config
    from initd.process import Process
    from initd.supervisor import Supervisor


class Keeper:
    """Tells Output of runs, and an Archive of rotations."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._output = supervisor.output
        self._output.on_rotated(Archive(supervisor).add)
        supervisor.on_change(self._hear)

    def adopt(self, config: Config) -> None:
        """Nothing to do: a program's options reach Output when it starts."""

    def _hear(self, process: Process) -> None:
        if process.pid is not None and process.config.logs is not None:
            self._output.ran(process.config, process.pid)
