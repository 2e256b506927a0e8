"""Turn the text of an option into its value, or say what to write instead.

One function for each type named in initd.config.fields; each raises ValueError with the fix.  They accept exactly what
supervisord accepts (its datatypes.py), Python's own int() included: `1_000` and `+5` are numbers there, `1.5` is not.
"""

from __future__ import annotations

import os

from initd.config.records import AUTO
from initd.config.words import pairs
from initd.native import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TRUE = ("yes", "true", "on", "1")
FALSE = ("no", "false", "off", "0")
LEVELS = ("critical", "error", "warn", "info", "debug", "trace", "blather")
SUFFIXES = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
SYSLOG = "SYSLOG"
"""The log file `syslog`, a deprecated way to write stdout_syslog=true."""


def boolean(text: str) -> bool:
    """true or false, in the words supervisord knows."""
    word = text.lower()
    if word not in TRUE and word not in FALSE:
        raise ValueError(f"{text!r} is neither true (yes, on, 1) nor false (no, off, 0)")
    return word in TRUE


def integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def size(text: str) -> int:
    """Bytes: a whole number, with KB, MB or GB (1024, 1024 ** 2, 1024 ** 3) behind it if wanted."""
    word = text.lower()
    factor = SUFFIXES.get(word[-2:], 1)
    try:
        return int(word[:-2] if factor > 1 else word) * factor
    except ValueError:
        raise ValueError(f"{text!r} is not a size: write bytes, or a whole number with KB, MB or GB") from None


def octal(text: str) -> int:
    """Permission bits in octal digits."""
    try:
        return int(text, 8)
    except ValueError:
        raise ValueError(f"{text!r} is not octal: write permission bits such as 022") from None


def signal_number(text: str) -> int:
    """A signal by name, with or without SIG, or by number."""
    try:
        number = int(text)
    except ValueError:
        word = text.strip().upper()
        number = getattr(signal, word if word.startswith("SIG") else "SIG" + word, -1)
    else:
        if number not in [getattr(signal, name) for name in dir(signal) if name.startswith("SIG")]:
            number = -1
    if number < 0:
        raise ValueError(f"{text!r} is no signal: write one name or number, such as TERM, QUIT, INT, USR1 or 15")
    return int(number)


def exitcodes(text: str) -> tuple[int, ...]:
    """Exit statuses 0 to 255, separated by commas; none at all is a list too."""
    try:
        codes = tuple([int(part) for part in text.split(",")]) if text else ()
    except ValueError:
        codes = (-1,)
    if codes and not 0 <= min(codes) <= max(codes) <= 255:
        raise ValueError(f"{text!r} is not a list of exit codes: write numbers 0 to 255 with commas between, as 0,2")
    return codes


def autorestart(text: str) -> str:
    """`true`, `false` or `unexpected`."""
    word = text.lower()
    if word == "unexpected":
        return word
    if word not in TRUE and word not in FALSE:
        raise ValueError(f"{text!r} is not one of true, false, unexpected")
    return "true" if word in TRUE else "false"


def logfile(text: str) -> str | None:
    """A path, AUTO, SYSLOG or None; an empty name is no file."""
    word = text.lower()
    if word in ("none", "off", ""):
        return None
    return {"auto": AUTO, "syslog": SYSLOG}.get(word) or os.path.expanduser(text)


def path(text: str) -> str:
    """A path; ~ and ~user are expanded."""
    return os.path.expanduser(text)


def directory(text: str) -> str:
    """A directory's path."""
    if not text:
        raise ValueError("a directory has a name: write its path, or take the option out")
    return os.path.expanduser(text)


def user(text: str) -> str:
    """A user's name or number, as written."""
    if not text:
        raise ValueError("a user has a name: write it or a number, or take the option out")
    return text


def name(text: str) -> str:
    """The name of a program, group or process."""
    word = text.strip()
    for character in " :/":
        if character in word:
            raise ValueError(f"the name {word!r} may not contain {character!r}")
    return word


def level(text: str) -> str:
    """A log level."""
    if text.lower() not in LEVELS:
        raise ValueError(f"{text!r} is no log level: write one of {', '.join(LEVELS)}")
    return text.lower()


def seconds(text: str) -> float:
    """Seconds, with decimals if wanted."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise ValueError(f"{text!r} is no duration: write seconds above 0, as 9 or 2.5")
    return value


def remote(text: str) -> str:
    """What the hub may do."""
    if text not in ("observe", "operate"):
        raise ValueError(f"{text!r} is neither observe nor operate")
    return text


def listening(text: str) -> str:
    """`host:port`; without a host every address."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536) or any(char.isspace() for char in host):
        raise ValueError(f"{text!r} is no address: write 127.0.0.1:9464, or :9464 for every address")
    return f"{host}:{int(port)}"


def automatic(text: str) -> str:
    """`auto`, `true` or `false`."""
    word = text.lower()
    if word == "auto":
        return word
    if word not in TRUE and word not in FALSE:
        raise ValueError(f"{text!r} is not one of auto, true, false")
    return "true" if word in TRUE else "false"


def name_of_process(text: str) -> str:
    """A program's name, or GROUP:NAME."""
    word = text.strip()
    if not word or " " in word or "/" in word or word.count(":") > 1:
        raise ValueError(f"{text!r} is no name of a process: write PROGRAM or GROUP:NAME")
    return word


def serverurl(text: str) -> str | None:
    """A URL; AUTO and nothing mean the daemon's own."""
    return None if text.strip().upper() == "AUTO" else text


def environment(text: str) -> tuple[tuple[str, str], ...]:
    """Variables, as A="x",B="y"."""
    try:
        return tuple(pairs(text).items())
    except ValueError:
        from initd.config.diagnose import environment as why

        raise ValueError(why(text)) from None


TYPES: dict[str, Callable[[str], object]] = {
    "text": str,
    "boolean": boolean,
    "integer": integer,
    "size": size,
    "octal": octal,
    "signal": signal_number,
    "exitcodes": exitcodes,
    "autorestart": autorestart,
    "logfile": logfile,
    "path": path,
    "file": path,
    "directory": directory,
    "name": name,
    "level": level,
    "seconds": seconds,
    "remote": remote,
    "listening": listening,
    "automatic": automatic,
    "name_of_process": name_of_process,
    "serverurl": serverurl,
    "environment": environment,
    "user": user,
}
