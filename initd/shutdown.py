"""The end of everything: programs level by level inside one budget, then a sweep of whatever else is left.

Theory.  Four phases, each with a deadline, so that the whole ends inside the budget whatever processes do:

    levels   programs of the highest priority get their stop signals; when all are down, or their share of the budget
             (and half a second for the KILLs) is over, the next level
    sweep    stragglers of process groups, orphans, `docker exec` sessions and the link get SIGTERM and SIGCONT
    kill     who is left at the end of the last second gets SIGKILL, and is named; link, which writes down what no hub
             has heard, has some seconds more where the budget has them
    over     the loop ends; what cannot even die (state D) is left to the kernel

A reload is the first phase alone, with every program's own stopwaitsecs, and then its callback.  A second SIGTERM
means force: KILL for all, at once.
"""

from __future__ import annotations

import gc

from initd.events import CONT, KILL, TERM, Asked, Force, Hold, Stop
from initd.plan import SWEEP, Level, budget, share, stop_levels, until_kill
from initd.program import is_alive
from initd.sweep import tell
from wire.model import Cause, Want, full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from initd.process import Process
    from initd.supervisor import Supervisor
    from initd.sweep import Leftover
    from initd.timers import Timer
    from wire.model import Exit

LEVELS, SWEEPING, KILLING, OVER = "levels", "sweep", "kill", "over"

KILL_SECONDS = 0.5
"""How long a level waits for its KILLs to be obeyed before it goes on without them."""

KILL_MARGIN = 0.25
"""Seconds of the sweep that are kept for the last KILLs and their reaping."""

COMPANION_SECONDS = 4.0
"""How long link may take to write down what no hub took, on a machine that has no time for it; mostly 0.1."""

HEAR_SECONDS = 0.5
"""How long event listeners that are alone at last get to hear of it; many never answer, and none is worth more."""

SELDOM = 100_000
"""The garbage collector's threshold from now on: nearly all that is made now lasts as long as this process."""

LOOK_SECONDS = 0.05
"""Between two looks at processes that are not our children, whose death nobody tells us; only during a sweep."""


class Wave:
    """A level and its programs.  Nothing is started during a shutdown, so who is down stays down."""

    def __init__(self, level: Level, members: list[Process]) -> None:
        self.level = level
        self._members = members

    def alive(self) -> list[Process]:
        """Who still has to go, in stop order."""
        return [process for process in self._members if is_alive(process.program)]

    def is_over(self) -> bool:
        """Whether all are down; asked after each death, so the dead are not looked at again and again."""
        while self._members and not is_alive(self._members[-1].program):
            self._members.pop()
        return not self._members


class Shutdown:
    """One shutdown, or one reload where `then` is given."""

    def __init__(self, supervisor: Supervisor, asked: Asked, then: Callable[[], object] | None = None) -> None:
        self._sup = supervisor
        self._asked = asked
        self.then = then
        self.phase = LEVELS
        self._waves: list[Wave] = []
        self._began = self._ends = 0.0
        self._companions_until = 0.0
        """How long they are waited for once the sweep has begun; never where it was forced."""
        self._heard: float | None = None
        """When listeners have heard enough."""
        self._timer: Timer | None = None
        self.killed: list[Leftover] = []
        """Who had to be killed in the end, programs among them."""
        self._ended_before: dict[str, Exit | None] = {}
        """The last end of each program before this."""

    def begin(self, given: float | None) -> None:
        """Start it; `given` is the configured budget, None where there is none."""
        sup = self._sup
        if self.then is None:
            gc.set_threshold(SELDOM)
        self._began = sup.loop.now()
        self._ended_before = {process.name: process.last_exit for process in sup.processes.values()}
        levels = stop_levels([process.config for process in sup.processes.values()])
        self._waves = [Wave(level, [sup.processes[full_name(*one)] for one in level.members]) for level in levels]
        whole = float("inf") if self.then is not None else budget(levels, given)
        self._ends = self._began + whole
        limit = "" if self.then is not None else f", at most {whole:g} s"
        sup.note(f"{'reloading' if self.then is not None else 'stopping'} for {self._asked.actor}{limit}")
        first = self._waves[0].alive() if self._waves and sup.unheard is None else []
        self._hold(set(sup.processes.values()).difference(first))
        self._stop_next()
        self._hold(first)

    def _hold(self, processes: Collection[Process]) -> None:
        """Nothing is started any more.  Who was told to stop knows that, unless something went wrong."""
        for process in [one for one in self._sup.processes.values() if one in processes]:
            if process.program.want is Want.UP:
                self._sup.feed(process, Hold(self._asked))

    def force(self) -> None:
        """KILL for all, now."""
        if self.phase is OVER:
            return
        self._sup.note("asked again: killing what is left", "warn")
        for process in tuple(self._sup.processes.values()):
            if is_alive(process.program):
                self._sup.feed(process, Force(self._asked))
        self._waves, self._companions_until = [], 0.0
        self._kill()

    def look(self) -> None:
        """Something died: see whether this phase is over."""
        if self.phase is LEVELS and (not self._waves or self._waves[0].is_over()):
            self._stop_next()
        elif self.phase in (SWEEPING, KILLING) and not self._sup.kernel.leftovers():
            self._finish()

    def cancel(self) -> None:
        """Another shutdown takes over."""
        self.phase = OVER
        self._set_timer(None)

    # Levels

    def _stop_next(self) -> None:
        self._waves = [wave for wave in self._waves if not wave.is_over()]
        if not self._waves:
            self._leave_levels()
            return
        now = self._sup.loop.now()
        if self._let_listeners_hear(now):
            return
        part = share([wave.level for wave in self._waves], self._ends - now)
        self._set_timer(now + part + KILL_SECONDS, self._go_on)
        self._sup.agenda.together(lambda: self._stop(self._waves[0].alive(), part))

    def _stop(self, processes: list[Process], part: float) -> None:
        for process in processes:
            self._sup.feed(process, Stop(self._asked, until_kill(process.config, part)))

    def _let_listeners_hear(self, now: float) -> bool:
        """Whether to wait before event listeners are stopped: they are to be told how the programs ended."""
        unheard, members = self._sup.unheard, self._waves[0].alive()
        if unheard is None or any(process.config.kind != "eventlistener" for process in members) or not unheard():
            return False
        if self._heard is None:
            self._heard = min(now + HEAR_SECONDS, self._ends - SWEEP)
        if now >= self._heard:
            return False
        self._set_timer(now + LOOK_SECONDS, self._stop_next)
        return True

    def _go_on(self) -> None:
        """This level's time is over, its members have got their KILLs: they are the sweep's business now."""
        stuck = self._waves[0].alive()
        self._sup.note(f"not waiting for {', '.join(process.name for process in stuck)} any longer", "warn")
        del self._waves[0]
        self._stop_next()

    def _leave_levels(self) -> None:
        self._set_timer(None)
        if self.then is None:
            self._sweep()
            return
        self.phase = OVER
        self._sup.ending = None
        self.then()

    # Sweep

    def _sweep(self) -> None:
        found = self._sup.kernel.leftovers()
        if not found:
            self._finish()
            return
        self.phase = SWEEPING
        for signum in (TERM, CONT):
            self._sup.kernel.signal_leftovers(signum, found)
        now = self._sup.loop.now()
        self._companions_until = min(self._ends - KILL_MARGIN, now + COMPANION_SECONDS)
        self._watch_until(max(now, min(self._ends, now + SWEEP) - KILL_MARGIN), self._kill)

    def _watch_until(self, deadline: float, then: Callable[[], object]) -> None:
        now = self._sup.loop.now()
        if now >= deadline:
            then()
            return

        def look_again() -> None:
            self.look()
            if self.phase is not OVER:
                self._watch_until(deadline, then)

        self._set_timer(min(deadline, now + LOOK_SECONDS), look_again)

    def _kill(self) -> None:
        self.phase = KILLING
        found = self._sup.kernel.leftovers()
        own, now = {one.pid for one in self._sup.companions}, self._sup.loop.now()
        others = [one for one in found if one.pid not in own]
        if len(others) < len(found) and now < self._companions_until:
            self._put_down(others, self._sup.kernel.signal_some)
            self._watch_until(self._companions_until, self._kill)
            return
        self._put_down(found, self._sup.kernel.signal_leftovers)
        self._watch_until(now + KILL_SECONDS, self._finish)

    def _put_down(self, found: list[Leftover], signal: Callable[[int, list[Leftover]], object]) -> None:
        if found:
            self.killed += [one for one in found if one not in self.killed]
            signal(KILL, found)

    def _finish(self) -> None:
        self.phase = OVER
        self._set_timer(None)
        names = ", ".join(self._victims())
        took = f"stopped in {self._sup.loop.now() - self._began:.1f} s"
        self._sup.note(f"{took}; had to kill: {names}" if names else took, "warn" if names else "info")
        self._sup.loop.stop(self._sup.exit_status)

    def _victims(self) -> Iterator[str]:
        """Names of whom this shutdown killed, first those of programs."""
        pids = set()
        for process in self._sup.processes.values():
            last = process.last_exit
            if last is not None and self._has_killed(process, last):
                pids.add(last.pid)
                yield f"{process.name} (pid {last.pid})"
        others = [one for one in self.killed if one.pid not in pids]
        if others:
            yield tell(others)

    def _has_killed(self, process: Process, last: Exit) -> bool:
        """Whether this did it and no earlier stop, and against what its file wants."""
        if last is self._ended_before.get(process.name) or process.config.stopsignal == KILL:
            return False
        return last.cause is Cause.STOPPED and last.signal == KILL and last.by == self._asked.actor

    def _set_timer(self, deadline: float | None, callback: Callable[[], object] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if deadline is not None and callback is not None:
            self._timer = self._sup.loop.at(deadline, callback)
