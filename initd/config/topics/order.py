"""Options of the topic `order`: what a program waits for before it starts."""

from __future__ import annotations

from initd.config.fields import PROCESS
from initd.order.graph import CONDITIONS, READY, Graph, cycle
from wire._record import Record
from wire.limits import DEPENDENCIES
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields
    from initd.config.records import Program

CIRCLE = "depends_on goes round in a circle: {}: take one of them out"
LOST = ("ignore", "restart", "stop")


def conditions(text: str) -> tuple[tuple[str, str], ...]:
    """Names with what is waited for, as `db:ready, migrate:done`; ready where nothing is said."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ValueError("name what is waited for, as db:ready, migrate:done, or take the option out")
    if len(parts) > DEPENDENCIES:
        raise ValueError(f"{len(parts)} names are more than the {DEPENDENCIES} allowed")
    return tuple(dict.fromkeys(_condition(part) for part in parts))


def _condition(part: str) -> tuple[str, str]:
    name, colon, word = part.rpartition(":")
    if colon and word in CONDITIONS:
        return _name(name.strip()), word
    return _name(part), READY


def _name(name: str) -> str:
    if not name or " " in name or "/" in name or name.count(":") > 1:
        raise ValueError(f"{name!r} is no name: write PROGRAM, GROUP:NAME or GROUP:*, and behind it "
                         f"{', '.join(':' + word for word in CONDITIONS)}")  # fmt: skip
    return name


def lost(text: str) -> str:
    """What is done when a dependency goes away."""
    word = text.strip().lower()
    if word not in LOST:
        raise ValueError(f"{text!r} is none of {', '.join(LOST)}")
    return word


FIELDS: Fields = {
    "depends_on": ("conditions", (), PROCESS),
    "dependency_lost": ("lost", "ignore", PROCESS),
}
TYPES: dict[str, Callable[[str], object]] = {"conditions": conditions, "lost": lost}


class Order(Record):
    """What a program waits for before it starts."""

    depends_on: tuple[tuple[str, str], ...]
    """(name as written, condition) of each; initd.order.graph finds the processes meant."""
    dependency_lost: str


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Order | None:
    """The record of one program, None where it waits for nothing."""
    ours = (full_name(program["group"], program["name"]), program["program"])
    if any(name in ours for name, _ in values["depends_on"]):
        blame("depends_on", CIRCLE.format(f"{ours[0]} -> {ours[0]}"))
    return Order(**values) if values["depends_on"] else None


def _cure(graph: Graph, name: str) -> str:
    known, colon, word = name.rpartition(":")
    if colon and graph.knows(known):
        return f"{word!r} is no condition: write " + " or ".join(f"{known}:{one}" for one in CONDITIONS)
    near = graph.nearest(name)
    return f"did you mean {near}?" if near else "no program, process or group:* is called so"


def across(programs: Collection[Program], blame: Callable[[Program, str, str], None]) -> None:
    """Unknown names, and circles in which everybody would wait for ever."""
    graph = Graph(programs)
    for program, name in graph.unknown:
        cure = _cure(graph, name)
        blame(program, "depends_on", f"depends_on: unknown name {name!r}: {cure}")
    circle = cycle(graph.needs)
    if circle:
        first = next(program for program in programs if graph.name_of(program) == circle[0])
        blame(first, "depends_on", CIRCLE.format(" -> ".join(circle)))
