"""Looks by a command: a child of ours that runs as the program does, and whose exit status is the answer.

It gets the program's user, directory, environment and limits (the supervisor's fittings), and the silent stdin.  What
it writes is kept for the reason of a failure, as far as PROBE_WORDS_BYTES go; a pipe takes 64 KiB, who writes more
waits and runs out of time.  Whoever is not done in time is killed with its process group, and the next look does not
begin before it is gone.
"""

from __future__ import annotations

import os

from initd.errors import StartFailed
from initd.launch import order_for
from initd.signals import name_of
from wire.limits import PROBE_WORDS_BYTES, TEXT_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.process import Process
    from initd.reaper import Death
    from initd.spawn import Order
    from initd.supervisor import Supervisor

    Fit = Callable[[Process, Order], Order]

KILL = 9


class Errand:
    """One look; `tell(why)` is called once, with "" for success.  `ours` is a fitting that is not for errands."""

    def __init__(
        self, supervisor: Supervisor, process: Process, argv: tuple[str, ...], ours: Fit, tell: Callable[[str], object]
    ) -> None:
        self._sup = supervisor
        self._process = process
        self._tell: Callable[[str], object] | None = tell
        self._pid: int | None = None
        self._words = -1
        try:
            self._start(argv, ours)
        except (StartFailed, OSError) as error:
            self._settle(f"{argv[0]} did not start: {error}")

    @property
    def gone(self) -> bool:
        """Whether nothing of it is left."""
        return self._pid is None

    def cancel(self) -> None:
        """End it without an answer; it may take a moment to go."""
        self._tell = None
        if self._pid is not None:
            try:
                self._sup.kill(self._pid, KILL, group=True)
            except OSError:
                pass  # it is on its way out

    def _start(self, argv: tuple[str, ...], ours: Fit) -> None:
        self._words, theirs = os.pipe2(os.O_CLOEXEC)
        try:
            os.set_blocking(self._words, False)
            order = order_for(self._process.config, self._sup.base, self._sup.stdin, theirs, theirs)
            for fit in self._sup.fittings:
                order = order if fit == ours else fit(self._process, order)
            self._pid = self._sup.kernel.spawn(order._replace(argv=argv))
        finally:
            os.close(theirs)
            if self._pid is None:
                self._close()
        self._sup.register(self._pid, self._on_death)

    def _on_death(self, death: Death) -> None:
        self._pid = None
        how = f"exit status {death.code}" if death.signal is None else f"killed by {name_of(death.signal)}"
        said = self._said() if death.code or death.signal else ""
        self._close()
        self._settle("" if death.code == 0 else f"{how}{said and ': '}{said}")

    def _said(self) -> str:
        """The last line it wrote."""
        try:
            words = os.read(self._words, PROBE_WORDS_BYTES)
        except OSError:
            return ""
        lines = words.decode("utf-8", "backslashreplace").split("\n")
        text = next((line for line in reversed(lines) if line.strip()), "").strip()
        return "".join(one if one.isprintable() else " " for one in text)[:TEXT_CHARS]

    def _close(self) -> None:
        if self._words >= 0:
            os.close(self._words)
            self._words = -1

    def _settle(self, why: str) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(why)
