"""What a program's machine remembers, and the words that all its transitions use; pure.

See initd.program for the states and the table.
"""

from __future__ import annotations

from initd.events import NOBODY, POST_STOP, PRE_START, Asked, Changed, Died, Effect, Rules, Spawn
from initd.signals import name_of
from wire._record import Record
from wire._words import Words
from wire.model import Cause, State, Want


class Phase(Words):
    """What is going on inside a state; MAIN is all that supervisord knows."""

    MAIN = "main"
    WAITING = "waiting"
    PREPARING = PRE_START
    CANCELLING = "cancelling"
    ABANDONING = "abandoning"
    EMPTYING = "emptying"
    TIDYING = POST_STOP
    TURNING = "turning"


class Program(Record):
    """One process of one program.  Times are seconds of the monotonic clock."""

    rules: Rules
    state: State = State.STOPPED
    phase: Phase = Phase.MAIN
    want: Want = Want.DOWN
    since: float = 0.0
    pid: int | None = None
    """The process, or the hook that runs in its place."""
    spawned_at: float = 0.0
    deadline: float | None = None
    again_at: float | None = None
    """While post_stop runs: when the next start is due, None where none is."""
    ready_at: float | None = None
    """When the present process became ready, None where it did not, or nobody would say so."""
    tries: int = 0
    """Failed starts in a row; of a one-shot, failed runs."""
    falls: int = 0
    """Ends and failed starts in a row, with no steady life between; only the waits of a Backoff depend on it."""
    hasty: int = 0
    """Lives in a row that were started, and over within HASTY_SECONDS; not counted beyond HASTY_BURST + 1."""
    ends: tuple[float, ...] = ()
    """When the last processes ended by themselves, as many as a crash loop has."""
    spawns: int = 0
    """Processes that came to be, ever; hooks do not count."""
    asked: Asked = NOBODY
    """Whose command is being carried out: it stands in the exit record of a stop."""
    wisher: Asked = NOBODY
    """Who set the present wish; differs from `asked` when somebody wants it up again while it is stopping."""
    cause: Cause = Cause.STOPPED
    """While its process is being ended: why."""
    why: str = ""
    """What a person was told of the last passage, or is to be told of the next one."""
    steps: tuple[tuple[int, float], ...] = ()
    """While its process is being ended: signals still to come, and the seconds that each may take."""
    patience: float = 0.0
    """While its process is being ended: seconds between two KILLs."""
    kills: int = 0
    """KILLs that the present stop has needed."""


Step = tuple[Program, tuple[Effect, ...]]

INITD_ACTOR = "initd"
"""Who ends a process where a rule of the configuration wants that."""


def enter(program: Program, state: State, now: float, why: str = "", **changes: object) -> tuple[Program, Changed]:
    """The program in another state, and the effect that tells of it."""
    changed = Changed(program.state, state, why, changes.get("asked", program.asked))  # type: ignore[arg-type]
    fields = {"state": state, "phase": Phase.MAIN, "since": now, "deadline": None, "why": why, **changes}
    return program._replace(**fields), changed  # type: ignore[arg-type]


def launch(program: Program, now: float, asked: Asked) -> Step:
    """Begin a start, with its hook if there is one."""
    hooked = program.rules.pre_start is not None
    phase = Phase.PREPARING if hooked else Phase.MAIN
    program, changed = enter(
        program, State.STARTING, now, phase=phase, want=Want.UP, asked=asked, wisher=asked, ready_at=None
    )
    return program, (changed, Spawn(PRE_START if hooked else ""))


def want_up(program: Program, event: object, now: float) -> Step:
    """Remember who wants it up: it is already, or will be."""
    return program._replace(want=Want.UP, wisher=event.asked), ()  # type: ignore[attr-defined]


def want_down(program: Program, event: object, now: float) -> Step:
    """Remember who wants it down, and leave it to end by itself."""
    return program._replace(want=Want.DOWN, wisher=event.asked), ()  # type: ignore[attr-defined]


def how(event: Died) -> str:
    """An end in words."""
    return f"exit status {event.code}" if event.signal is None else f"killed by {name_of(event.signal)}"
