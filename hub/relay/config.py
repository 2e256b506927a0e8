"""The relay's configuration, `[relay]` in a file of its own: one declared table of options."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping

from hub.engines.api import address_problem
from hub.ini import ConfigError, Line, Option, Problems, read_file, read_sections, read_values
from hub.relay.guard import ALL_VERBS, SIGNALS, Rules
from hub.typed import maybe, text
from wire import limits
from wire._record import Record
from wire.keys import JoinString, KeyFault

LOCAL_ENGINES = ("/var/run/docker.sock", "/run/podman/podman.sock")
"""Where the engines put their sockets; the first that is there is used where none is named."""
JOIN_FILE, JOIN, JOIN_SECRET = "PIDONE_JOIN_FILE", "PIDONE_JOIN", "/run/secrets/pidone_join"


class RelayConfig(Record):
    """The whole configuration, checked."""

    engine: str
    """unix:///path."""
    name: str
    mode: str
    state_dir: str
    join_file: str
    """"" = the join string is in the environment."""
    rules: Rules


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", value) if word)


def _verbs(value: str) -> frozenset[str]:
    words = frozenset(_words(value))
    if not words or (words - ALL_VERBS and words != {"none"}):
        raise ValueError(f"must be none, or some of {', '.join(sorted(ALL_VERBS))}")
    return words - {"none"}


def _signals(value: str) -> frozenset[str]:
    words = frozenset(word.upper().removeprefix("SIG") for word in _words(value))
    if words - SIGNALS:
        raise ValueError(f"{sorted(words - SIGNALS)[0]!r:.20} is none of {', '.join(sorted(SIGNALS))}")
    return words


def _mode(value: str) -> str:
    if value not in ("auto", "poll", "stream", "agent"):
        raise ValueError("must be auto, poll, stream or agent")
    return value


def _local(value: str) -> str:
    if not value:
        found = [path for path in LOCAL_ENGINES if os.path.exists(path)]
        return f"unix://{(found or LOCAL_ENGINES)[0]}"
    if not value.startswith("unix://") or address_problem(value, None):
        raise ValueError("must be unix:///PATH of a local socket; the hub asks a remote engine itself, by TLS")
    return value


OPTIONS = (
    Option("engine", _local, "", "unix:///PATH of the engine's socket; else Docker's, else Podman's, if it is there"),
    Option("name", maybe, "", "name to ask the hub for; else the host's name"),
    Option("join_file", maybe, "", "file with the join string; else PIDONE_JOIN_FILE, a secret, or PIDONE_JOIN"),
    Option("state_dir", text, "/var/lib/pidone-relay", "where its key is kept; else, not writable, in memory"),
    Option("verbs", _verbs, " ".join(sorted(ALL_VERBS)), "what the hub may do to containers: some of these, or none"),
    Option("signals", _signals, "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH", "signals that kill may send"),
    Option("mode", _mode, "auto", "where container figures come from: auto, poll, stream, agent"),
)  # fmt: skip


def load(path: str | None, environ: Mapping[str, str] = os.environ) -> RelayConfig:
    """The configuration of this file, or the defaults; raises ConfigError with every problem."""
    return parse("(defaults)" if path is None else path, "" if path is None else read_file(path), environ)


def parse(path: str, content: str, environ: Mapping[str, str]) -> RelayConfig:
    """As `load`, for text at hand."""
    problems = Problems(path)
    lines = read_sections(content, problems, "relay", "[relay]").get("relay", {})
    values = read_values("relay", OPTIONS, lines, problems)
    joined = str(values.get("join_file", "")) or _join_file(environ)
    if "join_file" in lines and not os.path.isfile(joined):
        problems.add(lines["join_file"].number, f"join_file: no file {joined}")
    elif not joined and not environ.get(JOIN):
        line = lines.get("", Line(1, "")).number
        problems.add(line, "no join string: set join_file=, made with: hubctl token create --relay > FILE")
    if problems.found:
        raise ConfigError(problems.told())
    name = values["name"] or socket.gethostname()
    rules = Rules(values["verbs"], values["signals"])
    return RelayConfig(values["engine"], name, values["mode"], values["state_dir"], joined, rules)


def _join_file(environ: Mapping[str, str]) -> str:
    named = environ.get(JOIN_FILE, "")
    return named or (JOIN_SECRET if os.path.isfile(JOIN_SECRET) else "")


def read_join(config: RelayConfig, environ: Mapping[str, str] = os.environ) -> JoinString:
    """The join string as it is now; raises KeyFault, which names the file where there is one."""
    if not config.join_file:
        return JoinString.parse(environ.get(JOIN, ""))
    try:
        with open(config.join_file, "rb") as file:
            content = file.read(limits.JOIN_CHARS + 64).decode("utf-8", "replace")
    except OSError as error:
        raise KeyFault(f"join string: {config.join_file}: {error.strerror}") from None
    try:
        return JoinString.parse(content)
    except KeyFault as fault:
        raise KeyFault(f"{config.join_file}: {fault}") from None
