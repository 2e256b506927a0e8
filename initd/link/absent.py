"""Importing pyzmq without what only conveniences of it need that link never calls: half a megabyte.

Socket.send_pyobj, send_json and their kin would fail; whoever imports these modules later gets the real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CONVENIENCES = ("json", "pickle")


class Absent(type(sys)):  # type: ignore[misc]
    """Stands in a module's place: all that is taken from it is None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Within, these modules are not loaded where they are imported, unless they were before."""
    absent = {name: Absent(name) for name in names if name not in sys.modules}
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name, stand_in in absent.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
