"""Who hears of what happens to programs, and that none of them can harm the others."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class News:
    """Callbacks by occasion; `say(text, level)` tells of one that failed."""

    def __init__(self, say: Callable[[str, str], object]) -> None:
        self._say = say
        self.settled: list[Callable[..., object]] = []
        """Called with the process, after each event that changed it."""
        self.passages: list[Callable[..., object]] = []
        """Called with the process and each Changed."""
        self.exits: list[Callable[..., object]] = []
        """Called with the process and each exit record."""

    def tell(self, callbacks: list[Callable[..., object]], *what: object) -> None:
        """Call them all; one that fails costs a line."""
        for callback in tuple(callbacks):
            try:
                callback(*what)
            except Exception as error:
                name = getattr(what[0], "name", "?")
                self._say(f"a listener failed at {name}: {type(error).__name__}: {error}", "error")
