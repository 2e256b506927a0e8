"""Called as `tini` or `docker-init`: tini 0.19's options, environment, words and exit statuses.

One difference, on purpose: options end at the first word that is none, as POSIX has it (tini does so where
POSIXLY_CORRECT is set), so that `tini nginx -g 'daemon off;'` runs what it says.
"""

from __future__ import annotations

import os

from initd.errors import OperatorError
from initd.prefix import version
from initd.single import words
from initd.single.manner import Manner, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

INTERFACE = "0.19.0"
"""The version whose command line this is."""

SHORT = {letter: letter in "ep" for letter in "eghlpsvw"}
LEVELS = ("error", "warn", "info", "debug", "trace")

HELP = """\
usage: tini [OPTION...] [--] PROGRAM [ARG...]      (this is initd, speaking tini's language)

  -s            adopt orphans where this is not PID 1 (subreaper)
  -g            send signals to the program's process group
  -e STATUS     exit with 0 instead of STATUS; may be repeated
  -p SIGNAL     send SIGNAL to the program when the parent dies
  -w            say when an orphan is reaped
  -v            say more; up to three times
  -h, --version, -l   this text, the version, the licence

environment: TINI_SUBREAPER (as -s) and TINI_KILL_PROCESS_GROUP (as -g) where set at all; TINI_VERBOSITY 0 to 4 (1)

examples:
  tini -- /usr/sbin/nginx -g 'daemon off;'
  tini -g -e 143 -- java -jar /app.jar
"""

UNADOPTED = (
    "not PID 1 and no subreaper: orphans go to another process, and zombie reaping won't work; "
    "use -s, or set TINI_SUBREAPER"
)
LICENCE = "initd is part of pidone, under the MIT License.\n"


def read(argv: list[str], environ: Mapping[str, str]) -> Manner:
    """What this command line asks for.  Raises Said."""
    if argv == ["--version"]:
        raise Said(f"tini version {INTERFACE} (initd {version()})\n", 0)
    try:
        options, command = words.read(argv, SHORT, {})
    except OperatorError as error:
        raise Said(f"tini: {error}\n{HELP}", 1) from None
    given = [letter for letter, _ in options]
    for letter in given:
        if letter in "hl":
            raise Said(HELP if letter == "h" else LICENCE, 0)
    pardoned = frozenset(_checked("e", words.status_number, value) for letter, value in options if letter == "e")
    deaths = [_checked("p", words.signal_number, value) for letter, value in options if letter == "p"]
    if not command:
        raise Said(HELP, 1)
    return Manner(
        argv=tuple(command),
        prefix=f"[tini ({os.getpid()})] ",
        level=LEVELS[max(0, min(_verbosity(environ) + given.count("v"), 4))],
        to_group="g" in given or "TINI_KILL_PROCESS_GROUP" in environ,
        subreaper="s" in given or "TINI_SUBREAPER" in environ,
        unadopted=UNADOPTED,
        parent_death=deaths[-1] if deaths else None,
        pardoned=pardoned,
        tells_reaps="w" in given,
    )


def _checked(letter: str, parse: object, value: str) -> int:
    try:
        return parse(value)  # type: ignore[operator,no-any-return]
    except ValueError:
        raise Said(f"[tini ({os.getpid()})] not a valid option for -{letter}: {value}\n", 1) from None


def _verbosity(environ: Mapping[str, str]) -> int:
    """TINI_VERBOSITY as atoi(3) reads it: the digits it begins with, else 0."""
    text = environ.get("TINI_VERBOSITY")
    if text is None:
        return 1
    digits = text.strip()[:9]
    while digits and not digits.lstrip("-").isdecimal():
        digits = digits[:-1]
    return int(digits) if digits else 0


def main(argv: list[str]) -> int:
    """Run as tini; returns the exit status."""
    from initd.single.errand import carry_out

    return carry_out(lambda: read(argv, os.environ))
