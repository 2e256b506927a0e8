"""Writes docs/program-states.md from the machine itself: `python3 docs/make_program_states.py` prints it.

The transition table names functions, not target states, so the edges are found by walking: every state that can be
reached, under rules that differ in everything that matters, is shown every event the table takes.
"""

from __future__ import annotations

import sys
from functools import cache
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from initd.backoff import HASTY_BURST, Backoff
from initd.events import (
    GROUP,
    NOBODY,
    Ask,
    Asked,
    Await,
    Changed,
    Died,
    Due,
    Emptied,
    Event,
    Failing,
    Force,
    Hold,
    NotReady,
    Ready,
    Restart,
    Rules,
    Spawn,
    Spawned,
    SpawnFailed,
    Start,
    Stop,
    Undeliverable,
)
from initd.program import IGNORED, IMPOSSIBLE, PLACES, Phase, Program, place, step
from wire.model import State, Want

TARGET = Path(__file__).with_name("program-states.md")

RULES = [
    Rules(startsecs=startsecs, startretries=retries, autorestart=autorestart)
    for startsecs, retries, autorestart in product((0.0, 10.0), (0, 3), ("true", "false", "unexpected"))
] + [
    Rules(oneshot=True, startsecs=0.0, startretries=1),
    Rules(backoff=Backoff(1.0), crash_loop=(2, 60.0), awaits_ready=True, autorestart="true", startretries=1),
    Rules(pre_start=5.0, post_stop=5.0, startretries=0),
    Rules(stop_scope=GROUP, startretries=0, autorestart="false"),
]
ASKED = Asked("somebody", "verb")
WORDS: dict[type, str] = {
    Start: "start",
    Await: "await",
    Stop: "stop",
    Restart: "restart",
    Force: "force",
    Hold: "hold",
    Spawned: "spawned",
    SpawnFailed: "spawn failed",
    Died: "died",
    Emptied: "scope is empty",
    Ready: "ready",
    NotReady: "not ready in time",
    Failing: "failing",
    Due: "deadline",
    Undeliverable: "signal refused",
}
EVENTS: tuple[Event, ...] = (
    Start(ASKED), Await(ASKED, "first"),
    Stop(ASKED), Restart(ASKED), Force(ASKED), Hold(ASKED), Died(0), Died(1), Died(None, 9), Due(),
    Undeliverable("EPERM"), Emptied(), Ready(), NotReady("late"), Failing("ill"), Failing("ill", "stop"),
)  # fmt: skip

PASSED = IGNORED | IMPOSSIBLE

LATER = (0.5, 5.0)
"""Seconds from one event to the next: a short life and a long one."""

Edge = tuple[State, str, State]

HEAD = """\
# The states of a program

Generated from initd/program.py by docs/make_program_states.py; a test compares. States are supervisord's, and so are
the transitions but two: a crash loop and a one-shot that failed too often go to FATAL from where they ended.

An arrow is a change of state that listeners, the journal and the hub see; one event may cause several, one after the
other (a program that crashes goes RUNNING, EXITED, STARTING in one step).

```mermaid
stateDiagram-v2
    [*] --> STOPPED
"""


@cache
def edges() -> list[Edge]:
    """Every change of state that can happen, with the event that starts it."""
    found: set[Edge] = set()
    for rules in RULES:
        seen: set[Program] = set()
        waiting = [Program(rules)]
        while waiting:
            program = waiting.pop()
            key = essence(program)
            if key not in seen:
                seen.add(key)
                for event, later in product(EVENTS, LATER):
                    waiting += follow(program, event, later, found)
    return sorted(found, key=lambda edge: (list(State).index(edge[0]), edge[1], list(State).index(edge[2])))


def essence(program: Program) -> Program:
    """The program without what only time tells apart, counts beyond those that matter included."""
    moments = {name: None if getattr(program, name) is None else 0.0 for name in ("deadline", "again_at", "ready_at")}
    return program._replace(
        asked=ASKED if program.asked == program.wisher else NOBODY, wisher=ASKED,
        since=0.0, spawned_at=0.0, spawns=0, patience=0.0, why="", ends=(0.0,) * len(program.ends), steps=(),
        falls=0, hasty=min(program.hasty, HASTY_BURST + 1), kills=min(program.kills, 3), **moments,
    )  # fmt: skip


def follow(program: Program, event: Event, later: float, found: set[Edge]) -> list[Program]:
    """The programs that may come of an event, with its edges noted; a spawn may succeed or fail."""
    if (place(program), type(event)) in PASSED:
        return []
    now = program.deadline if isinstance(event, Due) and program.deadline is not None else program.since + later
    after, effects = step(program, event, now)
    found.update((one.previous, WORDS[type(event)], one.state) for one in effects if isinstance(one, Changed))
    last = effects[-1] if effects else None
    answers: tuple[Event, ...] = ()
    if isinstance(last, Spawn):
        answers = (Spawned(1), SpawnFailed("no"))
    elif isinstance(last, Ask):
        answers = (Start(last.asked), Await(last.asked, "first"))
    return [one for answer in answers for one in follow(after, answer, 0.0, found)] or [after]


def render() -> str:
    """The page."""
    by_pair: dict[tuple[State, State], list[str]] = {}
    for source, word, target in edges():
        by_pair.setdefault((source, target), []).append(word)
    arrows = [f"    {source} --> {target}: {', '.join(words)}" for (source, target), words in by_pair.items()]
    rows = [f"| {one} | {', '.join(_ignored(one)) or '-'} |" for one in PLACES]
    table = ["| state, or phase inside one | events without consequence |", "| --- | --- |", *rows]
    wishes = f"What is wanted ({Want.UP} or {Want.DOWN}) is a field of its own; commands change it in every state."
    return HEAD + "\n".join(arrows) + "\n```\n\n" + wishes + "\n\n" + "\n".join(table) + "\n"


def _ignored(where: State | Phase) -> list[str]:
    return sorted(WORDS[kind] for one, kind in IGNORED if one is where)


if __name__ == "__main__":
    TARGET.write_text(render())
    print(render())
