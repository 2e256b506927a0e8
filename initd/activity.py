"""The activity log: initd's own lines in the file that `[supervisord] logfile=` names, beside the container's stderr.

The last of them are kept in a ring as well, for `supervisorctl maintail` where there is no file.

People mount such files and search them, so a line looks as supervisord's does: time with milliseconds, a level of four
letters, the text.  Only a path that the configuration itself sets counts: the default, supervisord.log in the working
directory, would litter every container, and `docker logs` has the lines anyway.
"""

from __future__ import annotations

import time

from initd.logs.channel import Channel
from initd.logs.sink import FileSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Daemon as Settings
    from initd.output import Output

SHORT = {"critical": "CRIT", "error": "ERRO", "warn": "WARN", "info": "INFO", "debug": "DEBG", "trace": "TRAC"}
"""supervisord's words for its levels (loggers.py, LevelsByName); `blather` is BLAT."""


class ActivityLog:
    """The file in force, if there is one, and the last lines; `channel` lets others follow."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.channel = Channel("initd")
        self._lines = 0
        self._second = (0, "")
        """The second of the last line, and how it is written: strftime is most of what a line costs."""

    @property
    def file(self) -> FileSink | None:
        """The log file."""
        return next((sink for sink in self.channel.files if isinstance(sink, FileSink)), None)

    def follow(self, settings: Settings) -> None:
        """Write where these settings want it from now on; the file is opened at the next line."""
        path = settings.logfile if "logfile" in settings.given else None
        sink = self._output.own_log(path, settings.logfile_maxbytes, settings.logfile_backups)
        self.channel.files[:] = [sink] if sink is not None else []

    def write(self, lines: list[tuple[str, str]]) -> None:
        """Append lines, (text, level) each; what cannot be written is counted and said on stderr once."""
        self._lines += 1
        at = time.time()
        if self._second[0] != int(at):
            self._second = int(at), clock(at)
        text = "".join([stamped(text, level, at, self._second[1]) for text, level in lines])
        self.channel.take(text.encode("utf-8", "backslashreplace"), self._lines)

    def clear(self) -> None:
        """Begin it anew.  Raises OSError where the file cannot be removed."""
        self.channel.ring.clear()
        if self.file is not None:
            self.file.clear()


def clock(at: float) -> str:
    """A second of wall time as it stands in the file, in the container's time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def stamped(text: str, level: str, at: float, second: str | None = None) -> str:
    """The line as it stands in the file; `at` is wall time, and `second` its `clock` if that is known already."""
    return f"{second or clock(at)},{int(at % 1 * 1000):03d} {SHORT.get(level, level[:4].upper())} {text}\n"
