"""The picture brought up to date part by part is the same as one made anew."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.clock import Instant
from hub.discovery import identity
from hub.fleet import Fleet, Known
from tests.support.corehub import SETTINGS, container, register

AGENTS, BOXES, TIMES = st.sampled_from("abcd"), st.sampled_from([1, 2, 3]), st.sampled_from([0.0, 1.0, 50.0])
NOW = Instant(0.0, 0.0, 0.0)


class Joining(RuleBasedStateMachine):
    """Agents come with any claim and leave, containers come, change and go; each step updates only its own part."""

    def __init__(self) -> None:
        super().__init__()
        self.fleet = Fleet(SETTINGS)

    @rule(agent=AGENTS, box=st.one_of(st.none(), BOXES), at=TIMES)
    def register(self, agent: str, box: int | None, at: float) -> None:
        claim = container(box).id if box else ""
        before = self.fleet.registry.agents.get(agent)
        said = register(container=claim, started_at=at)
        self.fleet.registry.register(agent, said, "", {}, "", NOW)
        self.fleet.rejoin([agent], [before.said.container] if before else [])

    @rule(agent=AGENTS)
    def leave(self, agent: str) -> None:
        self.fleet.registry.leave(agent, "left", NOW)
        self.fleet.rejoin([agent])

    @rule(box=BOXES, running=st.booleans(), at=TIMES)
    def list_box(self, box: int, running: bool, at: float) -> None:
        row = container(box, state="running" if running else "exited", started_at=at)
        self.fleet.containers[row.id] = Known("e1", row, 0.0)
        self.fleet.rejoin(containers=[row.id])

    @rule(box=BOXES)
    def remove_box(self, box: int) -> None:
        self.fleet.containers.pop(container(box).id, None)
        self.fleet.rejoin(containers=[container(box).id])

    @rule()
    def archive(self) -> None:
        self.fleet.archive(Instant(0.0, 1e9, 0.0))

    @invariant()
    def it_is_the_whole_picture(self) -> None:
        board = self.fleet.picture
        claims = [
            identity.Claim(a.id, a.said.container, a.said.started_at, a.listed)
            for a in self.fleet.registry.agents.values()
        ]
        boxes = self.fleet.containers.values()
        listed = {k.row.id: identity.Listed(k.row.id, "e1", k.row.state == "running", k.row.started_at) for k in boxes}
        whole = identity.join(claims, listed, board)
        assert (whole.container_of, whole.agent_of) == (board.container_of, board.agent_of)
        assert (whole.silent, set(whole.doubts)) == (board.silent, set(board.doubts))


TestJoining = Joining.TestCase
TestJoining.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
