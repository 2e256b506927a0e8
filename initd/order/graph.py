"""Who waits for whom: names become processes, circles are found, and the order of a stop follows; pure.

Theory.  depends_on names programs, processes or groups; a name means all processes it covers, of a program with
numprocs every instance, and never the process itself.  What results is a graph over processes: `needs` maps each to
the (process, condition) pairs it waits for.  It has no circles: the file would be refused.

A stop goes against it.  `ranks` sorts processes so that who depends on another has the lower rank and stops first:
first by falling group priority, as without dependencies; a dependency whose priority would stop it before one of its
dependents is moved behind that one.
"""

from __future__ import annotations

from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

    Needs = Mapping[str, Sequence[tuple[str, str]]]
    Rank = tuple[int, int]

STARTED, READY, DONE = "started", "ready", "done"
CONDITIONS = (STARTED, READY, DONE)
"""Its process was started; it runs and is ready, or has done its work; it has ended as expected."""


class Graph:
    """The dependencies of a configuration's programs (initd.config.records.Program)."""

    def __init__(self, programs: Collection[Any]) -> None:
        self._by_word: dict[str, dict[str, None]] = {}
        self.needs: dict[str, tuple[tuple[str, str], ...]] = {}
        """By process, in the order of the file; who waits for nothing is not in it."""
        self.unknown: list[tuple[Any, str]] = []
        """Programs with names that mean nothing."""
        waiting = [program for program in programs if getattr(program, "order", None) is not None]
        if waiting:
            self._learn(programs)
        for program in waiting:
            self.needs[self.name_of(program)] = tuple(self._needs(program))

    def name_of(self, program: Any) -> str:
        """The name people type."""
        return full_name(program.group, program.name)

    def _learn(self, programs: Collection[Any]) -> None:
        for program in programs:
            name = self.name_of(program)
            for word in (name, program.program, f"{program.group}:{program.program}", f"{program.group}:*"):
                self._by_word.setdefault(word, {})[name] = None
        for program in programs:  # the name of a process comes before that of a program with several
            name = self.name_of(program)
            if program.program != name:
                self._by_word[name] = {name: None}

    def _needs(self, program: Any) -> Iterable[tuple[str, str]]:
        ours, found = self.name_of(program), dict[tuple[str, str], None]()
        for word, condition in program.order.depends_on:
            if word not in self._by_word:
                self.unknown.append((program, word))
            alone = word in (ours, program.program)
            for name in self._by_word.get(word, ()):
                if name != ours or alone:
                    found[name, condition] = None
        return found

    def knows(self, word: str) -> bool:
        """Whether a name means a process."""
        return word in self._by_word

    def nearest(self, word: str) -> str:
        """The known name most like this one, "" where none is."""
        near = min(self._by_word, key=lambda known: distance(known, word), default="")
        return near if near and distance(near, word) <= max(1, len(word) // 3) else ""


def distance(one: str, other: str) -> int:
    """How many letters have to be changed, added or taken out."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, letter2 in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (letter != letter2))
    return row[-1]


def cycle(needs: Needs) -> tuple[str, ...]:
    """A circle as a -> b -> a, () where there is none."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        stack = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                done.add(path.pop())
            elif name in path:
                return (*path[path.index(name) :], name)
            elif name not in done:
                path.append(name)
                stack.append((name, True))
                stack += [(other, False) for other, _ in reversed(needs.get(name, ()))]
    return ()


def dependents(needs: Needs) -> dict[str, tuple[str, ...]]:
    """Who waits for each."""
    found: dict[str, dict[str, None]] = {}
    for name, wanted in needs.items():
        for other, _ in wanted:
            found.setdefault(other, {})[name] = None
    return {name: tuple(waiting) for name, waiting in found.items()}


def ranks(own: Mapping[str, int], needs: Needs) -> dict[str, Rank]:
    """The place of each process in a stop, low ones first; `own` is the place that its priority alone gives it."""
    found: dict[str, Rank] = {}
    above = dependents(needs)
    for name in _behind(own, above):
        behind = [found[other] for other in above.get(name, ()) if other in found]
        found[name] = max([(own[name], 0), *((place, depth + 1) for place, depth in behind)])
    return found


def needed_first(names: Iterable[str], needs: Needs) -> list[str]:
    """All names, each after everything that it waits for, and otherwise as they come."""
    return _behind(names, {name: [other for other, _ in wanted] for name, wanted in needs.items()})


def _behind(names: Iterable[str], above: Mapping[str, Sequence[str]]) -> list[str]:
    """All names, each after those that `above` has for it (depth first, without recursion)."""
    order: dict[str, None] = {}
    for start in names:
        stack = [(start, False)]
        seen = {start}
        while stack:
            name, leaving = stack.pop()
            if leaving:
                order[name] = None
            elif name not in order:
                seen.add(name)
                stack.append((name, True))
                stack += [
                    (other, False)
                    for other in reversed(above.get(name, ()))
                    if other not in order and other not in seen
                ]
    return list(order)
