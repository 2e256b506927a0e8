"""Called as `catatonit`, the init that podman puts into a container with --init: its few options, tini's manners."""

from __future__ import annotations

from initd.errors import OperatorError
from initd.prefix import version
from initd.single import words
from initd.single.manner import Manner, Said

SHORT = dict.fromkeys("ghLPV", False)
LONG = {"help": "h", "version": "V", "license": "L"}

HELP = """\
usage: catatonit [-g] [--] PROGRAM [ARG...]      (this is initd, speaking catatonit's language)

  -g   send signals to the program's process group
  -h, --help   -V, --version   -L, --license

example:
  catatonit -g -- /usr/bin/app
"""


def read(argv: list[str]) -> Manner:
    """What this command line asks for.  Raises Said."""
    try:
        options, command = words.read(argv, SHORT, LONG)
    except OperatorError as error:
        raise Said(f"catatonit: {error}\n{HELP}", 1) from None
    given = [letter for letter, _ in options]
    texts = {"h": HELP, "V": f"tini version 0.1.7_catatonit (initd {version()})\n", "L": "MIT License\n"}
    for letter in given:
        if letter in texts:
            raise Said(texts[letter], 0)
    if "P" in given:
        raise Said("catatonit: -P (pause) is for pods' own containers and is not offered here\n", 1)
    if not command:
        raise Said(HELP, 1)
    return Manner(argv=tuple(command), prefix="catatonit: ", to_group="g" in given)


def main(argv: list[str]) -> int:
    """Run as catatonit; returns the exit status."""
    from initd.single.errand import carry_out

    return carry_out(lambda: read(argv))
