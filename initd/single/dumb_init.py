"""Called as `dumb-init`: dumb-init 1.2's options, environment, words and exit statuses.

Unless told -c the command gets a session of its own, with our terminal as its controlling one, and every signal goes to
the session's first process group; when the command ends, the rest of the group gets SIGTERM.  A suspension cannot reach
such a group as SIGTSTP (the kernel drops it for an orphaned group), so it is passed on as SIGSTOP.
"""

from __future__ import annotations

import os

from initd.errors import OperatorError
from initd.native import signal
from initd.prefix import version
from initd.signals import JOB_CONTROL
from initd.single import words
from initd.single.manner import SESSION, SHARED, Manner, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

INTERFACE = "1.2.5"
"""The version whose command line this is."""

HIGHEST = 31
"""The last signal that can be rewritten: dumb-init knows no real-time signals."""

SHORT = {letter: letter == "r" for letter in "chrvV"}
LONG = {"single-child": "c", "help": "h", "rewrite": "r", "verbose": "v", "version": "V"}

HELP = """\
usage: dumb-init [OPTION...] [--] COMMAND [ARG...]      (this is initd, speaking dumb-init's language)

  -c, --single-child   no session of its own for the command; signals go to the command only
  -r, --rewrite R:S    pass on signal S where signal R arrives; S 0 for nothing; may be repeated
  -v, --verbose        say on stderr what happens
  -h, --help   -V, --version

environment: DUMB_INIT_SETSID=0 (as -c), DUMB_INIT_DEBUG=1 (as -v)

example:
  dumb-init --rewrite 15:3 -- nginx -g 'daemon off;'
"""
REWRITE = f"usage: -r R:S, where R and S are signal numbers between 1 and {HIGHEST}, or S is 0; see dumb-init --help\n"


def read(argv: list[str], environ: Mapping[str, str]) -> Manner:
    """What this command line asks for.  Raises Said."""
    try:
        options, command = words.read(argv, SHORT, LONG)
    except OperatorError as error:
        raise Said(f"dumb-init: {error}\n", 1) from None
    given = [letter for letter, _ in options]
    for letter in given:
        if letter in "hV":
            raise Said(HELP if letter == "h" else f"dumb-init v{INTERFACE} (initd {version()})\n", 0)
    rewrites = dict(_rewrite(value) for letter, value in options if letter == "r")
    if not command:
        raise Said("usage: dumb-init [OPTION...] COMMAND [ARG...]; see dumb-init --help\n", 1)
    session = "c" not in given and environ.get("DUMB_INIT_SETSID") != "0"
    stops: dict[int, int] = dict.fromkeys(JOB_CONTROL, signal.SIGSTOP) if session else {}
    return Manner(
        argv=tuple(command),
        prefix="[dumb-init] ",
        level="debug" if "v" in given or environ.get("DUMB_INIT_DEBUG") == "1" else "error",
        place=SESSION if session else SHARED,
        to_group=session,
        subreaper=False,
        rewrites={**stops, **rewrites},
        halts_at_once=True,
        cannot_run=2,
        not_found=2,
    )


def _rewrite(text: str) -> tuple[int, int]:
    """Numbers only, as dumb-init has it."""
    received, colon, sent = text.partition(":")
    if not (colon and received.isdecimal() and sent.isdecimal()):
        raise Said(REWRITE, 1)
    try:
        return words.rewrite(text, HIGHEST)
    except ValueError:
        raise Said(REWRITE, 1) from None


def main(argv: list[str]) -> int:
    """Run as dumb-init; returns the exit status."""
    from initd.single.errand import carry_out

    return carry_out(lambda: read(argv, os.environ))
