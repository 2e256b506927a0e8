"""`initd [OPTION...] -- COMMAND [ARG...]`: single-command mode in initd's own words.

tini's and dumb-init's options of the same letters mean the same here; orphans are adopted without being asked.
"""

from __future__ import annotations

from initd.errors import USAGE, OperatorError
from initd.native import signal
from initd.single import words
from initd.single.manner import GROUP, SESSION, Manner, Said

SHORT = {letter: letter in "epr" for letter in "cegpnrsvwS"}
LONG = {
    "group": "g", "expect": "e", "parent-death-signal": "p", "rewrite": "r", "subreaper": "s", "verbose": "v",
    "warn-on-reap": "w", "session": "S", "single-child": "c", "nodaemon": "n",
}  # fmt: skip
LEVELS = ("warn", "info", "debug", "trace")


def read(argv: list[str]) -> Manner:
    """What this command line asks for; `--` stands in it.  Raises Said."""
    at = argv.index("--")
    command = tuple(argv[at + 1 :])
    try:
        options, rest = words.read(argv[:at], SHORT, LONG)
        if rest:
            raise OperatorError(f"{rest[0]!r} before --: a configuration and a command exclude each other")
        manner = _manner(options, command)
    except (OperatorError, ValueError) as error:
        raise Said(f"initd: {error}\n(initd --help shows what it can do)\n", USAGE) from None
    if not command:
        raise Said("initd: nothing to run after --\n(initd --help shows what it can do)\n", USAGE)
    return manner


def _manner(options: list[tuple[str, str]], command: tuple[str, ...]) -> Manner:
    given = [letter for letter, _ in options]
    deaths = [words.signal_number(value) for letter, value in options if letter == "p"]
    return Manner(
        argv=command,
        level=LEVELS[min(given.count("v"), 3)],
        place=SESSION if "S" in given else GROUP,
        to_group="c" not in given and ("g" in given or "S" in given),
        parent_death=deaths[-1] if deaths else None,
        pardoned=frozenset(words.status_number(value) for letter, value in options if letter == "e"),
        rewrites=dict(words.rewrite(value, signal.SIGRTMAX) for letter, value in options if letter == "r"),
        tells_reaps="w" in given,
    )
