"""What a probe looks at, as one word of the configuration: `tcp:127.0.0.1:5432`, `http://localhost/health`, `exec:...`.

Theory.  PID 1 may never wait, and resolving a name waits; so addresses are literal, and `localhost` is 127.0.0.1
without asking anybody.  What PID 1 cannot speak (TLS, names, databases) is left to `exec:`, a process of its own.
"""

from __future__ import annotations

from initd.config.words import split
from wire._record import Record
from wire.limits import PROBE_PATTERN_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HTTP_PORT = 80
LOCALHOST = "127.0.0.1"
CURE = "PID 1 asks no name server: write a literal address, localhost, or exec: with a command that resolves it"

NEVER_READY = ("watchdog",)
"""Kinds that readiness= does not know."""

ONCE = ("fd", "sd_notify", "log")
"""Kinds that liveness= does not know."""


class Probe(Record):
    """One thing to look at."""

    kind: str
    """fd, sd_notify, watchdog, tcp, http, exec, file, exists or log."""
    text: str
    """As written."""
    host: str = ""
    """Literal address; "" where `path` is a unix socket."""
    port: int = 0
    path: str = ""
    """The file, the unix socket, or the pattern of a line."""
    target: str = ""
    """What an HTTP request asks for."""
    argv: tuple[str, ...] = ()
    fd: int = 0


def probe(text: str, without: tuple[str, ...] = ()) -> Probe:
    """Read it.  Raises ValueError with the fix, which proposes nothing that is `without`."""
    word = text.strip()
    kind, colon, rest = word.partition(":")
    reader = READERS.get(kind.lower())
    if reader is None or (not colon and kind.lower() not in ALONE):
        forms = [form for form in FORMS if form.partition(":")[0] not in without]
        raise ValueError(f"{text!r} is no probe: write {', '.join(forms)}")
    return reader(word, rest)._replace(text=word)


def readiness(text: str) -> Probe:
    """A probe that can tell when a program is ready."""
    return _without(probe(text, NEVER_READY), NEVER_READY, "watchdog is for liveness=; write sd_notify")


def liveness(text: str) -> Probe:
    """A probe that can be asked again and again."""
    return _without(probe(text, ONCE), ONCE, "that is said once, at the start: write watchdog, tcp:, "
                    "http://, exec:, file: or exists:")  # fmt: skip


def _without(found: Probe, kinds: tuple[str, ...], cure: str) -> Probe:
    if found.kind in kinds:
        raise ValueError(f"{found.text!r}: {cure}")
    return found


def _fd(word: str, rest: str) -> Probe:
    if not rest.isascii() or not rest.isdecimal() or not 3 <= int(rest) <= 255:
        raise ValueError(f"{word!r}: write the number of the descriptor the program writes a newline to, 3 to 255")
    return Probe("fd", word, fd=int(rest))


def _alone(word: str, rest: str) -> Probe:
    if rest:
        raise ValueError(f"{word!r}: nothing stands behind {word.partition(':')[0]}")
    return Probe(word.lower().rstrip(":"), word)


def _tcp(word: str, rest: str) -> Probe:
    host, port = _place(word, rest.removeprefix("//"), None)
    return Probe("tcp", word, host, port)


def _unix(word: str, rest: str) -> Probe:
    return Probe("tcp", word, path=_absolute(word, rest.removeprefix("//")))


def _http(word: str, rest: str) -> Probe:
    authority, slash, target = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or "@" in authority:
        raise ValueError(f"{word!r}: write http://ADDRESS[:PORT]/PATH, without user and password")
    host, port = _place(word, authority, HTTP_PORT)
    return Probe("http", word, host, port, target=_target(word, slash + target))


def _http_unix(word: str, rest: str) -> Probe:
    path, colon, target = rest.removeprefix("//").partition(":")
    if not colon:
        raise ValueError(f"{word!r}: write http+unix:/path/of/socket:/PATH")
    return Probe("http", word, path=_absolute(word, path), target=_target(word, target))


def _target(word: str, text: str) -> str:
    """What stands in the request line: nothing that could end it."""
    target = text.partition("#")[0] or "/"
    if not target.startswith("/") or not target.isascii() or not target.isprintable() or " " in target:
        raise ValueError(f"{word!r}: the path begins with / and is plain ASCII without blanks; encode others as %XX")
    return target


def _https(word: str, rest: str) -> Probe:
    raise ValueError(f"{word!r}: PID 1 speaks no TLS; write exec:curl -fsS {word} or ask a plain port")


def _exec(word: str, rest: str) -> Probe:
    try:
        argv = tuple(split(rest))
    except ValueError as fault:
        raise ValueError(f"{word!r}: {fault}") from None
    if not argv:
        raise ValueError(f"{word!r}: write the command behind exec:")
    return Probe("exec", word, argv=argv)


def _file(word: str, rest: str) -> Probe:
    return Probe(word.partition(":")[0].lower(), word, path=_absolute(word, rest))


def _absolute(word: str, path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"{word!r}: write an absolute path")
    return path


def _log(word: str, rest: str) -> Probe:
    if not rest or len(rest) > PROBE_PATTERN_CHARS:
        raise ValueError(f"{word!r}: write the text of the line, * and ? stand for any, "
                         f"at most {PROBE_PATTERN_CHARS} characters")  # fmt: skip
    return Probe("log", word, path=rest)


def _place(word: str, text: str, usual: int | None) -> tuple[str, int]:
    """Host and port; a v6 address stands in brackets, or before the last colon."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif ":" in text:
        host, _, port = text.rpartition(":")
    number = _port(word, port, usual)
    if host == "localhost":
        return LOCALHOST, number
    if not (_is_v4(host) or _is_v6(host)):
        raise ValueError(f"{word!r}: {host!r} is no address; {CURE}")
    return host, number


def _port(word: str, text: str, usual: int | None) -> int:
    if not text and usual is not None:
        return usual
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:6]) < 65536:
        raise ValueError(f"{word!r}: write a port, 1 to 65535, behind the address")
    return int(text)


def _is_v4(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(part.isascii() and part.isdecimal() and int(part[:4]) < 256 for part in parts)


def _is_v6(host: str) -> bool:
    """Groups of hex digits, `::` at most once, perhaps a v4 address at the end; the kernel judges the rest."""
    head, _, tail = host.rpartition(":")
    groups = f"{head}:0:0" if "." in tail and _is_v4(tail) else host
    if groups.count("::") > 1 or ":::" in groups or ":" not in groups:
        return False
    parts = groups.split(":")
    known = [part for part in parts if part]
    fits = len(known) < 8 if "::" in groups else len(known) == len(parts) == 8
    return fits and all(len(part) <= 4 and not part.strip("0123456789abcdefABCDEF") for part in known)


READERS: dict[str, Callable[[str, str], Probe]] = {
    "fd": _fd,
    "sd_notify": _alone,
    "watchdog": _alone,
    "tcp": _tcp,
    "unix": _unix,
    "http": _http,
    "http+unix": _http_unix,
    "https": _https,
    "exec": _exec,
    "file": _file,
    "exists": _file,
    "log": _log,
}
ALONE = ("sd_notify", "watchdog")
FORMS = (
    "tcp:ADDRESS:PORT", "unix:/PATH", "http://ADDRESS[:PORT]/PATH", "http+unix:/SOCKET:/PATH", "exec:COMMAND",
    "file:/PATH", "exists:/PATH", "log:TEXT", "fd:NUMBER", "sd_notify", "watchdog",
)  # fmt: skip
"""Every form, for people."""
