"""`supervisorctl`, for who types or scripts it: the original's words, formats and exit statuses.

Theory.  Where `-s URL` or the file's [supervisorctl] serverurl leads, XML-RPC is spoken, to any supervisord.  Where the
file says nothing (most files in images have no control section at all, and the original then refuses to work) initd is
asked directly over its own control socket; so it is where the URL leads nowhere, but an initd runs here.  Both ways
carry the same methods: the very code that serves XML-RPC (initd.compat.rpc_api) runs here instead.
"""

from __future__ import annotations

import os
import sys

from initd.compat.supervisorctl_actions import ACTIONS
from initd.compat.supervisorctl_options import Options, Usage, parse
from initd.compat.supervisorctl_reach import reach
from initd.compat.supervisorctl_shell import Shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "supervisorctl"


def main(argv: Sequence[str]) -> int:
    """Run a command line without its first word; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = parse(list(argv), os.environ)
    except Usage as usage:
        sys.stderr.write(f"Error: {usage}\nFor help, use {PROGRAM} -h\n")
        return 2
    if options.help:
        sys.stdout.write(HELP)
        return 0
    try:
        return _run(options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader left; Python must not complain at its exit
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: Options) -> int:
    shell = Shell(options, reach(options), ACTIONS)
    if options.words:
        shell.execute(" ".join(options.words))
        sys.stdout.flush()
        return shell.status
    shell.converse()
    sys.stdout.flush()
    return 0


HELP = f"""\
{PROGRAM} -- control the programs of initd, or of a supervisord, from the command line.

Usage: {PROGRAM} [options] [action [arguments]]

Options:
-c/--configuration FILENAME -- configuration file path (searches if not given)
-h/--help -- print usage message and exit
-i/--interactive -- start an interactive shell after executing commands
-s/--serverurl URL -- URL on which a server is listening (default: initd's own control socket, or the file's serverurl)
-u/--username USERNAME -- username to use for authentication with server
-p/--password PASSWORD -- password to use for authentication with server
-r/--history-file -- keep a readline history (if readline is available)

action [arguments] -- see below

Actions are commands like "tail" or "stop".  If -i is specified or no action is
specified on the command line, a "shell" interpreting actions typed
interactively is started.  Use the action "help" to find out about available
actions.

"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
