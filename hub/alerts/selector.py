"""Which alerts a `where=` or a silence means: `shop-*`, `shop-1/worker-*`, or `service=shop,program=web`.

A pair compares one name or label of the alert's subject (globs allowed); what the subject lacks matches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from wire._record import Record

__all__ = ["Selector", "parse"]

CHARS = 512
PAIRS = 16
NAMES = ("rule", "severity", "agent", "program", "container", "host", "hub")
"""Names every alert may have, besides the labels of its agent or container."""
WHOLE = "*"
"""Name of the pair of a selector that is one word: whatever is called so, and all that is in it."""
PLACES = ("subject", "agent", "container", "host", "hub")


class Selector(Record):
    """All pairs must match; no pair matches everything."""

    text: str
    pairs: tuple[tuple[str, str], ...]

    def means(self, names: Mapping[str, str]) -> bool:
        """Whether it means a subject with these names and labels."""
        return all(_fits(names, name, glob) for name, glob in self.pairs)


def _fits(names: Mapping[str, str], name: str, glob: str) -> bool:
    wanted = PLACES if name == WHOLE else (name,)
    return any(one in names and fnmatchcase(names[one], glob) for one in wanted)


def parse(text: str) -> Selector:
    """The selector; raises ValueError."""
    if not text or len(text) > CHARS or not text.isprintable():
        raise ValueError(f"a selector is printable and has 1 to {CHARS} characters; e.g. service=shop,program=web")
    if "=" in text:
        parts = [part.strip().partition("=") for part in text.split(",")]
        if len(parts) > PAIRS or not all(name and equals and glob for name, equals, glob in parts):
            raise ValueError(f"{text!r} is no selector; write NAME=GLOB[,NAME=GLOB...], e.g. service=shop,program=web")
        return Selector(text, tuple((name.strip(), glob.strip()) for name, _, glob in parts))
    agent, slash, program = text.partition("/")
    if slash and not (agent and program):
        raise ValueError(f"{text!r} is no selector; write AGENT/PROGRAM, AGENT or NAME=GLOB,...")
    if not slash:
        return Selector(text, () if text == "*" else ((WHOLE, text),))
    return Selector(text, (("agent", agent), ("program", program)))
