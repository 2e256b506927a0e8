"""Where initd means to read a file otherwise than supervisord: each with the smallest file that shows it, and why.

`measured` asks both readers; docs/from-supervisord.md has what they answer.  Any other difference is a defect, which
the differential test looks for.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

from supervisor.options import ServerOptions

from initd.config import load
from initd.users import uid_of


class Difference(NamedTuple):
    """A file, and what is meant by it."""

    what: str
    text: str
    why: str


DIFFERENCES = (
    Difference(
        "a user by number that the image does not know",
        "[supervisord]\n[program:web]\ncommand=true\nuser=4711\n",
        "containers run as any uid",
    ),
    Difference(
        "a log file in a directory that is not there",
        "[supervisord]\n[program:web]\ncommand=true\nstdout_logfile=/no/such/directory/web.log\n",
        "it is made when it is needed; else the log is dropped, and that is said",
    ),
    Difference(
        "a pid file in a directory that is not there",
        "[supervisord]\npidfile=/no/such/directory/pid\n[program:web]\ncommand=true\n",
        "the same",
    ),
    Difference(
        "a plugin that is not installed",
        "[supervisord]\n[rpcinterface:more]\nsupervisor.rpcinterface_factory=not.installed:make\n",
        "plugins are Python for supervisord's process; a warning names it",
    ),
    Difference(
        "a result handler that is not installed",
        "[supervisord]\n[eventlistener:x]\ncommand=true\nevents=TICK_5\nresult_handler=not.installed:handler\n",
        "the listener runs, with the default handler",
    ),
    Difference(
        "a variable with a default",
        "[supervisord]\n[program:web]\ncommand=true %(ENV_NO_SUCH_VARIABLE:-1)s\n",
        "one file for several environments",
    ),
    Difference(
        "`[initd]` alone",
        "[initd]\n[program:web]\ncommand=true\n",
        "a file that is for initd only need not name supervisord",
    ),
    Difference(
        "an option that nobody knows",
        "[supervisord]\n[program:web]\ncommand=true\nautorestrat=true\n",
        "read the same, but a warning names the nearest known option",
    ),
)


def theirs(path: str) -> str:
    """`accepted`, or supervisord's own words."""
    options = ServerOptions()
    options.here = os.path.dirname(path)
    options.stderr = said = io.StringIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it thinks of being root, and of pkg_resources
            options.realize(["-c", path, "-n"])
    except SystemExit:
        return (
            "refused: "
            + said.getvalue().strip().splitlines()[0].removeprefix("Error: ").partition(". Available names")[0]
        )
    except Exception as error:
        return f"refused: {type(error).__name__}: {error}"
    return "accepted"


def ours(path: str) -> str:
    """`accepted`, with the first warning if there is one, or the first error."""
    loaded = load(path, {}, users=uid_of)
    told = [*loaded.errors, *loaded.warnings]
    first = f": {told[0].message}" if told else ""
    return ("accepted" if loaded.config is not None else "refused") + first


def measured(difference: Difference) -> tuple[str, str]:
    """What supervisord and initd say of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "app.conf")
        path.write_text(difference.text)
        return tuple(answer(str(path)).replace(folder, "") for answer in (theirs, ours))  # type: ignore[return-value]
