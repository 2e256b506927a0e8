"""The name we were called by and argv to exit status; what is imported here before the programs run is all that is.

`initd`, `initd -c FILE`: the daemon (initd.daemon).  `initd [OPTION...] -- COMMAND`: single-command mode
(initd.single).  `check` and `explain` belong to initd.config, every other verb to initd.ctl; these never run in PID 1.
Under the name of another init (CALLED) the command line is that init's, and the module that knows it does the rest.
"""

from __future__ import annotations

import sys

from initd.errors import DONE, FAILED, USAGE, OperatorError
from initd.options import CALLED, parse
from initd.prefix import called, version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

USAGE_TEXT = """\
usage: initd [-c FILE] [-e LEVEL]       run the programs of FILE, as PID 1 or anywhere else
       initd [OPTION...] -- COMMAND [ARG...]
                                        run one command: reap orphans, pass signals on, leave with its status
       initd check|explain [-c FILE] [--json]
       initd status|start|stop|restart|signal|tail|logs|events|exits|healthy|top|metrics|reload|scale|shutdown
             [NAME...] [--json]         ask or steer the initd that runs here: initd restart --help
       initd install-names DIR [NAME...] [--force]
                                        link tini, dumb-init, supervisord, supervisorctl in DIR to this initd

  -c, --configuration FILE   an ini file, supervisord's or initd's; without it, as supervisord searches:
                             ../etc/supervisord.conf and ../supervisord.conf beside the executable, supervisord.conf
                             and etc/supervisord.conf here, /etc/supervisord.conf, /etc/supervisor/supervisord.conf,
                             /usr/local/etc/supervisord.conf
  -e, --loglevel LEVEL       critical, error, warn, info, debug, trace or blather
  -n, --nodaemon             accepted and without effect: initd never leaves the foreground
  -h, --help   -v, --version

before -- COMMAND:
  -g, --group                signals go to the command's whole process group
  -e, --expect STATUS        leave with 0 instead of STATUS; may be repeated
  -r, --rewrite R:S          pass on signal S where R arrives (0: nothing); names or numbers; may be repeated
  -p, --parent-death-signal SIGNAL   what the command gets when the process above initd dies
  -S, --session              a session of its own for the command, as dumb-init gives it
  -w, --warn-on-reap         say each orphan that is reaped
  -v, --verbose              say more; up to three times
  -s, --subreaper   -c, --single-child   accepted: initd does so by itself

examples:
  ENTRYPOINT ["/opt/initd/initd", "-c", "/etc/supervisord.conf"]      in a Dockerfile
  initd -c app.ini                     try it outside a container
  initd -- nginx -g 'daemon off;'      one program under a proper init
  initd -g -e 143 -- java -jar app.jar a JVM's 143 after SIGTERM is a good end
  initd status                         what runs?
  initd restart web --wait 10          a new process in place of the old, and wait until it runs

exit status: 0 done, 1 failed, 2 usage or configuration, 3 cannot reach the daemon, 4 partly done; in single-command
mode the command's own, or 128 + the number of the signal that ended it, 126 and 127 where it cannot be run
"""

OFFLINE = {"check": "initd.config.explain", "explain": "initd.config.explain", "install-names": "initd.ctl.names"}
"""Verbs that ask no daemon, with the module whose `main_VERB(argv) -> int` does them."""


def main(argv: list[str]) -> int:
    """Run a command line without its first word; returns the exit status."""
    name = called()
    if name in CALLED:
        return int(_module(CALLED[name]).main(argv))
    return _own(argv)


def _own(argv: list[str]) -> int:
    first = argv[0] if argv else ""
    if first and not first.startswith("-"):
        return _verb(first, argv)
    if "--" in argv:
        return _single(argv)
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
    from initd.single.errand import carry_out
    from initd.single.own import read

    return carry_out(lambda: read(argv))


def _verb(verb: str, argv: list[str]) -> int:
    if verb in OFFLINE:
        module = _module(OFFLINE[verb])
        return int(getattr(module, f"main_{verb.replace('-', '_')}")(argv[1:]))
    from initd.ctl import verbs

    if verb not in verbs.HANDLERS:
        return _complain(f"no verb {verb!r}; to run a command: initd -- {' '.join(argv)}")
    return verbs.main(argv)


def _module(name: str) -> Any:
    """Imported by name, so that nothing but the one that is needed is ever loaded."""
    return __import__(name, fromlist=["main"])


def _print(text: str) -> int:
    if sys.stdout is None:  # the caller closed it: there is nobody to tell
        return FAILED
    sys.stdout.write(text)
    return DONE


def _complain(text: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"initd: {text}\n(initd --help shows what it can do)\n")
    return USAGE
