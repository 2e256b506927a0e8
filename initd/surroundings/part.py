"""The part that makes a program's environment what its file asks for, anew at each start.

Theory.  From weak to strong: inherited variables (those that env_allow lets pass), HOME and USER of set_home, env_file,
SUPERVISOR_* and environment=, what other parts have added (variables of the order that differ from the inherited ones),
secrets.  Values of files live in the order alone, which is gone when the process has begun: they never reach the
configuration, the journal or a message, and an error names the file and the line, never the text.

Files are read without waiting: a FIFO or a device in place of a file is refused before it is read, and so is anything
that is larger than an environment may hold.
"""

from __future__ import annotations

import os
import pwd
import stat

from initd.errors import StartFailed
from initd.surroundings.dotenv import parse
from wire.limits import ENV_FILE_BYTES, SECRET_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from initd.config.records import Config
    from initd.config.records import Program as Configured
    from initd.config.topics.surroundings import Surroundings as Wanted
    from initd.process import Process
    from initd.spawn import Order
    from initd.supervisor import Supervisor

OURS = ("SUPERVISOR_", "PIDONE_")
"""How variables begin that initd sets for programs, or that tell them how to reach it."""


class Surroundings:
    """Serves the topic `surroundings`."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        supervisor.fittings.append(self.fit)

    def adopt(self, config: Config) -> None:
        """Nothing is kept from one configuration to the next."""

    def fit(self, process: Process, order: Order) -> Order:
        """The order with the environment asked for.  Raises StartFailed."""
        wanted = process.config.surroundings
        if wanted is None:
            return order
        return order._replace(environ=environment(wanted, process.config, self._sup.base, order.environ))


def environment(
    wanted: Wanted, config: Configured, base: Mapping[str, str], present: Mapping[str, str]
) -> dict[str, str]:
    """`present` as `wanted` has it; `base` is what was inherited.  Raises StartFailed."""
    own = dict(config.environment)
    firm = {name for name, value in present.items() if base.get(name) != value or name in own or name.startswith(OURS)}
    child = {name: value for name, value in present.items() if name in firm or is_allowed(name, wanted.env_allow)}
    if wanted.set_home:
        child |= {name: value for name, value in home(config.user).items() if name not in firm}
    for path in wanted.env_file:
        child |= {name: value for name, value in variables(path).items() if name not in firm}
    return child | secret_values(wanted.secrets)


def is_allowed(name: str, patterns: tuple[str, ...] | None) -> bool:
    """Whether an inherited variable may pass."""
    return patterns is None or name.startswith(OURS) or any(matches(name, pattern) for pattern in patterns)


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern with * (any text) and ? (one character) fits the whole name."""
    rows = [True] + [False] * len(name)
    for sign in pattern:
        if sign == "*":
            for place in range(len(name)):
                rows[place + 1] = rows[place + 1] or rows[place]
        else:
            rows = [False] + [rows[place] and sign in ("?", name[place]) for place in range(len(name))]
    return rows[-1]


def home(user: str | None) -> dict[str, str]:
    """HOME, USER, LOGNAME and SHELL of a user; a number without an entry has "/" for a home, as Docker gives it."""
    word = user or ""
    try:
        entry = pwd.getpwuid(int(word)) if word.isascii() and word.isdecimal() else pwd.getpwnam(word)
    except (KeyError, OverflowError, ValueError):
        return {"HOME": "/", "USER": word, "LOGNAME": word, "SHELL": "/bin/sh"}
    name, shell = entry.pw_name, entry.pw_shell or "/bin/sh"
    return {"HOME": entry.pw_dir or "/", "USER": name, "LOGNAME": name, "SHELL": shell}


def variables(path: str) -> dict[str, str]:
    """What an environment file holds; nothing where it is missing and may be.  Raises StartFailed."""
    text = contents(path, ENV_FILE_BYTES)
    try:
        return parse(text) if text is not None else {}
    except ValueError as fault:
        raise StartFailed("environment", None, f"{path.removeprefix('-')}: {fault}") from None


def secret_values(secrets: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Variables whose values are whole files, but for one line end.  Raises StartFailed."""
    found = {}
    for name, path in secrets:
        text = contents(path, SECRET_BYTES)
        if text is not None:
            if "\0" in text:
                raise StartFailed("environment", None, f"{name}: {path} holds a NUL byte, which no variable can")
            found[name] = text.removesuffix("\n").removesuffix("\r")
    return found


def contents(path: str, most: int) -> str | None:
    """The text of a small regular file; None where it is missing and "-" before the path allows that."""
    optional, path = path.startswith("-"), path.removeprefix("-")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise StartFailed("environment", None, f"{path} is no regular file")
            data = _read(fd, most + 1)
        finally:
            os.close(fd)
    except FileNotFoundError as error:
        if optional:
            return None
        raise StartFailed("environment", error.errno, path) from None
    except OSError as error:
        raise StartFailed("environment", error.errno, path) from None
    if len(data) > most:
        raise StartFailed("environment", None, f"{path} is larger than the {most} bytes allowed")
    return os.fsdecode(data)


def _read(fd: int, most: int) -> bytes:
    data = b""
    while len(data) < most and (chunk := os.read(fd, most - len(data))):
        data += chunk
    return data
