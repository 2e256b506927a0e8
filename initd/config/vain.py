"""Warnings: options of topics that do nothing because another one is missing, and dependencies that will not come.

Each is a problem with its line and the cure.  Pure: it looks at the finished configuration and at what the file says.
"""

from __future__ import annotations

from initd.config.reading import place
from initd.config.records import Problem
from initd.events import ONESHOT
from initd.order.graph import DONE, Graph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from initd.config.ini import Document, Section
    from initd.config.records import Config, Program


def vain(config: Config, document: Document) -> Iterator[Problem]:
    """All of them, each once however many processes a section has."""
    sections = {(section.file, section.line): section for section in document.sections.values()}
    graph = Graph(config.programs)
    known = {graph.name_of(program): program for program in config.programs}
    told: dict[Problem, None] = {}
    for program in config.programs:
        section = sections.get((program.file, program.line))
        if section is None:
            continue
        told.update(dict.fromkeys(_idle(program, section)))
        for name, condition in graph.needs.get(graph.name_of(program), ()):
            why = never(known[name], condition)
            if why and program.autostart:
                message = f"depends_on: {name}:{condition} does not come by itself: {why}"
                told[Problem(*place(section, "depends_on"), message)] = None
    yield from told


def _idle(program: Program, section: Section) -> Iterator[Problem]:
    for option in section.options:
        for beginning, lacks, cure in NEEDED:
            if option.startswith(beginning) and lacks(program, option):
                yield Problem(*place(section, option), f"{option} has no effect here: add {cure}")


def never(dependency: Program, condition: str) -> str:
    """Why a condition will not be met unless somebody does something, with the cure; "" where it may be."""
    jobs = dependency.jobs
    scheduled = jobs is not None and jobs.schedule is not None
    if not dependency.autostart and not scheduled:
        return "autostart=false keeps it from starting"
    oneshot = jobs is not None and jobs.type == ONESHOT
    if condition == DONE and dependency.autorestart == "true" and not oneshot:
        return "autorestart=true starts it again whenever it ends; give it type=oneshot"
    return ""


def _no_schedule(program: Program, option: str) -> bool:
    return program.jobs is None or program.jobs.schedule is None


def _no_watched(program: Program, option: str) -> bool:
    """Whether nothing is looked at that the option is about."""
    renewal = program.renewal
    if renewal is None:
        return True
    has = {"restart_memory_of": renewal.memory, "restart_age_jitter": renewal.age}
    return not has.get(option, renewal.memory or renewal.on_change)


NEEDED: tuple[tuple[str, Callable[[Program, str], bool], str], ...] = (
    ("readiness_", lambda program, option: program.readiness is None, "readiness=PROBE"),
    ("liveness_", lambda program, option: program.liveness is None, "liveness=PROBE"),
    ("timezone", _no_schedule, "schedule=TIMES"),
    ("catch_up", _no_schedule, "schedule=TIMES"),
    ("dependency_lost", lambda program, option: program.order is None, "depends_on=NAMES"),
    ("restart_memory_of", _no_watched, "restart_memory=SIZE"),
    ("restart_age_jitter", _no_watched, "restart_age=TIME"),
    ("restart_look", _no_watched, "restart_memory=SIZE or restart_on_change=FILES"),
)
"""Beginnings of options, whether a program lacks what they work on, and what to add."""
