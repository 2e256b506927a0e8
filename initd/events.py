"""What can happen to a program, what is to be done about it, and the rules and names both refer to; pure records.

`program.step` takes one of EVENTS and returns effects; `supervisor` produces the events and carries out the effects.
"""

from __future__ import annotations

from wire._record import Record
from wire.model import Cause, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.backoff import Backoff

TERM, KILL, CONT = 15, 9, 18
"""Signal numbers of Linux on every architecture we run on; `signal` is not pure enough to import."""


LEADER, GROUP, TREE = "leader", "group", "tree"
"""What a stop reaches, and waits for."""

ONESHOT = "oneshot"
"""The type of a program whose work is done when it ends."""

PRE_START, POST_STOP = "pre_start", "post_stop"
"""Hooks: commands run before each start and after each end of a process."""


class Rules(Record):
    """What the configuration says about one program's life; the first eight are supervisord's, by name and meaning."""

    startsecs: float = 1.0
    startretries: int = 3
    autorestart: str = "unexpected"
    exitcodes: tuple[int, ...] = (0,)
    stopsignal: int = TERM
    stopwaitsecs: float = 10.0
    stopasgroup: bool = False
    killasgroup: bool = False
    stop_signals: tuple[tuple[int, float], ...] = ()
    """Signals of a stop and how long each may take, seconds, before the next; (): stopsignal and stopwaitsecs."""
    stop_scope: str = ""
    """LEADER, GROUP or TREE; "": as supervisord, signals as the two options say, and over when the leader is gone."""
    awaits_ready: bool = False
    """Counts as started only when Ready came, too."""
    oneshot: bool = False
    """Its work is done when it ends as expected."""
    backoff: Backoff | None = None
    """How the waits before automatic starts grow; None: as supervisord."""
    crash_loop: tuple[int, float] | None = None
    """So many ends in so many seconds, and it is given up."""
    pre_start: float | None = None
    """Seconds that the command before each start may take; None: there is none."""
    post_stop: float | None = None
    """Seconds that the command after each end may take; None: there is none."""


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


class Await(Record):
    """Somebody wants it up, but something else has to come first; `why` says what.  Start ends the waiting."""

    asked: Asked = NOBODY
    why: str = ""


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
    """The effect Spawn failed; `why` is for people.  `chance`, as in Died, for the wait that follows."""

    why: str
    chance: float = 0.5


class Died(Record):
    """The process was reaped: exit status, or None and the signal that ended it.

    `chance` in [0, 1) is the random number of the wait that may follow (see Backoff.jitter): the machine has none.
    """

    code: int | None
    signal: int | None = None
    chance: float = 0.5


class Emptied(Record):
    """Nothing is left of what the stop reaches (stop_scope)."""


class Ready(Record):
    """It can do its work: a readiness probe, or the process itself, said so."""


class NotReady(Record):
    """It did not become ready in time: this start has failed, and its process is to go."""

    why: str


class Failing(Record):
    """A rule wants the process replaced (`action` "restart") or ended ("stop"): a probe, its age, a dependency.

    `cause` PROBE, RENEWAL or DEPENDENCY stands in the exit record, `why` too.
    """

    why: str
    action: str = "restart"
    cause: Cause = Cause.PROBE


class Due(Record):
    """`program.deadline` has come."""


class Undeliverable(Record):
    """A signal could not be sent for another reason than that the process is gone."""

    why: str


EVENTS = (
    Start, Await, Stop, Restart, Force, Hold, Spawned, SpawnFailed, Died, Emptied, Ready, NotReady, Failing, Due,
    Undeliverable,
)  # fmt: skip
"""All kinds of events."""

Event = (
    Start | Await | Stop | Restart | Force | Hold | Spawned | SpawnFailed | Died | Emptied | Ready | NotReady | Failing
    | Due | Undeliverable
)  # fmt: skip


# Effects: what the caller has to do, in order.


class Spawn(Record):
    """Start a process and answer with Spawned or SpawnFailed before anything else; `hook`: which one, "" for none."""

    hook: str = ""


class Ask(Record):
    """It was stopped and is wanted up again: answer with Start, or Await where something else has to come first."""

    asked: Asked


class Kill(Record):
    """Send `signum` to the process, or to its group; with `wake`, SIGCONT after it."""

    signum: int
    group: bool
    wake: bool = False


class Reach(Record):
    """Send `signum` to everything that the stop reaches (stop_scope); with `wake`, SIGCONT after it."""

    signum: int
    wake: bool = False


class Look(Record):
    """The leader is gone: answer with Emptied where nothing else is left of its scope, else go on looking."""


class Leave(Record):
    """What is left of its scope survived every KILL: say so."""


class Tell(Record):
    """Show `why` beside the state, which stays."""

    why: str


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
    cause: Cause | None = None
    """Why it was brought down; None where it ended by itself."""
    why: str = ""
    """What the rule said that brought it down."""
    escalated: bool = False
    """Its stop signals did not suffice, and it was sent KILL."""
    hook: str = ""
    """The process was this hook."""


Effect = Spawn | Ask | Kill | Reach | Look | Leave | Tell | Changed | Ended
