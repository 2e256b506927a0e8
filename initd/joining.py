"""Where a container's join string comes from, and what the link process is told; standard library only, for PID 1.

Theory.  The join string is a secret: it never reaches the programs (initd.launch).  It comes from the first of
    [initd] join_file=    PIDONE_JOIN_FILE    /run/secrets/pidone_join (where that exists)    PIDONE_JOIN
A file that is named but not there yet still means "this container joins": link waits for it and says so.  Without any
of them there is no link process at all.  PID 1 gives link a small environment made here, and nothing else.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from initd.config.records import Config

SECRET_FILE = "/run/secrets/pidone_join"
"""Where Docker, Swarm and Compose mount a secret called pidone_join."""

HANDED_ON = ("PIDONE_LABELS", "PIDONE_CONTAINER_ID", "PATH", "TZ")
"""Variables that link gets as they are."""

JOIN_FILE, JOIN, NAME, REMOTE, STATE_DIR, SOCKET = (
    "PIDONE_JOIN_FILE", "PIDONE_JOIN", "PIDONE_NAME", "PIDONE_REMOTE", "PIDONE_STATE_DIR", "PIDONE_SOCKET",
)  # fmt: skip
"""Variables made for link from the configuration."""


def join_source(
    join_file: str | None, environ: Mapping[str, str], exists: Callable[[str], bool] = os.path.exists
) -> tuple[str, str] | None:
    """The variable that tells link of the join string, and its value; None where nothing asks to join."""
    named = join_file or environ.get(JOIN_FILE)
    if named:
        return JOIN_FILE, named
    if exists(SECRET_FILE):
        return JOIN_FILE, SECRET_FILE
    text = environ.get(JOIN)
    return (JOIN, text) if text else None


def link_environment(config: Config, environ: Mapping[str, str]) -> dict[str, str] | None:
    """The whole environment of the link process; None where there is to be no link."""
    source = join_source(config.link.join_file if config.link else None, environ)
    if source is None:
        return None
    daemon = config.daemon
    told = {
        NAME: (config.link.name if config.link else None) or "",
        REMOTE: daemon.remote,
        STATE_DIR: daemon.state_dir or "",
        SOCKET: environ.get(SOCKET) or daemon.socket or "",
    }
    handed = {name: environ[name] for name in HANDED_ON if name in environ}
    return handed | {name: value for name, value in told.items() if value} | dict([source])
