"""The command lines of the verbs: declared once, for argparse, `--help` and the shell's completion."""

from __future__ import annotations

import argparse

from wire.limits import EVENTS_SHOWN, LOGS_BYTES, RING_BYTES, WAIT_SECONDS

NAMES = "NAME: a process (web, pool:worker_0), a whole group (pool:*), or all"
CODES = "exit status: 0 done, 1 failed, 2 usage, 3 cannot reach initd, 4 partly done"

EXAMPLES = {
    "status": (
        "initd status",
        "initd status web pool:*",
        """initd status --json | jq -r '.[] | select(.state != "RUNNING").full_name'""",
    ),
    "start": (
        "initd start web",
        "initd start pool:* --wait 60      wait longer for slow starters",
        "initd start all --wait 0          do not wait",
    ),
    "stop": ("initd stop worker", "initd stop all"),
    "restart": ("initd restart web", "initd restart pool:* --wait 60"),
    "signal": (
        "initd signal HUP nginx            have it read its configuration again",
        "initd signal USR1 pool:*",
    ),
    "tail": ("initd tail web", "initd tail web --stderr --lines 20", "initd tail web -f", "initd tail web worker -f"),
    "logs": ("initd logs", "initd logs -f", "initd logs web pool:* -f", "initd logs --stderr --bytes 500"),
    "events": ("initd events", "initd events web --follow", "initd events --after 120 --json"),
    "exits": ("initd exits", "initd exits worker --output       with the last lines it wrote"),
    "healthy": ("""HEALTHCHECK CMD ["/opt/initd/initd", "healthy"]        in a Dockerfile""",),
    "shutdown": ("initd shutdown", "initd shutdown --wait 60"),
    "reload": (
        "initd reload --dry-run            what differs, where it stands, and what it takes",
        "initd reload                      take it over, and touch nothing else",
        "initd reload web workers          only these groups",
        "initd reload --all                stop everything and start over",
    ),
    "scale": ("initd scale worker 8", "initd scale worker 0 --wait 120"),
    "top": ("initd top", "initd top --once", "initd top web worker:* --interval 10"),
    "metrics": ("initd metrics                     OpenMetrics text; [initd] metrics=:9464 serves it",),
}
HELP = {
    "status": "state of the processes",
    "start": "want processes up, and wait until they run",
    "stop": "want processes down, and wait until they are gone",
    "restart": "a new process in place of each present one",
    "signal": "send a signal",
    "tail": "the end of what a process wrote",
    "logs": "what all processes write, each line with its name",
    "events": "state changes and exits, newest last",
    "exits": "how processes ended",
    "healthy": "exit 0 if every autostart process is RUNNING or exited as expected, else 1",
    "shutdown": "stop everything; initd exits, and the container with it",
    "reload": "take over the changed configuration, touching only what changed",
    "scale": "another number of processes of one program, until the next reload --all",
    "top": "CPU and memory of each program",
    "metrics": "what initd counted and what programs use, for a monitoring system",
}


def make_parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    parser = argparse.ArgumentParser(prog="initd", description="Talk to the initd that runs here.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, text in HELP.items():
        codes = "exit status: 0 or 1, nothing else" if verb == "healthy" else CODES
        lines = "".join(f"  {line}\n" for line in EXAMPLES[verb])
        one = verbs.add_parser(
            verb,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"examples:\n{lines}\n{codes}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _common(one)
        if verb in ARGUMENTS:
            ARGUMENTS[verb](one)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-s", "--socket", metavar="PATH", help="initd's control socket (default: PIDONE_SOCKET, or where initd puts it)"
    )


def seconds(text: str) -> float:
    """A span as a person writes it: 10 or 2.5."""
    value = float(text)
    if not 0 <= value <= 3600:
        raise ValueError
    return value


def count(text: str) -> int:
    """A whole number that is not negative."""
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def ring_bytes(text: str) -> int:
    """How much of a ring; more than there can be means all."""
    return min(count(text), RING_BYTES)


def _names(parser: argparse.ArgumentParser, needed: bool) -> None:
    parser.add_argument("names", nargs="+" if needed else "*", metavar="NAME", help=NAMES)


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=seconds, default=WAIT_SECONDS, metavar="S",
        help=f"seconds to wait until it is done, 0: do not wait (default {WAIT_SECONDS:g})",
    )  # fmt: skip


def _status(parser: argparse.ArgumentParser) -> None:
    _names(parser, needed=False)


def _wish(parser: argparse.ArgumentParser) -> None:
    _names(parser, needed=True)
    _wait(parser)


def _signal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("signal", metavar="SIGNAL", help="HUP, SIGUSR1, 10 ...")
    _names(parser, needed=True)


def _tail(parser: argparse.ArgumentParser) -> None:
    help = "one process, or several, whose lines then have their names; behind them stdout (default) or stderr"
    parser.add_argument("names", nargs="+", metavar="NAME", help=help)
    _written(parser, RING_BYTES)
    parser.add_argument("-n", "--lines", type=count, metavar="N", help="only the last N lines")


def _logs(parser: argparse.ArgumentParser) -> None:
    _names(parser, needed=False)
    _written(parser, LOGS_BYTES)


def _written(parser: argparse.ArgumentParser, nbytes: int) -> None:
    parser.add_argument("--stderr", action="store_const", const="stderr", dest="stream", help="only stderr")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written")
    parser.add_argument(
        "--bytes",
        type=ring_bytes,
        default=nbytes,
        metavar="N",
        help=f"only the last N bytes (default {nbytes}, at most {RING_BYTES})",
    )
    parser.add_argument("--raw", action="store_true", help="do not escape control characters on a terminal")


def _facts(parser: argparse.ArgumentParser) -> None:
    _names(parser, needed=False)
    parser.add_argument("--after", type=count, metavar="SEQ", help="only those with a higher number, oldest first")
    parser.add_argument(
        "-n", "--limit", type=count, default=EVENTS_SHOWN, metavar="N", help=f"how many (default {EVENTS_SHOWN})"
    )


def _events(parser: argparse.ArgumentParser) -> None:
    _facts(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what happens")


def _exits(parser: argparse.ArgumentParser) -> None:
    _facts(parser)
    parser.add_argument("-o", "--output", action="store_true", help="show the last lines each one wrote")


def _healthy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--essential", action="store_true", help="look at the programs with essential=true alone")


def _shutdown(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", type=seconds, default=0.0, metavar="S", help="seconds to wait until initd is gone")


def _reload(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="only these groups; none given means all")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
    how.add_argument("--all", action="store_true", help="stop everything and start over")
    _wait(parser)


def _scale(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", metavar="PROGRAM", help="name of a [program:x] with %%(process_num) in process_name")
    parser.add_argument("count", type=count, metavar="N", help="how many processes it shall have")
    _wait(parser)


def _top(parser: argparse.ArgumentParser) -> None:
    _names(parser, needed=False)
    parser.add_argument("--once", action="store_true", help="show it once; so it is where stdout is no terminal")
    parser.add_argument("--interval", type=seconds, default=2.0, metavar="S", help="seconds between looks (default 2)")


ARGUMENTS = {
    "status": _status,
    "start": _wish,
    "stop": _wish,
    "restart": _wish,
    "signal": _signal,
    "tail": _tail,
    "logs": _logs,
    "events": _events,
    "exits": _exits,
    "healthy": _healthy,
    "shutdown": _shutdown,
    "reload": _reload,
    "scale": _scale,
    "top": _top,
}
