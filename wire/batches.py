"""How many facts one message takes."""

from __future__ import annotations

from collections.abc import Sequence

from wire import limits
from wire.codec import EncodeError, encode
from wire.messages import Event
from wire.model import Fact, FactKind


def sendable(boot: str, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The longest run of facts that fits into one message, at least one; what cannot be sent becomes a note of it."""
    room = limits.FACTS_BYTES
    chosen: list[Fact] = []
    for fact in facts[: limits.FACTS_PER_MESSAGE]:
        fact, weight = _weighed(boot, fact)
        room -= weight
        if chosen and room < 0:
            break
        chosen.append(fact)
    return tuple(chosen)


def _weighed(boot: str, fact: Fact) -> tuple[Fact, int]:
    try:
        return fact, len(encode(Event(boot, fact), limits.FACTS_BYTES))
    except EncodeError as error:
        text = f"a fact of kind {fact.kind!s:.20} could not be sent: {error}"[: limits.TEXT_CHARS]
        return fact._replace(kind=FactKind.NOTE, body={"note": text}), limits.TEXT_CHARS * 4
