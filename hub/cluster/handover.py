"""Whom this hub watches, and whom it may call lost: the care for agents, handed from home to home.

Theory.  The home watches its agents by its own attention (hub.clock), never by times another hub wrote.  What it did
not hear while it was not their home, or was blind, proves nothing, so it begins with a *grace* of two periods: in it
nobody is late or lost, and who is silent to its end, and was silent for three periods where that was heard, is lost
then.

A home that does not hear an agent may be cut off from it alone, while another hub serves it as a *guest* and writes
that it hears it (store.hear_agents raises its `mark`).  So a verdict takes two looks, without any clock but the
home's: at SUSPECT periods of silence it notes the mark, at LOST it judges *if the mark is still that one*
(store.judge_agent compares).  If the agent was heard elsewhere meanwhile, or has been judged by another, the store
refuses; the silence starts anew.  Since the store changes a presence once, who vanished is reported once, whoever
reports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.cluster.rows import SeenRow
from hub.discovery.liveness import GRACE, LOST_AFTER
from wire._record import Record
from wire.model import Presence

SUSPECT_AFTER = 1.5
"""Periods of silence after which the agent's mark is noted."""
NOTED_FOR = 1.5
"""Periods from noting a mark to a verdict: every heartbeat of a guest is written, so one falls between."""


class Ward(Record):
    """One agent in this hub's care."""

    heard: float
    """Attention at its last sign of life, or a time that gives it its grace."""
    mark: int | None = None
    """Its mark in the store when it became suspect; None while it is not."""
    noted: float = 0.0
    """Attention when the mark was noted."""
    patience: float = NOTED_FOR
    """Periods from noting the mark to a verdict: longer for who is known to be a guest of a hub that cannot vouch."""
    asked: bool = False
    """A look or a verdict is under way."""


class Care:
    """The agents whose home this hub is; all times are attention, in seconds."""

    def __init__(self, period: float) -> None:
        self.period = period
        self.wards: dict[str, Ward] = {}
        self.lost: set[str] = set()
        """Called lost; looked up now and then (`looked`): another hub may hear them, or write late that it did."""
        self.quiet_until = float("-inf")

    def take(self, agents: Iterable[str], attention: float, spoke: Mapping[str, float] | None = None) -> None:
        """These have their home here now: each has its grace, and more where it `spoke` as a guest just before."""
        least, spoke = attention - (LOST_AFTER - GRACE) * self.period, spoke or {}
        for agent in agents:
            self.wards.setdefault(agent, Ward(max(least, spoke.get(agent, least))))

    def give(self, agents: Iterable[str]) -> None:
        """These have another home."""
        for agent in agents:
            self.wards.pop(agent, None)
            self.lost.discard(agent)

    def hear(self, agent: str, attention: float) -> None:
        """A sign of life; of agents that are not in care it is ignored."""
        ward = self.wards.get(agent)
        if ward is not None:
            self.wards[agent] = Ward(attention)
            self.lost.discard(agent)

    def see_again(self, attention: float) -> None:
        """Blindness is over, or the lease is new: for a grace from now on nobody is called lost."""
        self.quiet_until = attention + GRACE * self.period
        self.wards = {agent: ward._replace(mark=None, asked=False) for agent, ward in self.wards.items()}

    def suspects(self, attention: float) -> list[str]:
        """Silent agents whose mark is to be read now (`noted`)."""
        late = attention - SUSPECT_AFTER * self.period
        found = [a for a, w in self.wards.items() if w.heard <= late and w.mark is None and not w.asked]
        found = [agent for agent in found if agent not in self.lost]
        for agent in found:
            self.wards[agent] = self.wards[agent]._replace(asked=True)
        return found

    def noted(self, agent: str, row: SeenRow | None, attention: float) -> None:
        """What the store knows of a suspect; None where it did not answer.  Who left already is not judged again."""
        ward = self.wards.get(agent)
        if ward is None or not ward.asked:
            return
        if row is not None and row.presence in (Presence.LOST, Presence.GONE):
            self.lost.add(agent)
        self.wards[agent] = ward._replace(mark=row.mark if row else None, noted=attention, asked=False)

    def looked(self, rows: Iterable[SeenRow], attention: float) -> None:
        """What the store says of those called lost: who is live again, by whatever hub, is watched again."""
        for row in rows:
            if row.agent in self.lost and row.presence not in (Presence.LOST, Presence.GONE):
                self.lost.discard(row.agent)
                self.wards[row.agent] = Ward(attention)

    def verdicts(self, attention: float, vouched: bool = True) -> list[tuple[str, int]]:
        """Agents to be judged lost now, each with the mark that must still hold (`judged`).

        `vouched` says that every other member is heard from: then none hears a guest without telling.  Else a mark must
        hold for three periods, for it may have been made just before it was noted.
        """
        if attention < self.quiet_until:
            return []
        gone = attention - LOST_AFTER * self.period
        due = [
            (agent, ward.mark)
            for agent, ward in self.wards.items()
            if ward.mark is not None
            and ward.heard <= gone
            and ward.noted <= attention - (ward.patience if vouched else LOST_AFTER) * self.period
            and not ward.asked
            and agent not in self.lost
        ]
        for agent, _ in due:
            self.wards[agent] = self.wards[agent]._replace(asked=True)
        return due

    def judged(self, agent: str, agreed: bool | None, attention: float) -> None:
        """The store agreed (it is lost now), or not (it was heard elsewhere), or did not answer (None: try again)."""
        ward = self.wards.get(agent)
        if ward is None or not ward.asked:
            return
        if agreed:
            self.lost.add(agent)
        self.wards[agent] = Ward(attention, patience=LOST_AFTER) if agreed is False else Ward(ward.heard)
