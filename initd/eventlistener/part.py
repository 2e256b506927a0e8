"""Joins the pools of event listeners to what happens: states, output, groups, the clock, and initd's own end.

Theory.  What nobody subscribed to is not worded.  A TICK has a timer only while somebody wants it, so an initd without
such listeners sleeps.  Events are handed over the moment they happen: a letter that finds a READY listener is written
to its stdin at once, where supervisord waits for the end of its pass.

The pid in an event is that of the process it is about, which the machine has forgotten already when it ended.
`tries` counts as supervisord does: failed starts since the program last ran, was given up, or ended by itself.
"""

from __future__ import annotations

from initd.errors import NotWritable
from initd.eventlistener import events
from initd.eventlistener.pool import Pool
from wire.model import State, full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.config.records import Config, Group
    from initd.eventlistener.events import Event
    from initd.events import Changed
    from initd.process import Process, Run
    from initd.supervisor import Supervisor
    from initd.timers import Timer

KIND = "eventlistener"
STDOUT = "stdout"
RELAYED = "supervisor_stdout"
"""The plugin whose work initd does itself (initd.config.relay): its listeners stay down, nothing waits for them."""
GONE = (State.EXITED, State.STOPPED, State.BACKOFF, State.FATAL)
FRESH = (State.RUNNING, State.EXITED, State.FATAL)
"""States that make the count of failed starts begin anew."""


class Listeners:
    """Every pool there is; see the module's docstring."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._pools: dict[str, Pool] = {}
        self._groups: tuple[str, ...] = ()
        self._tries: dict[str, int] = {}
        self._serial = -1
        self._stopping = True
        """Nothing runs yet, or everything is being stopped."""
        self._ticks: dict[int, tuple[Timer, int]] = {}
        """The timer of each period somebody wants, and when the present one began."""
        supervisor.changes(self._on_change)
        supervisor.output.on_log(lambda name, stream, text: self._on_text(events.log, "LOG", name, stream, text))
        supervisor.output.on_capture(
            lambda name, stream, text: self._on_text(events.communication, "COMMUNICATION", name, stream, text)
        )
        supervisor.announce = self._announce
        supervisor.unheard = lambda: any(pool.is_unheard(self._is_up) for pool in self._pools.values())

    @property
    def discarded(self) -> int:
        """Events that no listener got, for want of room."""
        return sum(pool.discarded for pool in self._pools.values())

    def adopt(self, config: Config) -> None:
        """Groups come and go, pools with them; after a reload of everything all begin anew."""
        if self._stopping:
            self._end_all()
        for name in [name for name in self._groups if name not in {group.name for group in config.groups}]:
            self._remove(name)
        known, self._groups = self._groups, tuple(group.name for group in config.groups)
        for group in config.groups:
            if group.kind == KIND:
                self._configure(group, config)
            if group.name not in known:
                self._tell(events.group("ADDED", group.name))
        self._set_ticks()
        if self._stopping:
            self._stopping = False
            self._tell(events.supervisor("RUNNING"))

    # Pools

    def _configure(self, group: Group, config: Config) -> None:
        pool = self._pools.get(group.name)
        if pool is None:
            pool = self._pools[group.name] = Pool(group.name, config.daemon.identifier, self._sup.note)
        settings: dict[str, Any] = dict(group.settings)
        names = [full_name(group.name, name) for name in group.processes]
        for gone in [name for name in pool.listeners if name not in names]:
            self._sup.output.tap(gone, STDOUT, None)
        relayed = settings["result_handler"].startswith(RELAYED)
        wanted = () if relayed else settings["events"]
        pool.configure(wanted, settings["buffer_size"], settings["result_handler"], names)
        for name in names:
            self._sup.output.tap(name, STDOUT, self._ear(pool, name))

    def _remove(self, name: str) -> None:
        pool = self._pools.pop(name, None)
        for listener in pool.listeners if pool is not None else ():
            self._sup.output.tap(listener, STDOUT, None)
        self._tell(events.group("REMOVED", name))

    def _end_all(self) -> None:
        for pool in self._pools.values():
            for listener in pool.listeners:
                self._sup.output.tap(listener, STDOUT, None)
        self._pools, self._groups, self._tries = {}, (), {}

    def _ear(self, pool: Pool, name: str) -> Callable[[bytes], object]:
        def hear(chunk: bytes) -> None:
            if name in pool.listeners:
                pool.heard(name, chunk)
                self._dispatch(pool)

        return hear

    def _dispatch(self, pool: Pool) -> None:
        pool.dispatch(self._is_up, self._send)

    def _is_up(self, name: str) -> bool:
        process = self._sup.processes.get(name)
        return process is not None and process.program.state is State.RUNNING

    def _send(self, name: str, text: bytes) -> bool:
        inlet = self._sup.stdin_of(self._sup.processes[name])
        try:
            if inlet is not None:
                inlet.write(text)
            return inlet is not None
        except NotWritable:
            return False

    # Events

    def _wants(self, name: str) -> bool:
        return any(events.meant(name, pool.wanted) for pool in self._pools.values())

    def _tell(self, event: Event) -> None:
        """Number it, if anybody wants it, and hand it over."""
        if not self._wants(event.name):
            return
        self._serial += 1
        for pool in tuple(self._pools.values()):
            pool.offer(event, self._serial)
            self._dispatch(pool)

    def _announce(self, kind: str, data: str) -> None:
        self._tell(events.remote(kind, data))

    def _on_change(self, process: Process, change: Changed, run: Run) -> None:
        if self._sup.state == "stopping" and not self._stopping:
            self._stopping = True
            self._tell(events.supervisor("STOPPING"))
        name, state = process.name, change.state
        self._tries[name] = self._tries.get(name, 0) + 1 if state is State.BACKOFF else self._tries.get(name, 0)
        if state in FRESH:
            self._tries[name] = 0
        pool = self._pools.get(process.config.group)
        if pool is not None and state is State.STARTING and name in pool.listeners:
            pool.began(name)
        if self._wants(f"PROCESS_STATE_{state}"):
            config = process.config
            more = self._more(process, change, run)
            self._tell(events.state(str(state), config.name, config.group, str(change.previous), more))
        if pool is not None and name in pool.listeners:
            if state in GONE:
                pool.ended(name)
            self._dispatch(pool)

    def _more(self, process: Process, change: Changed, run: Run) -> str:
        """What a state tells besides its name."""
        if change.state in (State.STARTING, State.BACKOFF):
            return f"tries:{self._tries[process.name]}"
        if change.state in (State.FATAL, State.UNKNOWN):
            return ""
        if change.state is State.EXITED:
            record = process.last_exit
            return f"expected:{int(record is not None and record.expected)} pid:{_pid(change, run)}"
        return f"pid:{_pid(change, run)}"

    def _on_text(
        self, word: Callable[[str, str, str, int, bytes], Event], kind: str, name: str, stream: str, text: bytes
    ) -> None:
        process = self._sup.processes.get(name)
        if process is None or not self._wants(f"PROCESS_{kind}_{stream.upper()}"):
            return
        self._tell(word(stream, process.config.name, process.config.group, process.run.pid or 0, text))

    # The clock

    def _set_ticks(self) -> None:
        for period in events.TICKS:
            known = self._ticks.pop(period, None)
            if known is not None:
                known[0].cancel()
            if self._wants(f"TICK_{period}"):
                self._arm(period, known[1] if known is not None else self._slice(period))

    def _arm(self, period: int, present: int) -> None:
        wall = self._sup.kernel.wall()
        due = self._sup.loop.now() + period - wall % period
        self._ticks[period] = (self._sup.loop.at(due, lambda: self._tick(period)), present)

    def _tick(self, period: int) -> None:
        before, now = self._ticks[period][1], self._slice(period)
        self._arm(period, now)
        if now != before:
            self._tell(events.tick(period, now))

    def _slice(self, period: int) -> int:
        wall = self._sup.kernel.wall()
        return int(wall - wall % period)


def _pid(change: Changed, run: Run) -> int:
    """Of the process that a change is about; 0 where there was none, as after BACKOFF."""
    return 0 if change.previous is State.BACKOFF else run.pid or 0
