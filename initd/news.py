"""Who hears of what happens to programs, and that none of them can harm the others.

Theory.  A callback that fails costs a line, and what it was told is kept: after the loop has had its pause (initd.loop,
menders) it is told again, in order, TRIES times at most, so that a shortage of memory makes no part forget a program,
and a bug in one does not keep PID 1 awake.
"""

from __future__ import annotations

from wire.limits import NEWS_KEPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 4
"""How often one callback is told the same, the first time included."""

Told = tuple["Callable[..., object]", tuple[object, ...], int]


class News:
    """Callbacks by occasion; `say(text, level)` tells of one that failed, `shake()` asks for `tell_again`."""

    def __init__(self, say: Callable[[str, str], object], shake: Callable[[], object]) -> None:
        self._say = say
        self._shake = shake
        self._unheard: list[Told] = []
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
                self._keep(callback, what, 1, error)

    def tell_again(self) -> None:
        """Tell those that failed once more."""
        unheard, self._unheard = self._unheard, []
        for callback, what, tries in unheard:
            try:
                callback(*what)
            except Exception as error:
                self._keep(callback, what, tries + 1, error)

    def _keep(self, callback: Callable[..., object], what: tuple[object, ...], tries: int, error: Exception) -> None:
        if tries < TRIES and len(self._unheard) < NEWS_KEPT:
            self._unheard.append((callback, what, tries))
        self._shake()
        name = getattr(what[0], "name", "?")
        self._say(f"a listener failed at {name}: {type(error).__name__}: {error}", "error")
