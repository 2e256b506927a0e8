"""The inits that bench/init.py compares: how each is told what to run, and which Debian package brings it.

initd and supervisord read the same file, but for supervisord's server: initd answers without one.  s6 and runit get
directories with `exec` scripts, as people write them.  tini and dumb-init run one program and restart nothing, so they
stand beside `initd -- COMMAND`, which does the same work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Program(NamedTuple):
    """What is to be run."""

    name: str
    argv: tuple[str, ...]

    @property
    def command(self) -> str:
        """For a shell or an ini file; no word of ours needs quoting."""
        return " ".join(self.argv)


class Peer(ABC):
    """One init.  `base` names the peer that 1.0 stands for in its ratios."""

    name: str
    base: str = "initd"
    single = False
    """Runs one program, restarts nothing."""
    package: str | None = None
    """Debian package, None where script/prepare venv brings it."""
    binary: str

    def path(self) -> str | None:
        """The command, None where it is not installed."""
        return shutil.which(self.binary)

    def version(self) -> str:
        """What it says of itself, else what its package says."""
        return debian_version(self.package) if self.package else said_by(self.path() or self.binary, "--version")

    @abstractmethod
    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        """Write what it reads; returns the argv of PID 1."""


class Initd(Peer):
    """This product, by the launcher that a person calls."""

    name = binary = "initd"
    server = False
    """Whether its file has an [unix_http_server]; its own control socket it has in any case."""

    def __init__(self, path: str | None = None, name: str = "") -> None:
        self._path = path or str(ROOT / "bin" / "initd")
        self.name = name or self.name

    def path(self) -> str | None:
        return shutil.which(self._path)

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self._path, "-c", str(write_ini(directory, programs, self.server))]


class InitdRpc(Initd):
    """With the server for supervisor's XML-RPC, which is a process of its own."""

    name = "initd+rpc"
    server = True


class InitdSingle(Initd):
    """The same in single-command mode."""

    name = base = "initd --"
    single = True

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self._path, "--", *programs[0].argv]


class FloorPy(Peer):
    """The least init in Python: what initd is measured by."""

    name = "floor-py"
    binary = "/usr/bin/python3"

    def version(self) -> str:
        return f"bench/init_floor.py under {said_by(self.binary, '--version')}"

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self.binary, "-IS", str(ROOT / "bench" / "init_floor.py"), str(write_list(directory, programs))]


class FloorC(Peer):
    """The same in C; `directory` is where init_space.compile_probe has put it."""

    name = "floor-c"

    def __init__(self, directory: Path) -> None:
        self.binary = str(directory / "init_floor")

    def version(self) -> str:
        return "bench/init_floor.c"

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self.binary, str(write_list(directory, programs))]


class Circus(Peer):
    """circusd of .venv/peers (script/prepare peers)."""

    name = "circus"
    binary = str(ROOT / ".venv" / "peers" / "bin" / "circusd")

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        text = [
            f"[circus]\nendpoint = ipc://{directory}/endpoint\npubsub_endpoint = ipc://{directory}/pubsub\n"
            "warmup_delay = 0\n"
        ]
        for one in programs:
            text.append(f"[watcher:{one.name}]\ncmd = {one.command}\nwarmup_delay = 0\nmax_retry = -1\n")
        path = directory / "circus.ini"
        path.write_text("".join(text))
        return [self.binary, str(path)]


class Supervisord(Peer):
    """supervisord of .venv, in the foreground as a container runs it."""

    name = "supervisord"
    binary = str(ROOT / ".venv" / "bin" / "supervisord")

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self.binary, "-c", str(write_ini(directory, programs, server=True))]


class S6(Peer):
    """s6-svscan as PID 1, an s6-supervise beside each program."""

    name = package = "s6"
    binary = "s6-svscan"

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self.path() or self.binary, str(write_services(directory, programs))]


class Runit(Peer):
    """runsvdir as PID 1, a runsv beside each program."""

    name = package = "runit"
    binary = "runsvdir"

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self.path() or self.binary, "-P", str(write_services(directory, programs))]


class Tini(Peer):
    """docker run --init."""

    name = package = binary = "tini"
    base = "initd --"
    single = True

    def prepare(self, directory: Path, programs: list[Program]) -> list[str]:
        return [self.path() or self.binary, "--", *programs[0].argv]


class DumbInit(Tini):
    """Yelp's; signals the whole session."""

    name = package = binary = "dumb-init"


def peers(initd: str | None, other: str | None) -> list[Peer]:
    """All that could take part, supervisors first; `initd` is a launcher to measure instead of bin/initd.

    `other` is a second one, of an earlier version or another installation.
    """
    others = [Initd(other, "other initd")] if other else []
    ours, single = [Initd(initd), *others, FloorPy()], [InitdSingle(initd), Tini(), DumbInit()]
    return [*ours, Supervisord(), Circus(), S6(), Runit(), *single]


def write_ini(directory: Path, programs: list[Program], server: bool) -> Path:
    """A file as people write it for containers: foreground, programs' output to the container's streams.

    `server`: with the section that makes `status` and `restart` possible with supervisord.
    """
    text = [
        "[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
        f"pidfile={directory}/pid\nchildlogdir={directory}\n"
    ]
    if server:
        text.append(
            f"[unix_http_server]\nfile={directory}/supervisor.sock\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        )
    for program in programs:
        streams = "".join(f"{s}_logfile=/dev/{s}\n{s}_logfile_maxbytes=0\n" for s in ("stdout", "stderr"))
        text.append(f"[program:{program.name}]\ncommand={program.command}\nautorestart=true\n{streams}")
    path = directory / "programs.ini"
    path.write_text("".join(text))
    return path


def write_list(directory: Path, programs: list[Program]) -> Path:
    """One program a line, as the floors read it."""
    path = directory / "programs"
    path.write_text("".join(f"{program.command}\n" for program in programs))
    return path


def write_services(directory: Path, programs: list[Program]) -> Path:
    """One directory with a `run` script a program."""
    root = directory / "services"
    for program in programs:
        run = root / program.name / "run"
        run.parent.mkdir(parents=True)
        run.write_text(f"#!/bin/sh\nexec {program.command}\n")
        run.chmod(0o755)
    return root


def said_by(*command: str) -> str:
    """First line of a command's output."""
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.defpath})
    return (result.stdout or result.stderr).strip().partition("\n")[0] or "unknown"


def debian_version(package: str) -> str:
    """Version of an installed Debian package, else `unknown`."""
    try:
        return said_by("dpkg-query", "-W", "-f", "${Version}", package)
    except OSError:
        return "unknown"
