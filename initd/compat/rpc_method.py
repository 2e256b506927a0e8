"""What a method of the API is: a function, its types, and a text for `system.methodHelp`."""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Declared(Record):
    """Called with Initd and the arguments; raises Fault."""

    run: Callable[..., object]
    returns: str
    """Type, and what it is."""
    doc: str
    takes: tuple[str, ...]
    """Type, name and meaning of each argument."""
    needs: int
    """How many arguments must be given."""


def Method(run: Callable[..., object], returns: str, doc: str, *takes: str, optional: int = 0) -> Declared:
    """A method; the last `optional` arguments may be left out."""
    return Declared(run, returns, doc, takes, len(takes) - optional)


def help_text(method: Declared) -> str:
    """The text of methodHelp: sentences, then @param and @return lines, which clients parse."""
    params = "".join(f"@param {one}\n" for one in method.takes)
    return f"{method.doc}\n\n{params}@return {method.returns}\n"


def signature(method: Declared) -> list[str]:
    """Types of the result and of the arguments."""
    return [text.partition(" ")[0] for text in (method.returns, *method.takes)]


class After(Record):
    """A result that has to be sent before something is done: the daemon may be gone after it."""

    result: object
    act: Callable[[], object]
