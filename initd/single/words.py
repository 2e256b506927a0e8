"""Options as getopt_long(3) reads them in POSIX's way: they end at the first word that is none, or at `--`.

The standard library's getopt brings gettext and re along, which is more than single-command mode itself.
"""

from __future__ import annotations

from initd.errors import OperatorError
from initd.native import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def read(
    argv: list[str], short: Mapping[str, bool], long: Mapping[str, str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of letter and value in order, and the words after the options.

    `short` tells of each letter whether it takes a value, `long` maps names to letters; a name may be shortened while
    it means one thing only.  Raises OperatorError.
    """
    found: list[tuple[str, str]] = []
    rest = list(argv)
    while rest and len(rest[0]) > 1 and rest[0][0] == "-":
        word = rest.pop(0)
        if word == "--":
            break
        found += _long(word, rest, short, long) if word[1] == "-" else _short(word, rest, short)
    return found, rest


def _short(word: str, rest: list[str], short: Mapping[str, bool]) -> list[tuple[str, str]]:
    """`-sg`, `-e3` or `-e 3`."""
    found: list[tuple[str, str]] = []
    for at, letter in enumerate(word[1:], 2):
        if letter not in short:
            raise OperatorError(f"invalid option -- '{letter}'")
        if short[letter]:
            return [*found, (letter, word[at:] or _next(rest, f"-{letter}"))]
        found.append((letter, ""))
    return found


def _long(word: str, rest: list[str], short: Mapping[str, bool], long: Mapping[str, str]) -> list[tuple[str, str]]:
    """`--rewrite=15:2`, `--rewrite 15:2`, `--verb`."""
    name, equals, value = word[2:].partition("=")
    letters = {long[name]} if name in long else {long[known] for known in long if known.startswith(name)}
    if len(letters) != 1:
        raise OperatorError(f"{'ambiguous' if letters else 'unrecognized'} option '--{name}'")
    [letter] = letters
    if not short[letter]:
        if equals:
            raise OperatorError(f"option '--{name}' takes no value")
        return [(letter, "")]
    return [(letter, value if equals else _next(rest, f"--{name}"))]


def _next(rest: list[str], option: str) -> str:
    if not rest:
        raise OperatorError(f"option {option} needs a value")
    return rest.pop(0)


def signal_number(text: str) -> int:
    """`SIGTERM`, `term`, `15`, `SIGRTMIN+3`.  Raises ValueError."""
    name = text.upper().removeprefix("SIG")
    base, plus, offset = name.partition("+")
    if plus and base == "RTMIN" and offset.isdecimal():
        return _valid(signal.SIGRTMIN + int(offset), text)
    if name.isascii() and name.isdecimal():
        return _valid(int(name), text)
    number = None if name.startswith("_") else getattr(signal, f"SIG{name}", None)  # SIG_BLOCK is none
    if not isinstance(number, int):
        raise ValueError(f"no signal {text!r}")
    return int(number)


def _valid(number: int, text: str) -> int:
    if number not in signal.valid_signals():
        raise ValueError(f"no signal {text!r}")
    return number


def status_number(text: str) -> int:
    """An exit status, 0 to 255.  Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and int(text) <= 255):
        raise ValueError(f"{text!r} is no exit status (0 to 255)")
    return int(text)


def rewrite(text: str, highest: int) -> tuple[int, int]:
    """`15:2`, or `15:0` for nothing; names do as well as numbers.  Raises ValueError."""
    received, colon, sent = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is not RECEIVED:SENT")
    pair = signal_number(received), 0 if sent == "0" else signal_number(sent)
    if max(pair) > highest:
        raise ValueError(f"{text!r} is beyond signal {highest}")
    return pair
