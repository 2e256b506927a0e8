"""Whose death it was: programs, wards, orphans; and which KILLs were ours.

Theory.  Whatever dies in the container is reaped here (initd.reaper), batch by batch.  A death of a program or its hook
is fed to its machine; one of another child of initd is told to who registered it; all others are orphans, and only
counted.  A SIGKILL that we sent ourselves is remembered until its victim is reaped, so that the OOM killer is not
suspected (initd.oom).  What a SIGKILL of somebody else means is asked when an exit record needs it, once for a batch:
reading the counter takes longer than starting a program again.
"""

from __future__ import annotations

from initd.events import KILL, Died
from initd.program import Phase
from wire.model import Cause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from initd.process import Process
    from initd.reaper import Death
    from initd.supervisor import Supervisor

HOOKS = (Phase.PREPARING, Phase.CANCELLING, Phase.TIDYING, Phase.TURNING)
"""Phases in which a program's process is a hook."""


class Inquest:
    """What the SIGKILLs of one batch mean that were not ours; asked of the kernel once, when it is needed."""

    def __init__(self, supervisor: Supervisor, batch: list[Death], killed: set[int], programs: Collection[int]) -> None:
        self._sup = supervisor
        self._unexplained = [death.pid for death in batch if death.signal == KILL and death.pid not in killed]
        self._programs = programs
        self._suspicion: Cause | None = None

    def verdict(self, death: Death, ours: bool) -> Cause:
        """Of one death; `ours`: we sent it SIGKILL."""
        if death.signal != KILL:
            return self._sup.kernel.verdict(death, Cause.SIGNAL)
        found = self._sup.kernel.verdict(death, Cause.SIGNAL if ours else self.suspicion())
        return Cause.SIGNAL if ours else found

    def suspicion(self) -> Cause:
        """Of all of them; where there is no answer it stays open."""
        if self._suspicion is None:
            self._suspicion = self._judge()
        return self._suspicion

    def _judge(self) -> Cause:
        sup = self._sup
        try:
            return sup.kernel.judge(self._unexplained, self._programs, sup.loop.now())
        except Exception as error:
            sup.loop.shake()
            sup.note(f"the OOM counter: {type(error).__name__}: {error}", "error")
            return Cause.OOM_POSSIBLE


class Deaths:
    """See the module's docstring."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self.by_pid: dict[int, Process] = {}
        """Processes and hooks that run."""
        self.wards: dict[int, Callable[[Death], object]] = {}
        """Other children of initd, and who hears of their death."""
        self.orphans = 0
        """Reaped processes that were nobody's here."""
        self.reaped = 0
        """All reaped processes."""
        self._killed: set[int] = set()
        """Pids that we sent SIGKILL ourselves, so the OOM killer did not."""

    def killed(self, pids: Iterable[int]) -> None:
        """These were sent SIGKILL by us."""
        self._killed.update(pids)

    def forget(self, pids: Iterable[int]) -> None:
        """Whoever of these was not reaped by us will not be any more."""
        self._killed.difference_update(pids)

    def reap(self) -> None:
        """Collect every death there is; one that makes trouble does not cost the others."""
        sup = self._sup
        for batch in sup.kernel.collect():
            inquest = Inquest(sup, batch, self._killed, self.by_pid.keys() - self._killed)
            for death in batch:
                try:
                    self._bury(death, inquest)
                except Exception as error:
                    sup.loop.shake()
                    sup.note(f"pid {death.pid}: {type(error).__name__}: {error}", "error")
            inquest.suspicion()

    def _bury(self, death: Death, inquest: Inquest) -> None:
        self.reaped += 1
        process = self.by_pid.pop(death.pid, None)
        if process is not None and process.pid != death.pid:
            process = None  # its machine never heard of it: an error cut its start short, see initd.mend
        ours = death.pid in self._killed
        self._killed.discard(death.pid)
        if process is not None:
            self._bury_program(process, death, lambda: inquest.verdict(death, ours))
            return
        ward = self.wards.pop(death.pid, None)
        if ward is not None:
            ward(death)
        else:
            self.orphans += 1

    def _bury_program(self, process: Process, death: Death, suspicion: Callable[[], Cause]) -> None:
        sup = self._sup
        # the end of PID 1 closes them all together
        if sup.inlets is not None and process.program.phase not in HOOKS and not sup.is_leaving:
            sup.inlets.close(process.name)
        process.run.death, process.run.suspicion = death, suspicion
        sup.feed(process, Died(death.code, death.signal, sup.chance()))
