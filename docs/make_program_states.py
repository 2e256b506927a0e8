"""Writes docs/program-states.md from the machine itself: `python3 docs/make_program_states.py` prints it.

The transition table names functions, not target states, so the edges are found by walking: every state that can be
reached, under rules that differ in everything that matters, is shown every event the table takes.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from initd.events import (
    Asked,
    Changed,
    Died,
    Due,
    Event,
    Force,
    Hold,
    Restart,
    Rules,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
    Stop,
    Undeliverable,
)
from initd.program import IGNORED, IMPOSSIBLE, Program, step
from wire.model import State, Want

TARGET = Path(__file__).with_name("program-states.md")

RULES = [
    Rules(startsecs=startsecs, startretries=retries, autorestart=autorestart)
    for startsecs, retries, autorestart in product((0.0, 10.0), (0, 3), ("true", "false", "unexpected"))
]
ASKED = Asked("somebody", "verb")
WORDS: dict[type, str] = {
    Start: "start",
    Stop: "stop",
    Restart: "restart",
    Force: "force",
    Hold: "hold",
    Spawned: "spawned",
    SpawnFailed: "spawn failed",
    Died: "died",
    Due: "deadline",
    Undeliverable: "signal refused",
}
EVENTS: tuple[Event, ...] = (
    Start(ASKED), Stop(ASKED), Restart(ASKED), Force(ASKED), Hold(ASKED), Died(0), Died(1), Died(None, 9), Due(),
    Undeliverable("EPERM"),
)  # fmt: skip

LATER = (0.5, 5.0)
"""Seconds from one event to the next: a short life and a long one."""

Edge = tuple[State, str, State]

HEAD = """\
# The states of a program

Generated from initd/program.py by docs/make_program_states.py; a test compares. States and transitions are
supervisord's. An arrow is a change of state that listeners, the journal and the hub see; one event may cause several,
one after the other (a program that crashes goes RUNNING, EXITED, STARTING in one step).

```mermaid
stateDiagram-v2
    [*] --> STOPPED
"""


def edges() -> list[Edge]:
    """Every change of state that can happen, with the event that starts it."""
    found: set[Edge] = set()
    for rules in RULES:
        seen: set[Program] = set()
        waiting = [Program(rules)]
        while waiting:
            program = waiting.pop()
            deadline = None if program.deadline is None else 0.0
            key = program._replace(since=0.0, spawned_at=0.0, deadline=deadline, spawns=0, patience=0.0)
            if key not in seen:
                seen.add(key)
                for event, later in product(EVENTS, LATER):
                    waiting += follow(program, event, later, found)
    return sorted(found, key=lambda edge: (list(State).index(edge[0]), edge[1], list(State).index(edge[2])))


def follow(program: Program, event: Event, later: float, found: set[Edge]) -> list[Program]:
    """The programs that may come of an event, with its edges noted; a spawn may succeed or fail."""
    if (program.state, type(event)) in IGNORED | IMPOSSIBLE:
        return []
    now = program.deadline if isinstance(event, Due) and program.deadline is not None else program.since + later
    after, effects = step(program, event, now)
    found.update((one.previous, WORDS[type(event)], one.state) for one in effects if isinstance(one, Changed))
    if not any(isinstance(effect, Spawn) for effect in effects):
        return [after]
    answers: tuple[Event, ...] = (Spawned(1), SpawnFailed("no"))
    return [one for answer in answers for one in follow_spawn(after, answer, found, now)]


def follow_spawn(program: Program, answer: Event, found: set[Edge], now: float) -> list[Program]:
    after, effects = step(program, answer, now)
    found.update((one.previous, WORDS[type(answer)], one.state) for one in effects if isinstance(one, Changed))
    return [after]


def render() -> str:
    """The page."""
    by_pair: dict[tuple[State, State], list[str]] = {}
    for source, word, target in edges():
        by_pair.setdefault((source, target), []).append(word)
    arrows = [f"    {source} --> {target}: {', '.join(words)}" for (source, target), words in by_pair.items()]
    rows = [f"| {state} | {', '.join(_ignored(state)) or '-'} |" for state in State]
    table = ["| state | events without consequence |", "| --- | --- |", *rows]
    wishes = f"What is wanted ({Want.UP} or {Want.DOWN}) is a field of its own; commands change it in every state."
    return HEAD + "\n".join(arrows) + "\n```\n\n" + wishes + "\n\n" + "\n".join(table) + "\n"


def _ignored(state: State) -> list[str]:
    return sorted(WORDS[kind] for one, kind in IGNORED if one is state)


if __name__ == "__main__":
    TARGET.write_text(render())
    print(render())
