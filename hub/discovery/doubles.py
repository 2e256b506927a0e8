"""Two that are one: the same key used by two running containers at once, told from a container that was restarted.

Theory.  A restarted container registers with a new boot id, and the old one is never heard again.  Two copies of one
key (a stolen file, a machine restored from a snapshot while the first one runs) answer each other instead: each time
one registers, the other is asked to register again.  So a boot that *returns* after another took its place is a sign,
and two returns within WINDOW_SECONDS are a proof; one alone may be a late message.  Then who came first stays, and
the later boot is refused from now on: it has to enrol with a key of its own.
"""

from __future__ import annotations

from wire._record import Record

WINDOW_SECONDS = 60.0
"""Two copies answer each other once a period, so two returns take seconds."""
RETURNS = 2
BOOTS = 8
"""Boots remembered of one agent, and boots refused."""


class History(Record):
    """Boots of one agent that had more than one."""

    boots: tuple[str, ...]
    """In the order in which they came first."""
    returned: tuple[float, ...] = ()
    refused: tuple[str, ...] = ()


class Doubles:
    """Judges registrations; only agents that were seen with several boots take memory."""

    def __init__(self) -> None:
        self.histories: dict[str, History] = {}

    def is_refused(self, agent: str, boot: str) -> bool:
        """Whether this boot was found to be a copy."""
        history = self.histories.get(agent)
        return history is not None and boot in history.refused

    def register(self, agent: str, present: str | None, boot: str, mono: float) -> str:
        """A registration with `boot` where `present` was known; returns the copy's boot if it proves that there is one.

        The copy is `boot` itself, or `present`, whichever came later.
        """
        if present is None or present == boot:
            return ""
        history = self.histories.get(agent) or History((present,))
        if boot not in history.boots:
            self.histories[agent] = history._replace(boots=(*history.boots, boot)[-BOOTS:])
            return ""
        lately = tuple(at for at in history.returned if mono - at < WINDOW_SECONDS)
        history = history._replace(returned=(*lately, mono)[-RETURNS:])
        copy = self._later(history, present, boot) if len(history.returned) >= RETURNS else ""
        if copy:
            history = history._replace(returned=(), refused=(*history.refused, copy)[-BOOTS:])
        self.histories[agent] = history
        return copy

    def _later(self, history: History, present: str, boot: str) -> str:
        known = history.boots
        return present if present in known and known.index(present) > known.index(boot) else boot

    def forget(self, agent: str) -> None:
        """The agent is no more."""
        self.histories.pop(agent, None)
