"""A program's machine to which things happen, with the answers that its effects need; pure, in virtual time."""

from __future__ import annotations

from initd.events import (
    Ask,
    Asked,
    Await,
    Changed,
    Due,
    Effect,
    Emptied,
    Ended,
    Event,
    Kill,
    Look,
    Reach,
    Rules,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
)
from initd.program import Phase, Program, step
from wire.model import State

ALICE, BOB = Asked("hub:alice", "stop", "1"), Asked("uid=0", "start", "2")


class Story:
    """A program to which things happen; Spawn is answered with a pid unless `fails` says otherwise."""

    def __init__(self, **rules: object) -> None:
        self.program = Program(Rules(**rules))  # type: ignore[arg-type]
        self.now = 100.0
        self.fails = 0
        self.gate = ""
        """What has to come first; "": nothing."""
        self.left = 0
        """Members of its scope that outlive the leader."""
        self.effects: list[Effect] = []

    def tell(self, event: Event, after: float = 0.0) -> Story:
        self.now += after
        self.program, effects = step(self.program, event, self.now)
        self.effects += effects
        last = effects[-1] if effects else None
        if isinstance(last, Spawn):
            self.fails -= 1
            self.tell(SpawnFailed("no") if self.fails >= 0 else Spawned(1000 + len(self.effects)))
        elif isinstance(last, Ask):
            self.tell(Await(last.asked, self.gate) if self.gate else Start(last.asked))
        elif isinstance(last, Look | Reach) and self.program.phase is Phase.EMPTYING and not self.left:
            self.tell(Emptied())
        return self

    def due(self) -> Story:
        """The deadline comes."""
        assert self.program.deadline is not None
        return self.tell(Due(), self.program.deadline - self.now)

    def path(self) -> list[State]:
        return [effect.state for effect in self.effects if isinstance(effect, Changed)]

    def kills(self) -> list[Kill]:
        return [effect for effect in self.effects if isinstance(effect, Kill)]

    def ends(self) -> list[Ended]:
        return [effect for effect in self.effects if isinstance(effect, Ended)]


def up(**rules: object) -> Story:
    return Story(**rules).tell(Start()).due()
