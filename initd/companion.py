"""PID 1's own children, link and the rpc server: started after the programs, restarted for ever, never in their way.

Theory.  All that speaks ZeroMQ or HTTP lives in a process of its own, which may die at any moment (libzmq aborts on
internal errors).  It is tied to PID 1 by one socketpair, its descriptor 3; each life gets a new one.  Short lives in a
row wait longer and longer (initd.backoff.link_wait); a life of LINK_STEADY seconds starts the waits anew.  During a
shutdown it is not started again; it ends with the sweep, so its goodbye is the last thing that happens.
"""

from __future__ import annotations

from initd.backoff import LINK_STEADY, link_wait
from initd.errors import StartFailed
from initd.events import KILL
from initd.signals import name_of
from initd.sockets import socket
from initd.spawn import Order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from initd.reaper import Death
    from initd.supervisor import Supervisor
    from initd.timers import Timer

STDERR = 2


class Companion:
    """`attach(end)` takes over PID 1's end of the socketpair of each new life; `name` is for people."""

    def __init__(
        self,
        supervisor: Supervisor,
        argv: Sequence[str],
        environ: Mapping[str, str],
        attach: Callable[[socket.socket], object],
        name: str = "link",
    ) -> None:
        self._sup = supervisor
        self._argv = tuple(argv)
        self._environ = environ
        self._attach = attach
        self._name = name
        self._short_lives = 0
        self._began = 0.0
        self._ended = False
        self._again: Timer | None = None
        self.pid: int | None = None
        self.given: tuple[tuple[int, int], ...] = ()
        """More descriptors for each life: ours, and what it is there."""
        self.rest: Callable[[], object] | None = None
        """What to do after the wait instead of beginning another life, which is begun by who needs it."""
        supervisor.loop.menders.append(self.mend)
        supervisor.companions.append(self)

    def start(self) -> None:
        """Begin a life; what fails is tried again later, never raised."""
        self._again = None
        if self._sup.ending is not None or self._ended or self.pid is not None:
            return
        self._began = self._sup.loop.now()
        try:
            self._spawn()
        except (StartFailed, OSError) as error:
            self._later(f"{self._name} did not start: {error}")

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            given = ((theirs.fileno(), 3), *self.given)
            order = Order(self._argv, self._environ, self._sup.stdin, STDERR, STDERR, extra=given)
            pid = self._sup.kernel.spawn(order)
        except StartFailed:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pid = pid
        try:
            self._sup.register(pid, self._on_death)
            ours.setblocking(False)
            self._attach(ours)
        except Exception:  # nobody would answer it
            self._sup.kernel.kill(pid, KILL, False)
            raise
        self._sup.note(f"{self._name} started (pid {pid})", "debug")

    def stop(self) -> None:
        """End it for good."""
        self._ended = True
        if self.pid is not None:
            try:
                self._sup.kernel.kill(self.pid, KILL, False)
            except OSError:
                pass  # it is dead already, and about to be reaped

    def _on_death(self, death: Death) -> None:
        self.pid = None
        how = f"status {death.code}" if death.signal is None else name_of(death.signal)
        self._later(f"{self._name} (pid {death.pid}) ended: {how}")

    def _later(self, why: str) -> None:
        if self._sup.ending is not None or self._ended:
            return
        now = self._sup.loop.now()
        self._short_lives = 1 if now - self._began >= LINK_STEADY else self._short_lives + 1
        wait = link_wait(self._short_lives)
        self._sup.note(f"{why}; again in {wait:g} s", "warn")
        self._again = self._sup.loop.at(now + wait, self._go_on)

    def _go_on(self) -> None:
        if self.rest is None:
            self.start()
        else:
            self._again, self._began = None, 0.0
            self.rest()

    def mend(self) -> None:
        """After an exception: a life that nobody will hear the end of, or no life to come, is begun anew."""
        if self._ended or not self._began:
            return
        if self.pid is not None and self.pid not in self._sup.wards:
            self.pid = None
        if self.pid is None and (self._again is None or self._again.callback is None):
            self._later(f"{self._name} was lost")
