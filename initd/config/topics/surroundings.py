"""Options of the topic `surroundings`: environment files, secrets, the list of inherited variables, HOME and USER.

The record says where values come from, never the values: files are read at each start (initd.surroundings).
"""

from __future__ import annotations

import os

from initd.config.fields import PROCESS
from initd.config.values import environment
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

FIELDS: Fields = {
    "env_file": ("files", (), PROCESS),
    "secrets": ("secrets", (), PROCESS),
    "env_allow": ("patterns", None, PROCESS),
    "set_home": ("boolean", False, PROCESS),
}


class Surroundings(Record):
    """Environment files, secrets, the list of inherited variables, HOME and USER."""

    env_file: tuple[str, ...] = ()
    """Absolute paths; with "-" in front where the file may be missing."""
    secrets: tuple[tuple[str, str], ...] = ()
    """(variable, absolute path), the path with "-" in front where the file may be missing."""
    env_allow: tuple[str, ...] | None = None
    set_home: bool = False


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Surroundings:
    """The record of one program; relative paths count from the file that names the program."""
    here = os.path.dirname(os.path.abspath(program["file"]))
    if values["set_home"] and program["user"] is None:
        blame("set_home", "set_home: needs user=, whose home it is; write user=NAME or take it out")
    return Surroundings(
        tuple(_absolute(here, path) for path in values["env_file"]),
        tuple((name, _absolute(here, path)) for name, path in values["secrets"]),
        values["env_allow"],
        values["set_home"],
    )


def _absolute(here: str, path: str) -> str:
    sign = "-" if path.startswith("-") else ""
    return sign + os.path.join(here, os.path.expanduser(path.removeprefix("-")))


def files(text: str) -> tuple[str, ...]:
    """Paths with commas between; "-" in front of one that may be missing."""
    found = tuple(word.strip() for word in text.split(","))
    if not all(word.removeprefix("-") for word in found):
        raise ValueError(
            f"{text!r} is not a list of files: write paths with commas between, as /etc/app.env,-/run/x.env"
        )
    return found


def secrets(text: str) -> tuple[tuple[str, str], ...]:
    """NAME=/path with commas between; "-" in front of a path that may be missing.  The text may be a secret itself:

    who writes the value in place of the path is told so without repeating it.
    """
    try:
        found = environment(text)
    except ValueError:
        raise ValueError("not a list of secrets: write NAME=/path/of/file with commas between") from None
    for name, path in found:
        if not name or not path.removeprefix("-").startswith(("/", "./", "../", "~")):
            raise ValueError(
                f"{name}: write the path of the file that holds it, with a slash: {name}=/run/secrets/{name}"
            )
    return found


def patterns(text: str) -> tuple[str, ...]:
    """Names of variables with * and ? in them, commas or blanks between; none at all is a list too."""
    found = tuple(text.replace(",", " ").split())
    strange = next((word for word in found if "=" in word), None)
    if strange is not None:
        raise ValueError(f"{strange!r} is no name of a variable: values belong into environment=")
    return found


TYPES: dict[str, Callable[[str], object]] = {"files": files, "secrets": secrets, "patterns": patterns}
