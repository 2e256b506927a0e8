"""The quick way to read a sample: the same checks as its table's (wire.messages.Sample), whole columns at a time.

Samples come more often than all else together.  What is as link sends it is taken here; whatever is unusual about a
message gives None, and the table then takes it or says what is wrong.
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from operator import itemgetter
from typing import Any

from wire import limits
from wire.messages import Sample
from wire.model import PROCESS_COLUMNS
from wire.shapes import IDENT, LARGEST

__all__ = ["sample_in"]

NAMES = tuple(column.name for column in PROCESS_COLUMNS)
ONLY_BYTES = {bytes}
_FIELDS = itemgetter(*Sample._fields)


def sample_in(plain: dict[str, Any]) -> Sample | None:
    """The sample in an unpacked map, None where it has to be looked at more closely."""
    try:
        boot, roster, at, mono, period, processes, container = _FIELDS(plain)
    except KeyError:
        return None
    if not (type(boot) is str and len(boot) <= 64 and _is_ident(boot)):
        return None
    if not (type(roster) is int and 1 <= roster <= LARGEST and type(at) is type(mono) is type(period) is float):
        return None
    if not (isfinite(at) and isfinite(mono) and isfinite(period)):
        return None
    if not (type(container) is bytes and len(container) <= limits.COLUMNS * 8 and type(processes) is dict):
        return None
    if tuple(processes) != NAMES or {*map(type, processes.values())} != ONLY_BYTES:
        return None
    if max(map(len, processes.values())) > limits.PROCESSES * 8:
        return None
    return Sample(boot, roster, at, mono, period, processes, container)


@lru_cache(maxsize=65536)
def _is_ident(text: str) -> bool:
    """Texts are at most 64 characters here, so what is remembered is bounded."""
    return IDENT.fullmatch(text) is not None
