"""The daemon's command line as a record: `initd [-c FILE] [-e LEVEL] [-n]`."""

from __future__ import annotations

from initd.errors import OperatorError
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.compat.supervisord import Background

CALLED = {
    "tini": "initd.single.tini",
    "tini-static": "initd.single.tini",
    "docker-init": "initd.single.tini",
    "catatonit": "initd.single.catatonit",
    "dumb-init": "initd.single.dumb_init",
    "supervisord": "initd.compat.supervisord",
    "supervisorctl": "initd.compat.supervisorctl",
}
"""The name we were called by to the module whose `main(argv) -> int` knows that command line."""

NAMES = {"-c": "configuration", "--configuration": "configuration", "-e": "loglevel", "--loglevel": "loglevel"}


class Options(Record):
    """What the daemon's command line says."""

    configuration: str | None = None
    loglevel: str | None = None
    settings: tuple[tuple[str, object], ...] = ()
    """Options of [supervisord] that the command line sets, over what the file says."""
    background: Background | None = None
    """How to leave the foreground, where that is wanted."""


def parse(argv: list[str]) -> Options:
    """The daemon's options.  Raises OperatorError."""
    found: dict[str, str] = {}
    words = iter(argv)
    for word in words:
        if word in ("-n", "--nodaemon"):
            continue
        name, equals, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        if name not in NAMES:
            raise OperatorError(f"unknown option {word!r}")
        given = value if equals else next(words, None)
        if not given:
            raise OperatorError(f"{name} needs a value")
        found[NAMES[name]] = given
    return Options(found.get("configuration"), found.get("loglevel"))
