"""supervisorctl's shell: a line to an action, its output and exit status; and the conversation on a terminal."""

from __future__ import annotations

import errno
import sys
from string import ascii_letters, digits

from initd.compat.rpc_words import API_VERSION, NAMES, Fault
from initd.compat.supervisorctl_reach import HttpError, Remote
from initd.compat.supervisorctl_statuses import DEAD, GENERIC, NOT_INSTALLED, REFUSED, UNIMPLEMENTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from initd.compat.supervisorctl_options import Options
    from initd.compat.supervisorctl_reach import Server

DEAD_FAULTS = ("SPAWN_ERROR", "ABNORMAL_TERMINATION", "NOT_RUNNING")
WORD = ascii_letters + digits + "_"


class Shell:
    """One session: where it talks to, what it can do, and what it will exit with."""

    def __init__(self, options: Options, server: Server, actions: Mapping[str, Callable[[Shell, str], object]]) -> None:
        self.options = options
        self.server = server
        self.actions = actions
        self.url = options.url
        self.username, self.password = options.username, options.password
        self.status = 0

    def out(self, text: str) -> None:
        """One line for people or scripts."""
        sys.stdout.write(f"{text}\n")

    def call(self, method: str, *args: object) -> Any:
        """The result of `supervisor.METHOD`.  Raises Fault, HttpError, OSError."""
        return self.server.call(f"supervisor.{method}", *args)

    def fail(self, status: int = GENERIC) -> None:
        """This will be the exit status."""
        self.status = status

    def fail_for(self, code: int, ignored: str = "") -> None:
        """The exit status that a fault means."""
        name = NAMES.get(code, "")
        if name not in (ignored, "SUCCESS"):
            self.fail(DEAD if name in DEAD_FAULTS else GENERIC)

    def open(self, url: str) -> None:
        """Talk to another server."""
        self.url = url
        self.server = Remote(url, self.username, self.password)

    def is_up(self) -> bool:
        """Whether the server is there and speaks our version; says why not."""
        try:
            version = self.call("getVersion")
        except Fault as fault:
            if fault.name != "UNKNOWN_METHOD":
                self.fail()
                raise
            self.out(NO_INTERFACE)
            self.fail(UNIMPLEMENTED)
            return False
        except OSError as error:
            return self._explain(error)
        if version != API_VERSION:
            self.out(OTHER_VERSION % (API_VERSION, version))
            self.fail(NOT_INSTALLED)
        return bool(version == API_VERSION)

    def _explain(self, error: OSError) -> bool:
        if error.errno == errno.ECONNREFUSED:
            self.out(f"{self.url} refused connection")
            self.fail(REFUSED)
        elif error.errno == errno.ENOENT:
            self.out(f"{self.url} no such file")
            self.fail(DEAD)
        else:
            self.fail()
            raise error
        return False

    # Lines

    def execute(self, line: str) -> bool:
        """Carry out one line; whether it ends the session."""
        line = line.strip()
        name, rest = split_line(line)
        if not line:
            return False
        action = self.actions.get(name)
        if action is None:
            self.out(f"*** Unknown syntax: {line}")
            self.fail()
            return False
        try:
            return bool(action(self, rest))
        except HttpError as error:
            return self._on_refusal(error, line)
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:
            self._tell(error)
            return False

    def _on_refusal(self, error: HttpError, line: str) -> bool:
        self.fail()
        if error.status != 401:
            self.out(f"error: <class 'xmlrpc.client.ProtocolError'>, <ProtocolError for {self.url}: {error}>")
            return False
        self.out("Server requires authentication")
        if not self.options.interactive:
            return False
        from getpass import getpass

        self.username = input("Username:")
        self.password = getpass(prompt="Password:")
        self.out("")
        self.open(self.url)
        return self.execute(line)

    def _tell(self, error: Exception) -> None:
        """What nobody expected: one line."""
        kind = f"{type(error).__module__}.{type(error).__name__}".removeprefix("builtins.")
        told = f"<Fault {error.code}: {error.text!r}>" if isinstance(error, Fault) else str(error)
        self.out(f"error: <class '{'xmlrpc.client.Fault' if isinstance(error, Fault) else kind}'>, {told}")
        self.fail()

    def ask(self, question: str) -> bool:
        """Whether a person says yes; in a script nobody is asked."""
        return not self.options.interactive or input(question).lower().startswith("y")

    # Conversation

    def converse(self) -> None:
        """Read lines until the end; the first thing shown is the status."""
        _prepare_editing(self)
        try:
            over = self.execute("status")
            while not over:
                try:
                    line = input(f"{self.options.prompt}> ")
                except EOFError:
                    self.out("")
                    return
                over = self.execute(line)
        except KeyboardInterrupt:
            self.out("")


def split_line(line: str) -> tuple[str, str]:
    """Action and the rest, as Python's cmd module reads a line."""
    if line.startswith("?"):
        line = f"help {line[1:]}"
    end = next((place for place, char in enumerate(line) if char not in WORD), len(line))
    return line[:end], line[end:].strip()


def _prepare_editing(shell: Shell) -> None:
    """History and completion, where this Python has readline."""
    try:
        import readline
    except ImportError:
        return
    from initd.compat.supervisorctl_complete import completer

    readline.set_completer_delims("".join(c for c in readline.get_completer_delims() if c not in ":*-"))
    readline.set_completer(completer(shell, readline.get_line_buffer))
    readline.parse_and_bind("tab: complete")
    path = shell.options.history_file
    if path:
        import atexit

        try:
            readline.read_history_file(path)
        except OSError:
            pass
        atexit.register(_keep_history, path)


def _keep_history(path: str) -> None:
    import readline

    try:
        readline.write_history_file(path)
    except OSError:
        pass


OTHER_VERSION = (
    "Sorry, this version of supervisorctl expects to talk to a server with API version %s, but the remote version "
    "is %s."
)
NO_INTERFACE = (
    "Sorry, supervisord responded but did not recognize the supervisor namespace commands that supervisorctl uses to "
    "control it.  Please check that the [rpcinterface:supervisor] section is enabled in the configuration file "
    "(see sample.conf)."
)
