"""What can happen to a program, what is to be done about it, and the rules and names both refer to; pure records.

`program.step` takes one of EVENTS and returns effects; `supervisor` produces the events and carries out the effects.
"""

from __future__ import annotations

from wire._record import Record
from wire.model import State

TERM, KILL, CONT = 15, 9, 18
"""Signal numbers of Linux on every architecture we run on; `signal` is not pure enough to import."""


class Rules(Record):
    """What the configuration says about one program's life; names and meanings are supervisord's."""

    startsecs: float = 1.0
    startretries: int = 3
    autorestart: str = "unexpected"
    exitcodes: tuple[int, ...] = (0,)
    stopsignal: int = TERM
    stopwaitsecs: float = 10.0
    stopasgroup: bool = False
    killasgroup: bool = False


class Asked(Record):
    """Who asked for something: actor (`uid=0`, `signal TERM`, `hub:alice`, `initd`), verb, and command id or ""."""

    actor: str
    verb: str
    id: str = ""


NOBODY = Asked("", "")


# Events: what happened, in one record each; the class is the kind.


class Start(Record):
    """Somebody (or autostart) wants it up."""

    asked: Asked = NOBODY


class Stop(Record):
    """Somebody wants it down; `wait` seconds until KILL where it differs from stopwaitsecs (a squeezed shutdown)."""

    asked: Asked = NOBODY
    wait: float | None = None


class Restart(Record):
    """Somebody wants a new process in place of the present one."""

    asked: Asked = NOBODY


class Force(Record):
    """Down at once: KILL without a grace period."""

    asked: Asked = NOBODY


class Hold(Record):
    """A shutdown has begun: start nothing any more, but do not stop it yet."""

    asked: Asked = NOBODY


class Spawned(Record):
    """The effect Spawn succeeded."""

    pid: int


class SpawnFailed(Record):
    """The effect Spawn failed; `why` is for people."""

    why: str


class Died(Record):
    """The process was reaped: exit status, or None and the signal that ended it."""

    code: int | None
    signal: int | None = None


class Due(Record):
    """`program.deadline` has come."""


class Undeliverable(Record):
    """A signal could not be sent for another reason than that the process is gone."""

    why: str


EVENTS = (Start, Stop, Restart, Force, Hold, Spawned, SpawnFailed, Died, Due, Undeliverable)
"""All kinds of events."""

Event = Start | Stop | Restart | Force | Hold | Spawned | SpawnFailed | Died | Due | Undeliverable


# Effects: what the caller has to do, in order.


class Spawn(Record):
    """Start a process and answer with Spawned or SpawnFailed before anything else."""


class Kill(Record):
    """Send `signum` to the process, or to its group; with `wake`, SIGCONT after it."""

    signum: int
    group: bool
    wake: bool = False


class Changed(Record):
    """The state went from `previous` to `state`."""

    previous: State
    state: State
    why: str = ""
    asked: Asked = NOBODY


class Ended(Record):
    """A process ended: write its exit record.  `asked` is set where it ended because somebody wanted that."""

    expected: bool
    asked: Asked | None
    code: int | None
    signal: int | None


Effect = Spawn | Kill | Changed | Ended
