"""The sized listing: how large the containers' writable layers are, measured rarely and by itself.

Theory.  For this question the engine walks the file system of each container, which may take minutes where others take
milliseconds.  So it is asked every EVERY seconds in a thread of its own, never twice at once, even if contact with the
engine was lost and found in between; rows show the last answer and when it was taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from hub.engines.api import Api
from hub.engines.listing import Size, sizes
from hub.engines.reasons import EngineError
from wire.limits import ENGINE_LIST_BYTES

EVERY = 300.0
"""Seconds between two measurements."""
PATIENCE = 120.0
"""Longest silence of the engine while it measures, seconds."""


class Sizes:
    """Sizes of one engine's containers."""

    def __init__(self, name: str, changed: Callable[[], None]) -> None:
        """`changed` is called in the measuring thread when new sizes are known."""
        self.known: Mapping[str, Size] = {}
        """Container -> sizes; replaced whole."""
        self._name, self._changed = name, changed
        self._due, self._busy = 0.0, threading.Lock()

    def measure(self, api: Api, now: float) -> None:
        """Begin a measurement if one is due and none is under way; returns at once."""
        if now < self._due or not self._busy.acquire(blocking=False):
            return
        self._due = now + EVERY
        threading.Thread(target=self._run, args=(api,), name=f"sizes {self._name}", daemon=True).start()

    def _run(self, api: Api) -> None:
        try:
            answer = api.get("/containers/json", {"all": "true", "size": "true"}, ENGINE_LIST_BYTES, PATIENCE)
            self.known = sizes(answer, time.time())
            self._changed()
        except EngineError:
            return  # the rows keep showing when they were last measured
        finally:
            self._busy.release()
