"""More or fewer processes of one program while it runs: the configuration in force with another number of them; pure.

Theory.  The file is read once more with the other numprocs, and of that reading only the processes of this one program
count: those that are new are added as the file defines them, those beyond the number are taken out, and those that
were there keep their definition, even where it uses %(numprocs)s.
"""

from __future__ import annotations

from initd.reload.diff import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config, Program


def processes_of(config: Config, program: str) -> list[Program]:
    """The processes of [program:x], in every group that lists it."""
    return [one for one in config.programs if one.program == program and one.kind == "program"]


def scaled(old: Config, new: Config, program: str) -> Config:
    """`old` with as many processes of the program as `new` has."""
    wanted = {name_of(one): one for one in processes_of(new, program)}
    mine = {name_of(one): one for one in processes_of(old, program)}
    there = [one for one in old.programs if name_of(one) not in mine]
    found: list[Program] = []
    for group in old.groups:
        others = [one for one in there if one.group == group.name]
        place = _place(old, group.name, mine)
        ours = [mine.get(name, one) for name, one in wanted.items() if one.group == group.name]
        found += [*others[:place], *ours, *others[place:]]
    groups = tuple(
        group._replace(processes=tuple(one.name for one in found if one.group == group.name)) for group in old.groups
    )
    return old._replace(programs=tuple(found), groups=groups)


def _place(old: Config, group: str, mine: dict[str, Program]) -> int:
    """How many processes of the group come before the program's first."""
    members = [one for one in old.programs if one.group == group]
    return next((place for place, one in enumerate(members) if name_of(one) in mine), len(members))
