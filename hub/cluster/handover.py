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

That the mark is the same proves something only where a guest's heartbeat fell between the looks and is written by now.
The first takes NOTED_FOR periods; for the second every other member vouches (hub.cluster.vouching): `settled` is the
moment up to which all that they heard is in the store.  A hub that died vouches no more, so verdicts wait until it is
no member; then the guests it had may be on their way, and all marks are void (`unsettle`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from hub.cluster.membership import Move
from hub.cluster.rows import SeenRow
from hub.discovery.liveness import GRACE, LOST_AFTER
from wire._record import Record
from wire.model import Presence

SUSPECT_AFTER = 1.15
"""Periods of silence after which the agent's mark is noted."""
NOTED_FOR = 1.2
"""Periods of others' hearings that must be written since a mark was noted: one heartbeat of a guest, and its travel."""
DEPARTED = {Move.LOST: NOTED_FOR, Move.LEFT: LOST_AFTER, Move.RESTARTED: LOST_AFTER}
"""How long marks must hold after a member went: one that was lost had been silent for a lease by then."""
LOOKS = 10
"""Looks at all agents for silence in a period: each costs a hub of 10,000 agents 2 ms."""
SEEK_AFTER = 2.0
"""Periods of silence after which it is worth while to ask how far the others' hearings are written."""


class Ward(Record):
    """One agent in this hub's care."""

    heard: float
    """Attention at its last sign of life, or a time that gives it its grace."""
    mark: int | None = None
    """Its mark in the store when it became suspect; None while it is not."""
    noted: float = 0.0
    """Attention when the mark was noted."""
    patience: float = NOTED_FOR
    """As NOTED_FOR; longer for a guest, which looks at its home's door now and then and is not heard meanwhile."""
    asked: bool = False
    """A look or a verdict is under way."""
    period: float = 0.0
    """The longest that it may keep to, where it was heard; 0 = that of all agents."""


class Care:
    """The agents whose home this hub is; all times are attention, in seconds."""

    def __init__(self, period: float) -> None:
        self.period = period
        """The longest of any hub: who does not speak here may have been told it elsewhere."""
        self.wards: dict[str, Ward] = {}
        self.marked: set[str] = set()
        """Those of them whose mark is noted."""
        self.lost: set[str] = set()
        """Called lost; looked up now and then (`looked`): another hub may hear them, or write late that it did."""
        self.quiet_until = self.look_at = float("-inf")

    def looks(self, attention: float) -> bool:
        """Whether all agents are to be looked at for silence now."""
        if due := attention >= self.look_at:
            self.look_at = attention + self.period / LOOKS
        return due

    def take(
        self,
        agents: Iterable[str],
        attention: float,
        spoke: Mapping[str, float] | None = None,
        grace: float = GRACE,
    ) -> None:
        """These have their home here now: each has its `grace` (LOST_AFTER where its home until now may just have heard
        it), and more where it `spoke` as a guest just before."""
        least, spoke = attention - (LOST_AFTER - grace) * self.period, spoke or {}
        for agent in agents:
            self.wards.setdefault(agent, Ward(max(least, spoke.get(agent, least))))

    def give(self, agents: Iterable[str]) -> None:
        """These have another home."""
        for agent in agents:
            self.wards.pop(agent, None)
            self.lost.discard(agent)
            self.marked.discard(agent)

    def depart(self, agent: str) -> str:
        """It left, or another hub found it lost: it is not to be judged until it is heard again."""
        if agent in self.wards:
            self.lost.add(agent)
        return agent

    def hear(self, agent: str, attention: float, period: float = 0.0) -> None:
        """A sign of life, whose answer tells it this period; of agents that are not in care it is ignored."""
        ward = self.wards.get(agent)
        if ward is not None:
            self._put(agent, Ward(attention, period=period))
            self.lost.discard(agent)

    def _silent(self, ward: Ward, periods: float, attention: float) -> bool:
        return ward.heard <= attention - periods * (ward.period or self.period)

    def _put(self, agent: str, ward: Ward) -> None:
        self.wards[agent] = ward
        (self.marked.discard if ward.mark is None else self.marked.add)(agent)

    def beaten(self, agents: Collection[str], attention: float, period: float = 0.0) -> None:
        """Signs of life of agents that nobody calls lost, whose answers tell them this period."""
        self.wards |= dict.fromkeys(self.wards.keys() & agents, Ward(attention, period=period))
        self.marked.difference_update(agents)

    def see_again(self, attention: float) -> None:
        """Blindness is over, or the lease is new: for a grace from now on nobody is called lost."""
        self.quiet_until = attention + GRACE * self.period
        self.wards = {agent: ward._replace(mark=None, asked=False) for agent, ward in self.wards.items()}
        self.marked.clear()

    def unsettle(self, patience: float, attention: float) -> None:
        """A member is gone (DEPARTED): whom it heard may be on the way to another, so marks are to be noted anew."""
        silent = [agent for agent, ward in self.wards.items() if self._silent(ward, 1.0, attention)]
        for agent in silent:
            ward = self.wards[agent]
            self._put(agent, ward._replace(mark=None, patience=max(patience, ward.patience)))

    def suspects(self, attention: float) -> list[str]:
        """Silent agents whose mark is to be read now (`noted`)."""
        silent = (agent for agent, ward in self.wards.items() if self._silent(ward, SUSPECT_AFTER, attention))
        found = [a for a in silent if self.wards[a].mark is None and not self.wards[a].asked and a not in self.lost]
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
        self._put(agent, ward._replace(mark=row.mark if row else None, noted=attention, asked=False))

    def looked(self, rows: Iterable[SeenRow], attention: float) -> None:
        """What the store says of those called lost: who is live again, by whatever hub, is watched again."""
        for row in rows:
            if row.agent in self.lost and row.presence not in (Presence.LOST, Presence.GONE):
                self.lost.discard(row.agent)
                self._put(row.agent, Ward(attention))

    def seeks(self, attention: float) -> bool:
        """Whether a verdict draws near: then it matters how far the others' hearings are written."""
        return any(self._silent(self.wards[agent], SEEK_AFTER, attention) for agent in self.marked - self.lost)

    def verdicts(self, attention: float, settled: float) -> list[tuple[str, int]]:
        """Agents to be judged lost now, each with the mark that must still hold (`judged`).

        `settled`: the attention up to which everything that other hubs heard is written.
        """
        if attention < self.quiet_until:
            return []
        near = ((agent, self.wards[agent]) for agent in sorted(self.marked - self.lost))
        due = [
            (agent, ward.mark)
            for agent, ward in near
            if ward.mark is not None
            and self._silent(ward, LOST_AFTER, attention)
            and ward.noted + ward.patience * self.period <= settled
            and not ward.asked
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
        again = ward._replace(mark=None, asked=False, patience=NOTED_FOR)
        self._put(agent, Ward(attention, patience=LOST_AFTER) if agreed is False else again)
