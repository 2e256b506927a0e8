"""What a typed target means: text -> the processes or containers it names, or one clear refusal.

Theory.  A target is `AGENT/PROGRAM`, `AGENT/GROUP:PROGRAM`, the same with globs, or a selector of labels
(`service=shop,program=worker-*`).  Every name can mean several things: AGENT may be a name, a hostname, an agent id or
a container id (both from six characters on); PROGRAM a full name, or a bare name inside a group.  No reading wins
silently: where two readings of one plain word reach different things, the answer is a refusal that shows both.  Globs
and labels are meant to reach many.  A target that reaches nothing is refused too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from hub.errors import Refusal
from wire._record import Record

ID_CHARS = 6
"""Shortest prefix of an id that counts as one: 16 million values, and no name is that short by accident."""
TARGET_CHARS = 512
"""Longest target a person types."""
SHOWN = 6
"""Meanings shown in a refusal."""
_GLOB = frozenset("*?[")


class Candidate(Record):
    """One agent or container that a target may name."""

    key: str
    """What the hub calls it: agent id or container id."""
    name: str
    ids: tuple[str, ...]
    """Ids that a prefix may stand for."""
    hostname: str
    labels: Mapping[str, str]
    programs: tuple[str, ...] = ()
    """Full names of its processes."""
    place: str = ""
    """For containers: the engine's name, so that ENGINE/NAME tells equal names apart."""


class Chosen(Record):
    """One candidate that was reached, with the full names of its processes that were meant."""

    key: str
    name: str
    programs: tuple[str, ...]


def is_glob(text: str) -> bool:
    """Whether the text holds a wildcard of fnmatch(3)."""
    return any(char in _GLOB for char in text)


def processes(targets: Sequence[str], candidates: Sequence[Candidate]) -> tuple[Chosen, ...]:
    """The processes that the targets name, agent by agent, each once.

    Raises `Refusal` (bad-target, unknown-agent, unknown-program, ambiguous) and then nothing is meant at all.
    """
    return _merge(_processes(text, candidates) for text in _checked(targets))


def containers(targets: Sequence[str], candidates: Sequence[Candidate]) -> tuple[Chosen, ...]:
    """The containers that the targets name: NAME, id prefix, ENGINE/NAME, glob or label selector."""
    return _merge(_containers(text, candidates) for text in _checked(targets))


def _checked(targets: Sequence[str]) -> Sequence[str]:
    if not targets or not all(targets):
        raise Refusal("bad-target", "no target is given", "name AGENT/PROGRAM, or '*/*' (--all) for everything")
    for text in targets:
        if len(text) > TARGET_CHARS or not text.isprintable():
            raise Refusal("bad-target", f"a target must be printable and at most {TARGET_CHARS} characters")
    return targets


def _merge(found: Iterable[tuple[Chosen, ...]]) -> tuple[Chosen, ...]:
    merged: dict[str, Chosen] = {}
    for chosen in (one for group in found for one in group):
        known = merged.get(chosen.key)
        programs = chosen.programs if known is None else (*known.programs, *chosen.programs)
        merged[chosen.key] = chosen._replace(programs=tuple(dict.fromkeys(programs)))
    return tuple(merged.values())


def _processes(text: str, candidates: Sequence[Candidate]) -> tuple[Chosen, ...]:
    agent, slash, program = text.partition("/")
    if not slash and "=" in text:
        return _by_labels(text, candidates)
    if not slash or not agent or not program:
        example = text.strip("/") or "shop"
        hint = f"write AGENT/PROGRAM, e.g. {example}/web; all its programs: {example}/*"
        raise Refusal("bad-target", f"{text!r} does not say which program of which agent", hint)
    reached = _named(agent, candidates, "agent")
    return _programs(text, program, reached, many=is_glob(agent))


def _containers(text: str, candidates: Sequence[Candidate]) -> tuple[Chosen, ...]:
    place, slash, name = text.rpartition("/")
    if not slash and "=" in text:
        wanted = labels_in(text)
        reached = [one for one in candidates if carries(one.labels, wanted)]
        return tuple(_whole(one) for one in _some(reached, text, "container"))
    inside = [one for one in candidates if not slash or fnmatchcase(one.place, place)]
    return tuple(_whole(one) for one in _named(name, inside, "container"))


def _whole(candidate: Candidate) -> Chosen:
    return Chosen(candidate.key, candidate.name, ())


def _readings(text: str) -> dict[str, Callable[[Candidate], bool]]:
    prefix = len(text) >= ID_CHARS
    return {
        "name": lambda one: one.name == text,
        "hostname": lambda one: one.hostname == text,
        "id": lambda one: prefix and any(name.startswith(text) for name in one.ids),
    }


def _named(text: str, candidates: Sequence[Candidate], what: str) -> list[Candidate]:
    if is_glob(text):
        matching = [one for one in candidates if fnmatchcase(one.name, text) or fnmatchcase(one.hostname, text)]
        return _some(matching, text, what)
    meanings = [(one, how) for how, fits in _readings(text).items() for one in candidates if fits(one)]
    reached = {one.key: one for one, _ in meanings}
    if len(reached) > 1:
        shown = "; ".join(f"{how} of {_describe(one)}" for one, how in meanings[:SHOWN])
        raise Refusal("ambiguous", f"{text!r} may mean {len(reached)} {what}s: {shown}", "use an id prefix or a glob")
    return _some(list(reached.values()), text, what)


def _describe(one: Candidate) -> str:
    place = f" on {one.place}" if one.place else ""
    return f"{one.name} ({one.key[:12]}){place}"


def _some(reached: list[Candidate], text: str, what: str) -> list[Candidate]:
    if not reached:
        raise Refusal(f"unknown-{what}", f"no {what} is called {text!r}", f"see hubctl {what}s")
    return reached


def _programs(text: str, program: str, agents: Sequence[Candidate], *, many: bool) -> tuple[Chosen, ...]:
    found = [(one, _inside(program, one)) for one in agents]
    chosen = tuple(Chosen(one.key, one.name, names) for one, names in found if names)
    if not chosen or (not many and len(chosen) < len(agents)):
        known = ", ".join(sorted({name for one in agents for name in one.programs})[:SHOWN]) or "none"
        raise Refusal("unknown-program", f"no program matches {text!r}", f"known there: {known}")
    return chosen


def _inside(program: str, agent: Candidate) -> tuple[str, ...]:
    """Full names of the agent's processes that `program` means; a full name is its own and only meaning."""
    if program in agent.programs:
        return (program,)
    if is_glob(program):
        return tuple(name for name in agent.programs if fnmatchcase(name, program))
    bare = tuple(name for name in agent.programs if name.partition(":")[2] == program)
    if len(bare) > 1:
        meanings = " or ".join(bare[:SHOWN])
        raise Refusal("ambiguous", f"{program!r} may mean {meanings} of {agent.name}", "write GROUP:PROGRAM")
    return bare


def labels_in(text: str) -> dict[str, str]:
    """The pairs of a selector `service=shop,program=web-*`.  Raises Refusal."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(key and equals and value for key, equals, value in pairs):
        raise Refusal(
            "bad-target",
            f"{text!r} is no selector",
            "write LABEL=VALUE[,LABEL=VALUE...], e.g. service=shop",
        )
    return {key: value for key, _, value in pairs}


def carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether the labels fit these pairs, whose values may be globs."""
    return all(key in labels and fnmatchcase(labels[key], value) for key, value in wanted.items())


def _by_labels(text: str, candidates: Sequence[Candidate]) -> tuple[Chosen, ...]:
    wanted = labels_in(text)
    program = wanted.pop("program", "*")
    agent = wanted.pop("agent", "*")
    inside = [one for one in candidates if fnmatchcase(one.name, agent) and carries(one.labels, wanted)]
    return _programs(text, program, _some(inside, text, "agent"), many=True)
