"""A PID namespace with an init to be measured in it, and what can be seen of it from outside.

`Space` starts an init as PID 1 (`unshare`), reads what the programs say on a FIFO (see init_probe.c), kills, signals
and looks into /proc.  Leaving the `with` block kills PID 1 and so, by the kernel, its whole namespace; so does the end
of this process, however it ends.  All times are seconds of CLOCK_MONOTONIC, which namespaces share.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import NamedTuple, Self

PATIENCE = 40.0
"""Seconds after which a wait is given up; an init that needs longer is reported as "longer than this"."""


class GaveUp(Exception):
    """What was awaited did not happen within PATIENCE."""


class Word(NamedTuple):
    """One line of the FIFO."""

    kind: str
    name: str
    at: float


class Memory(NamedTuple):
    """Bytes.  `anonymous` is the part of `pss` that no other process could share."""

    pss: int
    anonymous: int


def compile_probe(directory: Path) -> Path:
    """Build init_probe and what stands beside it; returns init_probe.  Raises CalledProcessError, OSError."""
    for name in ("init_lines", "init_floor", "init_probe"):
        made = directory / name
        source = Path(__file__).with_name(f"{name}.c")
        # static, so that the start of a program costs next to nothing and what is measured is the init
        subprocess.run(["cc", "-O2", "-static", "-o", str(made), str(source)], check=True, capture_output=True)
    return made


class Space:
    """One init at work: `argv` becomes PID 1; `directory` is empty but for what that argv reads.

    `stdout` is where its output goes instead of a file; `environ` is added to its environment.
    """

    def __init__(
        self,
        probe: Path,
        directory: Path,
        argv: list[str],
        stdout: int | None = None,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.probe = probe
        self._stdout = stdout
        self._environ = environ
        self.directory = directory
        self.argv = argv
        self.words: list[Word] = []
        self._rest = b""

    def __enter__(self) -> Self:
        path = self.directory / "words"
        os.mkfifo(path)
        self._fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._log = (self.directory / "output").open("wb")
        bound = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._unshare = subprocess.Popen(
            [*bound, str(self.probe), "exec", str(path), *self.argv],
            stdin=subprocess.DEVNULL,
            stdout=self._log if self._stdout is None else self._stdout,
            stderr=self._log,
            cwd="/",
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", os.defpath), "PIDONE_SOCKET": str(self.socket), **self._environ},
        )
        try:
            self.executed = self.wait("E", 1)[0].at
            self.pid = children(self._unshare.pid)[0]
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unshare.kill()
        self._unshare.wait()
        self._log.close()
        os.close(self._fifo)

    @property
    def socket(self) -> Path:
        """initd's control socket."""
        return self.directory / "control.sock"

    # What the programs say

    def wait(self, kind: str, count: int, patience: float = PATIENCE) -> list[Word]:
        """The words of one kind, once there are so many of them.  Raises GaveUp."""
        end = time.monotonic() + patience
        while len(found := self.said(kind)) < count:
            left = end - time.monotonic()
            if left <= 0 or self._unshare.poll() is not None:
                raise GaveUp(f"{len(found)} of {count} {kind}: {self.output()}")
            select.select([self._fifo], [], [], min(left, 0.5))
        return found

    def said(self, kind: str) -> list[Word]:
        """All words of one kind so far, oldest first."""
        try:
            while data := os.read(self._fifo, 65536):
                *lines, self._rest = (self._rest + data).split(b"\n")
                parts = (line.decode().split() for line in lines)
                self.words += [Word(kind, name, int(at) / 1e9) for kind, name, at in parts]
        except BlockingIOError:
            pass
        return sorted((word for word in self.words if word.kind == kind), key=lambda word: word.at)

    def output(self) -> str:
        """The end of what the init has said on its own streams, for an error message."""
        return (self.directory / "output").read_text(errors="replace")[-300:].strip()

    # What is seen from outside

    def processes(self) -> dict[int, str]:
        """Host pid of each process in the namespace, with its program's name where it is one of ours, else ``."""
        return {pid: self._name(pid) for pid in family(self.pid)}

    def _name(self, pid: int) -> str:
        argv = read(f"/proc/{pid}/cmdline").split("\0")
        ours = argv[0] in (str(self.probe), str(self.probe.with_name("init_lines")))
        return argv[3] if ours and len(argv) > 3 else ""

    def pid_of(self, name: str) -> int:
        """Host pid of the program.  Raises GaveUp where it does not run."""
        for pid, found in self.processes().items():
            if found == name:
                return pid
        raise GaveUp(f"{name} does not run: {self.output()}")

    def supervisors(self) -> list[int]:
        """Host pids of all that is not a program: PID 1 and whatever it needs to supervise."""
        return [pid for pid, name in self.processes().items() if not name]

    def wakings(self) -> int:
        """Voluntary context switches so far of the supervisors' threads."""
        return sum(wakings(pid) for pid in self.supervisors())

    def busy(self) -> float:
        """Seconds of CPU so far of the supervisors, by the scheduler's own account, which is exact."""
        return sum(int((read(f"/proc/{pid}/schedstat") or "0").split()[0]) for pid in self.supervisors()) / 1e9

    def memory(self) -> Memory:
        """Of all supervisors together."""
        found = [smaps(pid) for pid in self.supervisors()]
        return Memory(sum(one.pss for one in found), sum(one.anonymous for one in found))

    def end(self, signum: int = signal.SIGTERM) -> float:
        """Signal PID 1; seconds until it, and so its namespace, is gone.  Raises GaveUp."""
        watch = os.pidfd_open(self.pid)
        try:
            began = time.monotonic()
            os.kill(self.pid, signum)
            if not select.select([watch], [], [], PATIENCE)[0]:
                raise GaveUp(f"PID 1 outlived {signal.Signals(signum).name}")
            return time.monotonic() - began
        finally:
            os.close(watch)

    def settle(self, seconds: float) -> None:
        """Wait out what the init counts as starting up, reading along."""
        time.sleep(seconds)
        self.said("S")


def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait for a condition that nothing announces.  Raises GaveUp."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() >= end:
            raise GaveUp(what)
        time.sleep(0.005)


def read(path: str) -> str:
    """A file of /proc; empty where its process is gone."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """Direct children of all threads of a process."""
    return [int(word) for task in Path(f"/proc/{pid}/task").glob("*") for word in read(f"{task}/children").split()]


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    return [pid, *(member for child in children(pid) for member in family(child))]


def field(text: str, name: str) -> int:
    """The number behind `name:`, 0 where it is missing."""
    for line in text.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def wakings(pid: int) -> int:
    """Voluntary context switches of all threads of a process: how often they went to sleep, and so were woken."""
    tasks = Path(f"/proc/{pid}/task").glob("*")
    return sum(field(read(f"{task}/status"), "voluntary_ctxt_switches") for task in tasks)


def smaps(pid: int) -> Memory:
    """PSS of one process, and the anonymous part of it."""
    text = read(f"/proc/{pid}/smaps_rollup")
    return Memory(field(text, "Pss") * 1024, field(text, "Pss_Anon") * 1024)
