"""Starts programs by their schedules: the part behind schedule=.

Theory.  A schedule only wishes: at its time it asks for a start, as a person would, and the program does the rest
(dependencies, retries, hooks).  Runs never overlap: a program that still runs, or waits to, is left alone and the run
is skipped.  Cron expressions follow the wall clock (initd.jobs.alarm), intervals the monotonic one, which nobody sets.
While a program is down its `why` says when it runs next.
"""

from __future__ import annotations

from initd.errors import OperatorError
from initd.events import Asked
from initd.jobs import zone
from initd.jobs.agenda import MISSED, RUN, Agenda, begin, look
from initd.jobs.alarm import Alarm
from initd.jobs.dates import shown
from initd.program import Phase, is_alive, is_pending
from wire.model import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config
    from initd.jobs.zone import Zone
    from initd.process import Process
    from initd.supervisor import Supervisor
    from initd.timers import Timer

SCHEDULE = Asked("schedule", "start")


class Entry:
    """One program's schedule."""

    def __init__(self, agenda: Agenda, place: Zone, timezone: str) -> None:
        self.agenda = agenda
        self.zone = place
        self.timezone = timezone
        self.timer: Timer | None = None
        """Of an interval."""


class Schedules:
    """The part; see the module's docstring."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._entries: dict[str, Entry] = {}
        self._alarm = Alarm(supervisor.loop, supervisor.kernel.wall, self._ring)
        supervisor.on_change(self._on_change)

    def adopt(self, config: Config) -> None:
        """Take over another configuration; a schedule that is the same goes on where it stood."""
        before, self._entries = self._entries, {}
        for process in self._sup.processes.values():
            jobs = process.config.jobs
            if jobs is None or jobs.schedule is None:
                continue
            known = before.pop(process.name, None)
            same = known is not None and (known.agenda.plan, known.timezone) == (jobs.schedule, jobs.timezone)
            entry = known if known is not None and same else self._begin(process)
            entry.agenda = entry.agenda._replace(catch_up=jobs.catch_up)
            self._entries[process.name] = entry
            self._show(process, entry)
        for gone in before.values():
            if gone.timer is not None:
                gone.timer.cancel()
        self._set()

    def _begin(self, process: Process) -> Entry:
        jobs = process.config.jobs
        assert jobs is not None and jobs.schedule is not None, "asked by adopt"
        place = self._find_zone(process.name, jobs.timezone)
        clock = self._sup.loop.now() if jobs.schedule.every else self._sup.kernel.wall()
        entry = Entry(begin(jobs.schedule, jobs.catch_up, clock, place.offset), place, jobs.timezone)
        if jobs.schedule.every:
            self._set_interval(process.name, entry)
        return entry

    def _find_zone(self, name: str, timezone: str) -> Zone:
        try:
            return zone.find(timezone)
        except ValueError as fault:  # it was there when the file was read
            self._sup.note(f"{name}: {fault}; its schedule goes by UTC", "error")
            return zone.UTC

    # Time

    def _set(self) -> None:
        times = [entry.agenda.next_at for entry in self._entries.values() if not entry.agenda.plan.every]
        self._alarm.set(min((at for at in times if at is not None), default=None))

    def _ring(self) -> None:
        now = self._sup.kernel.wall()
        for name, entry in tuple(self._entries.items()):
            if not entry.agenda.plan.every:
                self._look(name, entry, now)
        self._set()

    def _set_interval(self, name: str, entry: Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        if entry.agenda.next_at is not None:
            entry.timer = self._sup.loop.at(entry.agenda.next_at, lambda: self._beat(name, entry))

    def _beat(self, name: str, entry: Entry) -> None:
        if self._entries.get(name) is entry:
            self._look(name, entry, self._sup.loop.now())
            self._set_interval(name, entry)

    def _look(self, name: str, entry: Entry, now: float) -> None:
        process = self._sup.processes.get(name)
        entry.agenda, what = look(entry.agenda, now, entry.zone.offset)
        if process is None:
            return
        if what == RUN:
            self._run(process)
        elif what == MISSED:
            self._sup.note(f"{name}: a run was missed, the clock jumped or the machine slept", "warn")
        self._show(process, entry)

    def _run(self, process: Process) -> None:
        if self._sup.ending is not None:
            return
        if is_alive(process.program) or is_pending(process.program) or process.program.state is State.BACKOFF:
            waiting = process.program.phase is Phase.WAITING
            last = f"its last run still {process.program.why}" if waiting else "still at its last run"
            self._sup.note(f"{process.name}: {last}, this one is skipped", "warn")
            return
        try:
            self._sup.start(process, SCHEDULE)
        except OperatorError:
            pass  # everything is being stopped

    # For people

    def _on_change(self, process: Process) -> None:
        entry = self._entries.get(process.name)
        if entry is not None:
            self._show(process, entry)

    def _show(self, process: Process, entry: Entry) -> None:
        program = process.program
        if entry.agenda.next_at is None or is_alive(program) or is_pending(program) or program.state is State.BACKOFF:
            return
        at = entry.agenda.next_at
        if entry.agenda.plan.every:
            at += self._sup.kernel.wall() - self._sup.loop.now()
        process.why = "; ".join(filter(None, [program.why, f"next run {shown(at, entry.zone.offset(at))}"]))
