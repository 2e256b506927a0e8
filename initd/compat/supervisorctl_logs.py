"""Actions on output and input: tail, maintail, fg."""

from __future__ import annotations

import sys
import threading
from codecs import getincrementaldecoder

from initd.compat.rpc_words import Fault
from initd.compat.supervisorctl_help import HELP
from initd.compat.supervisorctl_reach import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.compat.supervisorctl_shell import Shell

BYTES = 1600
"""Of a log that are shown where nobody says how many."""

LEAVE = "==> Press Ctrl-C to exit <=="
TAIL_ERRORS = {"NO_FILE": "no log file", "FAILED": "unknown error reading log", "BAD_NAME": "no such process name"}


def _wrong(shell: Shell, text: str, action: str = "") -> None:
    shell.out(f"Error: {text}")
    shell.fail()
    if action:
        shell.out(HELP[action])


def _check_encoding(shell: Shell) -> None:
    encoding = getattr(sys.stdout, "encoding", None) or ""
    if encoding and not encoding.lower().startswith("utf"):
        shell.out(
            f"Warning: sys.stdout.encoding is set to {encoding}, so Unicode output may fail. Check your LANG and "
            "PYTHONIOENCODING environment settings."
        )


def tail(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    words = rest.split()
    if not 1 <= len(words) <= 3:
        _wrong(shell, f"too {'many' if words else 'few'} arguments", "tail")
        return
    modifier = words.pop(0) if words[0].startswith("-") else ""
    if not words:
        _wrong(shell, "tail requires process name")
        return
    name, stream = words[0], "stdout" if len(words) == 1 else words[-1].lower()
    if stream not in ("stderr", "stdout"):
        _wrong(shell, f"bad channel {stream!r}")
    elif modifier == "-f":
        _follow(shell, f"/logtail/{name}/{stream}")
    else:
        _show_end(shell, modifier, name, f"readProcess{stream.capitalize()}Log", (name,))


def maintail(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    words = rest.split()
    if len(words) > 1:
        _wrong(shell, "too many arguments", "maintail")
    elif words and not words[0].startswith("-"):
        _wrong(shell, f"bad argument {words[0]}")
    elif words == ["-f"]:
        _follow(shell, "/mainlogtail")
    else:
        _show_end(shell, words[0] if words else "", "supervisord", "readLog", ())


def _show_end(shell: Shell, modifier: str, name: str, method: str, args: tuple[object, ...]) -> None:
    try:
        count = int(modifier[1:]) if modifier else BYTES
    except ValueError:
        _wrong(shell, f"bad argument {modifier}")
        return
    if method != "readLog":
        _check_encoding(shell)
    try:
        text = shell.call(method, *args, -count, 0)
    except Fault as fault:
        shell.fail()
        if fault.name not in TAIL_ERRORS or (fault.name == "BAD_NAME" and not args):
            raise
        shell.out(f"{name}: ERROR ({TAIL_ERRORS[fault.name]})")
        return
    shell.out(text)


def _follow(shell: Shell, path: str) -> None:
    _check_encoding(shell)
    shell.out(LEAVE)
    sys.stdout.flush()
    try:
        _copy(shell, path)
    except KeyboardInterrupt:
        shell.out("")


def _copy(shell: Shell, path: str) -> None:
    """Write what a log has and gets to stdout, until the server ends it."""
    decoder = getincrementaldecoder("utf-8")("backslashreplace")
    url = f"{shell.url}{path}"
    try:
        for piece in shell.server.follow(path):
            sys.stdout.write(decoder.decode(piece))
            sys.stdout.flush()
    except HttpError as error:
        sys.stderr.write(f"{url} Cannot read, status code {error.status}\n")
    except OSError as error:
        kind = f"{type(error).__module__}.{type(error).__name__}".removeprefix("builtins.")
        sys.stderr.write(f"{url} Cannot connect, error: <class '{kind}'> ({error})\n")


def fg(shell: Shell, rest: str) -> None:
    if not shell.is_up():
        return
    names = rest.split()
    if len(names) != 1:
        shell.out(f"ERROR: {'too many process names' if names else 'no process name'} supplied")
        shell.fail()
        if not names:
            shell.out(HELP["fg"])
        return
    if _is_running(shell, names[0]):
        _converse(shell, names[0])


def _is_running(shell: Shell, name: str) -> bool:
    try:
        info = shell.call("getProcessInfo", name)
    except Fault as fault:
        if fault.name != "BAD_NAME":
            shell.out(f"ERROR: <Fault {fault.code}: {fault.text!r}>")
            return False
        shell.out("ERROR: bad process name supplied")
        shell.fail()
        return False
    if info["statename"] != "RUNNING":
        shell.out("ERROR: process not running")
        shell.fail()
    return bool(info["statename"] == "RUNNING")


def _converse(shell: Shell, name: str) -> None:
    """What the process writes is shown, what the person types is given to it."""
    shell.out(LEAVE)
    sys.stdout.flush()
    for stream in ("stdout", "stderr"):
        threading.Thread(target=_copy, args=(shell, f"/logtail/{name}/{stream}"), daemon=True).start()
    try:
        while _pass_on(shell, name, input() + "\n"):
            pass
    except (KeyboardInterrupt, EOFError):
        pass
    shell.out("Exiting foreground")


def _pass_on(shell: Shell, name: str, line: str) -> bool:
    """Give a line to the process; whether it is still there."""
    try:
        shell.call("sendProcessStdin", name, line)
        if shell.call("getProcessInfo", name)["statename"] == "RUNNING":
            return True
    except Fault as fault:
        if fault.name != "NOT_RUNNING":
            shell.out(f"ERROR: <Fault {fault.code}: {fault.text!r}>")
            return False
    shell.out("Process got killed")
    return False
