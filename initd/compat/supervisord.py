"""supervisord's own command line: what an image's CMD or entrypoint calls finds initd under that name.

Flags beat the file, as there.  What differs: `--profile_options` is taken and does nothing.

In the foreground or not?  PID 1 stays, whatever the file says: a container ends with it, so an image that forgot
nodaemon=true works.  Anybody else who asked for neither -n nor nodaemon=true expects to get the prompt back, and
scripts go on behind `supervisord -c FILE`: there it leaves the foreground as supervisord does, with a session of its
own, the directory and umask of the file, standard streams on /dev/null and its own lines in the logfile, which then
is the default one where none is named.  The caller gets the prompt when programs are started and the sockets are
there (or initd failed), so that `supervisord && supervisorctl status` works at once.

Where somebody answers already at an address of the file's servers, that is most likely the first of two: outside PID 1
the second one is refused, as by the original, or each program would run twice.
"""

from __future__ import annotations

import os
import sys

from initd.config.fields import DAEMON
from initd.config.values import TYPES
from initd.errors import DONE, USAGE, OperatorError
from initd.options import Options
from initd.prefix import version
from initd.single.words import read
from initd.users import uid_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.records import Config

    Settings = tuple[tuple[str, object], ...]

SUPERVISOR = "4.3.0"
"""The version of supervisord whose behaviour this is."""

LONG = {
    "configuration": "c", "nodaemon": "n", "silent": "s", "help": "h", "version": "v", "user": "u", "umask": "m",
    "directory": "d", "logfile": "l", "logfile_maxbytes": "y", "logfile_backups": "z", "loglevel": "e", "pidfile": "j",
    "identifier": "i", "childlogdir": "q", "nocleanup": "k", "minfds": "a", "strip_ansi": "t", "minprocs": "P",
    "profile_options": "O",
}  # fmt: skip
FLAGS = "nshvkt"
"""Those that take no value."""

SHORT = {letter: letter not in FLAGS for letter in LONG.values() if letter not in "PO"} | {"P": True, "O": True}
NAMES = {letter: name for name, letter in LONG.items()}
OURS = ("c", "h", "v", "e", "O")
"""Those that are no option of the file, or go another way."""

HELP = f"""\
supervisord (initd {{version}}) -- run a set of programs

usage: supervisord [OPTION...]

  -c, --configuration FILE     the configuration; searched for where it is not given
  -n, --nodaemon               stay in the foreground (PID 1 always does)
  -s, --silent                 silent=true
  -u, --user USER              run as this user, a name or a number
  -m, --umask UMASK            umask of a daemon, octal (022)
  -d, --directory DIRECTORY    where a daemon goes
  -l, --logfile FILE           initd's own lines
  -y, --logfile_maxbytes SIZE  rotate it at this size
  -z, --logfile_backups N      and keep so many
  -e, --loglevel LEVEL         critical, error, warn, info, debug, trace, blather
  -j, --pidfile FILE           where the pid is written
  -i, --identifier TEXT        name of this instance, which event listeners are told
  -q, --childlogdir DIRECTORY  where AUTO logs go
  -k, --nocleanup              keep the AUTO logs of an earlier run
  -a, --minfds N               file descriptors that must be allowed
  -t, --strip_ansi             take escape sequences out of what programs write
      --minprocs N             processes that must be allowed
      --profile_options TEXT   accepted, without effect
  -h, --help   -v, --version

examples:
  supervisord -n -c /etc/supervisord.conf
  supervisord && supervisorctl status
  CMD ["supervisord"]          as PID 1 it stays in the foreground by itself

exit status: 0 after an orderly stop, {USAGE} for a command line or configuration with errors
"""

READY_SECONDS = 30.0
"""How long the caller waits for a daemon that does not come up."""


def main(argv: list[str]) -> int:
    """Run a command line without its first word; returns the exit status."""
    try:
        found, rest = _read(argv)
        if "h" in found:
            return _print(HELP.format(version=version()))
        if "v" in found:
            return _print(f"{SUPERVISOR}\n")
        if rest:
            raise OperatorError(f"positional arguments are not supported: {rest}")
        options = _options(found)
    except OperatorError as error:
        return _refuse(str(error))
    from initd.daemon import run

    return run(options)


def _read(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """The last value of each letter, and the other words.  Raises OperatorError."""
    pairs, rest = read(argv, SHORT, LONG)
    return dict(pairs), rest


def _options(found: dict[str, str]) -> Options:
    """What the flags come to.  Raises OperatorError."""
    settings = tuple((NAMES[letter], _value(letter, text)) for letter, text in found.items() if letter not in OURS)
    path = found.get("c")
    if path is not None and not os.path.exists(path):
        raise OperatorError(f"could not find config file {path}")
    level = _value("e", found["e"]) if "e" in found else None
    path = None if path is None else os.path.abspath(path)
    return Options(path, None if level is None else str(level), settings, None if os.getpid() == 1 else Background())


def _value(letter: str, text: str) -> object:
    """A flag's value, typed as the file's option of that name.  Raises OperatorError."""
    name = NAMES[letter]
    if letter in FLAGS:
        return True
    try:
        value = TYPES[DAEMON[name][0]](text)
        if name == "user" and uid_of(text) is None:
            raise ValueError(f"there is no user {text!r} here")
    except ValueError as fault:
        raise OperatorError(f"invalid value for --{name}: {fault}") from None
    return value


class Background:
    """Leaves the foreground once the configuration is known to be good, unless that says to stay."""

    def __init__(self) -> None:
        self._ready = -1

    def leave(self, config: Config) -> Settings:
        """Go on in another process, if at all; the settings a daemon has besides.  Raises OSError, OperatorError."""
        for server in config.servers:
            if _is_taken(server.address):
                raise OperatorError(
                    f"[{server.section}] another program listens at {server.address} already: stop it before starting "
                    "supervisord, or name another address"
                )
        if config.daemon.nodaemon:
            return ()
        waiting, self._ready = os.pipe2(os.O_CLOEXEC)
        if os.fork() != 0:
            os.close(self._ready)
            os._exit(_wait(waiting))
        os.close(waiting)
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        os.umask(config.daemon.umask)
        if config.daemon.directory is not None:
            os.chdir(config.daemon.directory)
        return (
            ("logfile", os.path.abspath(config.daemon.logfile)),
            ("pidfile", os.path.abspath(config.daemon.pidfile)),
        )

    def settle(self) -> None:
        """Programs are started, sockets are there: let the caller go."""
        if self._ready < 0:
            return
        os.write(self._ready, b"\0")
        os.close(self._ready)
        self._ready = -1


def _is_taken(address: str) -> bool:
    """Whether somebody accepts connections there; what only a resolver knows counts as free."""
    import _socket  # the C half: the daemon that follows needs no more
    import errno

    from initd.rpc.sockets import LOCAL, is_looked_up

    host, _, port = address.rpartition(":")
    family = _socket.AF_UNIX if address.startswith("/") else _socket.AF_INET
    probe = _socket.socket(family, _socket.SOCK_STREAM)
    probe.setblocking(False)
    try:
        if family == _socket.AF_UNIX:
            return probe.connect_ex(address) in (0, errno.EAGAIN)
        if is_looked_up(address):
            return False
        probe.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1" if host == LOCAL else host, int(port)))
        probe.listen(1)
        return False
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    finally:
        probe.close()


def _wait(waiting: int) -> int:
    """The caller's exit status: 0 when a daemon is there, as it says; 2 if it ended before that."""
    import select

    ready = select.poll()
    ready.register(waiting, select.POLLIN)
    return DONE if not ready.poll(READY_SECONDS * 1000) or os.read(waiting, 1) else USAGE


def _print(text: str) -> int:
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()
    return DONE


def _refuse(text: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"Error: {text}\nFor help, use supervisord -h\n")
    return USAGE
