"""argv to verb to exit status; what is imported here before the programs run is all that is.

`initd`, `initd -c FILE`: the daemon (initd.daemon).  `initd -- COMMAND`: single-command mode (initd.command).
`check` and `explain` belong to initd.config, every other verb to initd.ctl; these never run in PID 1.
"""

from __future__ import annotations

import sys

from initd.errors import DONE, FAILED, USAGE, OperatorError
from initd.options import parse
from initd.prefix import version

USAGE_TEXT = """\
usage: initd [-c FILE] [-e LEVEL]       run the programs of FILE, as PID 1 or anywhere else
       initd -- COMMAND [ARG...]        run one command: reap orphans, pass signals on, leave with its status
       initd check|explain [-c FILE] [--json]
       initd status|start|stop|restart|signal|tail|events|exits|healthy|shutdown [NAME...] [--json] [--wait S]

  -c, --configuration FILE   an ini file, supervisord's or initd's; without it, as supervisord searches:
                             ../etc/supervisord.conf and ../supervisord.conf beside the executable, supervisord.conf
                             and etc/supervisord.conf here, /etc/supervisord.conf, /etc/supervisor/supervisord.conf
  -e, --loglevel LEVEL       critical, error, warn, info, debug, trace or blather
  -n, --nodaemon             accepted and without effect: initd never leaves the foreground
  -h, --help   -v, --version

examples:
  ENTRYPOINT ["/opt/initd/initd", "-c", "/etc/supervisord.conf"]      in a Dockerfile
  initd -c app.ini                     try it outside a container
  initd -- nginx -g 'daemon off;'      one program under a proper init
  initd status                         what runs?
  initd restart web --wait 10          a new process in place of the old, and wait until it runs

exit status: 0 done, 1 failed, 2 usage or configuration, 3 cannot reach the daemon, 4 partly done; in single-command
mode the command's own, or 128 + the number of the signal that ended it, 126 and 127 where it cannot be run
"""

OFFLINE = ("check", "explain")
VERBS = ("status", "start", "stop", "restart", "signal", "tail", "events", "exits", "healthy", "shutdown")


def main(argv: list[str]) -> int:
    """Run a command line without its first word; returns the exit status."""
    first = argv[0] if argv else ""
    if first == "--":
        return _single(argv[1:])
    if first and not first.startswith("-"):
        return _verb(first, argv)
    if "-h" in argv or "--help" in argv:
        return _print(USAGE_TEXT)
    if first in ("-v", "--version"):
        return _print(version() + "\n")
    try:
        options = parse(argv)
    except OperatorError as error:
        return _complain(str(error))
    from initd.daemon import run

    return run(options)


def _single(argv: list[str]) -> int:
    if not argv:
        return _complain("nothing to run after --")
    from initd.command import run

    return run(argv)


def _verb(verb: str, argv: list[str]) -> int:
    if verb in OFFLINE:
        from initd.config import explain

        return (explain.main_check if verb == "check" else explain.main_explain)(argv[1:])
    if verb not in VERBS:
        return _complain(f"no verb {verb!r}; to run a command: initd -- {' '.join(argv)}")
    from initd.ctl import verbs

    return verbs.main(argv)


def _print(text: str) -> int:
    if sys.stdout is None:  # the caller closed it: there is nobody to tell
        return FAILED
    sys.stdout.write(text)
    return DONE


def _complain(text: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"initd: {text}\n(initd --help shows what it can do)\n")
    return USAGE
