"""How one command is run, as a record: what the options and the name that initd was called by ask for.

Theory.  Three inits are asked for the same thing in different words: initd's own `initd [OPTION...] -- COMMAND`, tini's
and dumb-init's command lines.  Each of these is a module that turns argv and environment into a Manner, or into text
and an exit status (`Said`); initd.single.errand carries a Manner out and knows none of the three.
"""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SESSION, GROUP, SHARED = "session", "group", "shared"
"""Where the command lives: in a session of its own, in a process group of its own, or in ours."""


class Manner(Record):
    """What is to be run, and how.  Signals are numbers."""

    argv: tuple[str, ...]
    prefix: str = "initd: "
    """What each line we say begins with."""
    level: str = "warn"
    """The least important level that is said (initd.say.LEVELS)."""
    place: str = GROUP
    to_group: bool = False
    """Signals go to the command's whole process group, and not only to the command."""
    subreaper: bool = True
    """Adopt orphans where we are not PID 1."""
    unadopted: str = ""
    """What to say where we are neither PID 1 nor a subreaper."""
    parent_death: int | None = None
    """The signal that we, and so the command, get when whoever started us dies."""
    pardoned: frozenset[int] = frozenset()
    """Statuses that become 0."""
    rewrites: Mapping[int, int] = {}
    """What arrives to what is passed on; 0 for nothing."""
    tells_reaps: bool = False
    """Say each orphan that is reaped."""
    halts_at_once: bool = False
    """Stop ourselves when a signal of job control arrives, and not only when the command has obeyed it."""
    cannot_run: int = 126
    not_found: int = 127
    """Statuses where there is no such command, or it is none; those of a shell."""


class Said(Exception):
    """The command line asks for text, or is wrong: nothing is run.  Mistakes go to stderr."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
