"""After a caught exception: finds what it may have left half done among the processes, and finishes it.

Theory.  A MemoryError may strike between any two lines.  What was cut short shows, because a few things are always true
of a settled supervisor; for each of them that is not, there is one way back:

    a machine with a deadline has a timer                        arm it
    a machine that is STARTING has a process                     its start failed
    a pid in a machine is in `by_pid`, and is a child of ours    its death was lost: tell it, as far as it is known
    a pid in `by_pid` is in its machine                          nobody supervises that process: end it
    a ward is a child of ours                                    tell its death
    everybody has heard of every change                          tell them again: initd.news

A death that was reaped and not told is known by kill(2) with signal 0, which no reaped child answers; what it died of
is told if it was noted before, and is else unknown (status 255).
"""

from __future__ import annotations

import errno

from initd.events import KILL, Died, SpawnFailed
from initd.machine.life import Phase
from initd.reaper import Death
from wire.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.process import Process
    from initd.supervisor import Supervisor

UNKNOWN_STATUS = 255
"""The exit status of a death that was reaped and forgotten."""

LOST = "interrupted by an error in initd"


def mend(sup: Supervisor) -> None:
    """Look over all processes.  May raise; it is asked again then."""
    for pid in tuple(sup.by_pid):
        _release_stray(sup, pid, sup.by_pid[pid])
    for process in tuple(sup.processes.values()):
        _mend_one(sup, process)
    for pid in [pid for pid in sup.wards if _is_gone(sup, pid)]:
        sup.wards.pop(pid)(Death(pid, UNKNOWN_STATUS, None, False, None))
    sup.news.tell_again()


def _release_stray(sup: Supervisor, pid: int, process: Process) -> None:
    """A process that its machine does not know: it was started, and that was never told."""
    if process.pid == pid:
        return
    del sup.by_pid[pid]
    if not _is_gone(sup, pid):
        sup.wards[pid] = lambda _death: None
        sup.kill(pid, KILL, False)


def _mend_one(sup: Supervisor, process: Process) -> None:
    program = process.program
    if program.pid is not None and (program.pid not in sup.by_pid or _is_gone(sup, program.pid)):
        sup.by_pid.pop(program.pid, None)
        sup.feed(process, _last_word(process, program.pid))
    elif program.state is State.STARTING and program.pid is None and program.phase is not Phase.EMPTYING:
        sup.feed(process, SpawnFailed(LOST, sup.chance()))
    elif program.deadline is not None and (process.timer is None or process.timer.callback is None):
        sup.arm(process)


def _last_word(process: Process, pid: int) -> Died:
    death = process.run.death
    if death is not None and death.pid == pid:
        return Died(death.code, death.signal)
    return Died(UNKNOWN_STATUS)


def _is_gone(sup: Supervisor, pid: int) -> bool:
    """Whether no child of that pid is there, dead or alive."""
    try:
        sup.kernel.kill(pid, 0, False)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False
