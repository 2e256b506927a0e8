"""supervisorctl's command line and the [supervisorctl] section of its file."""

from __future__ import annotations

import getopt
import os
import sys
from urllib.parse import urlparse

from initd.config import find
from initd.config.expand import environment_names, expand
from initd.config.ini import Document, read, text_of
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL = "http://localhost:9001"
SHORT = "h?c:is:u:p:r:"
LONG = [
    "help", "configuration=", "interactive", "serverurl=", "username=", "password=", "history_file=", "history-file=",
]  # fmt: skip
NAMES = {
    "-c": "file", "--configuration": "file", "-s": "url", "--serverurl": "url", "-u": "username",
    "--username": "username", "-p": "password", "--password": "password", "-r": "history_file",
    "--history_file": "history_file", "--history-file": "history_file", "-i": "interactive",
    "--interactive": "interactive",
}  # fmt: skip


class Usage(Exception):
    """The command line or the file makes no sense; the text says why, as the original does."""


class Options(Record):
    """What to do, where, and as whom."""

    words: tuple[str, ...]
    help: bool = False
    interactive: bool = False
    url: str = DEFAULT_URL
    url_from: str = ""
    """`-s`, `file`, or "" where nobody says: then initd itself is asked."""
    username: str | None = None
    password: str | None = None
    prompt: str = "supervisor"
    history_file: str | None = None
    socket: str | None = None
    """initd's control socket, where the file names it."""


def parse(argv: list[str], environ: Mapping[str, str]) -> Options:
    """Read the command line and the file it leads to.  Raises Usage."""
    try:
        pairs, words = getopt.getopt(argv, SHORT, LONG)
    except getopt.GetoptError as error:
        raise Usage(str(error)) from None
    given: dict[str, str] = {}
    for option, value in pairs:
        if option in ("-h", "-?", "--help"):
            return Options((), help=True)
        if NAMES[option] in given:
            raise Usage(f"conflicting command line option {option!r}")
        given[NAMES[option]] = value
    if "url" in given:
        _check_url(given["url"])
    path = given.get("file") or find(os.path.join(sys.prefix, "bin"), os.getcwd())
    said = _file(path, environ) if path is not None else {}
    return _options(words, given, said)


def _options(words: list[str], given: dict[str, str], said: dict[str, str]) -> Options:
    chosen = {**said, **{name: value for name, value in given.items() if name not in ("file", "interactive")}}
    source = "-s" if "url" in given else "file" if "url" in said else ""
    return Options(tuple(words), interactive="interactive" in given or not words, url_from=source, **chosen)  # type: ignore[arg-type]


def _check_url(url: str) -> None:
    scheme, place, path, *_ = urlparse(url)
    if not scheme or not (place or path):
        raise Usage(f"invalid value for -s {url!r}: value {url!r} is not a URL")


def _file(path: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What the file says of supervisorctl and of initd's socket.  Raises Usage."""
    if not os.path.exists(path):
        raise Usage(f"could not find config file {path}")
    document = Document()
    try:
        read(document, text_of(path), path)
    except (OSError, ValueError):
        raise Usage(f"could not read config file {path}") from None
    if document.errors:
        raise Usage(str(document.errors[0]))
    here = os.path.dirname(normal_path(path))
    names = {**environment_names(environ), "here": here}
    found = _section(document, "supervisorctl", names)
    socket = _section(document, "initd", names).get("socket")
    said = {name: found[option] for option, name in FROM_FILE.items() if option in found}
    if said.get("url", "").startswith("unix://"):
        said["url"] = f"unix://{normal_path(said['url'][7:])}"
    if "history_file" in said:
        said["history_file"] = normal_path(said["history_file"])
    return {**said, "socket": socket} if socket else said


FROM_FILE = {
    "serverurl": "url", "prompt": "prompt", "username": "username", "password": "password",
    "history_file": "history_file",
}  # fmt: skip


def _section(document: Document, name: str, names: dict[str, object]) -> dict[str, str]:
    section = document.sections.get(name)
    if section is None:
        return {}
    options = document.options(section)
    wanted = [*FROM_FILE, "socket"]
    try:
        return {option: expand(value[0], names) for option, value in options.items() if option in wanted}
    except ValueError as error:
        raise Usage(str(error)) from None


def normal_path(path: str) -> str:
    """Absolute, with ~ expanded."""
    return os.path.normpath(os.path.abspath(os.path.expanduser(path)))
