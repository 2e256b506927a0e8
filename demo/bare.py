"""The fleet without an engine: hub and boxes are processes of this machine.

As root each box is a PID namespace of its own (unshare(1)), so that initd is PID 1 there and nothing outlives it;
otherwise initd runs as subreaper of its box.  The programs are demo/programs/*.ini: the same job, written in Python.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from demo.fleet import PERIOD, Box, Fleet, StepFailed, Task, until
from wire.client import Client
from wire.keys import ClientKey

ROOT = Path(__file__).resolve().parent.parent
PORTS = ("command", "samples", "enrol", "client", "feed")
SPACES = ("--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--ipc")
ORPHAN = "import os, time\nif os.fork() == 0:\n time.sleep(0.2)"


class BareFleet(Fleet):
    """See the module's docstring."""

    programs = {
        "shop": ("web", "leaker"),
        "jobs": ("clock", "worker:worker_00", "worker:worker_01", "worker:worker_02"),
    }
    victim = "web"
    last_words = {
        "shop": ("the web server was told to stop", "the leaker was interrupted"),
        "jobs": tuple(f"worker {number} ends between two jobs" for number in range(3)),
    }

    def __init__(self) -> None:
        super().__init__()
        self.isolated = namespaces_work()
        self.what = "PID namespaces of this machine" if self.isolated else "subreapers on this machine"
        self.place = Path(tempfile.mkdtemp(prefix="pidone-demo-"))
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.pids: dict[str, subprocess.Popen[bytes]] = {}
        self.web: dict[str, int] = {}
        self.busy = threading.Event()
        none = "there is no Docker engine"
        self.lacks = {"containers": none, "oom": f"{none}, so no box has a memory limit"}
        if not self.isolated:
            self.lacks["pid1"] = "PID namespaces need root with CAP_SYS_ADMIN; initd is the subreaper of each box"

    # Making and taking down.

    def build(self) -> None:
        ports = "".join(f"port_{name} = {port}\n" for name, port in self.ports.items())
        options = f"bind = 127.0.0.1\nadvertise = 127.0.0.1\nperiod = {PERIOD:g}\nsample_period = 2\n"
        config = f"[hubd]\nstate_dir = {self.place}/hub\n{options}{ports}"
        (self.place / "hubd.ini").write_text(config)

    def start_hub(self) -> None:
        self.pids["hub"] = self._run("hub", [self._command("hubd"), "-c", str(self.place / "hubd.ini")], {})
        if self._join_file().exists():
            return
        key = until(self._admin_key, "the hub's administrator key")
        with Client(key) as hub:
            joined = until(lambda: hub.query("join", kind="service"), "a join string")
        self._join_file().touch(mode=0o600)
        self._join_file().write_text(joined["join"] if isinstance(joined, dict) else str(joined))

    def add(self, box: Box) -> None:
        self.boxes[box.name] = box
        if box.kind == "shop":
            self.web[box.name] = free_ports(1)[0]
        self.start(box.name)

    def start(self, box: str) -> None:
        own = self.place / box
        own.mkdir(exist_ok=True)
        settings = {"BOX": box, "PORT": str(self.web.get(box, 0)), "QUEUE": f"{own}/queue.db"}
        settings |= {"PIDONE_SOCKET": f"{own}/control.sock", "PIDONE_JOIN_FILE": str(self._join_file())}
        initd = [self._command("initd"), "-c", str(ROOT / "demo" / "programs" / f"{self.boxes[box].kind}.ini")]
        if self.isolated:
            mount = 'mount -t tmpfs tmpfs /run; hostname "$BOX"; exec "$@"'
            initd = ["unshare", *SPACES, "sh", "-c", mount, "sh", *initd]
        self.pids[box] = self._run(box, initd, settings)

    def down(self) -> None:
        self.busy.set()
        for process in self.pids.values():  # all at once, and only then wait for each
            self._signal(process, signal.SIGTERM)
        for name in list(self.pids):
            self._end(name, 12.0)
        shutil.rmtree(self.place, ignore_errors=True)

    def _run(self, name: str, argv: list[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start it so that it ends with this process, however that ends: an initd in its namespace at once."""
        at_our_death = "KILL" if self.isolated else "TERM"
        bound = ["setpriv", "--pdeathsig", at_our_death, "--"] if shutil.which("setpriv") else []
        with open(self.place / f"{name}.log", "ab") as log:
            environ = {**os.environ, "DEMO_PYTHON": sys.executable, **settings}
            return subprocess.Popen(
                [*bound, *argv],
                cwd=self.place,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, name: str, seconds: float) -> None:
        """TERM to what runs under this name, KILL after the time."""
        process = self.pids.pop(name, None)
        if process is None:
            return
        for signum, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
            self._signal(process, signum)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                return

    def _signal(self, process: subprocess.Popen[bytes], signum: int) -> None:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self._first(process.pid), signum)

    def _first(self, pid: int) -> int:
        """The initd behind a process of ours: unshare's only child, or the process itself."""
        if not self.isolated:
            return pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        with suppress(OSError, IndexError):
            return int(children.read_text().split()[0]) if "unshare" in _name(pid) else pid
        return pid

    # The hub.

    def kill_hub(self) -> None:
        hub = self.pids.pop("hub")
        hub.kill()
        hub.wait()

    def hub_address(self) -> str:
        return "127.0.0.1"

    def _admin_key(self) -> ClientKey:
        return ClientKey.load(self.place / "hub" / "client" / "admin.json")

    def client(self) -> Client:
        return Client(self._admin_key())

    def hubctl(self, *argv: str) -> str:
        key = str(self.place / "hub" / "client" / "admin.json")
        done = subprocess.run([self._command("hubctl"), "--key", key, *argv], capture_output=True, text=True)
        if done.returncode:
            raise StepFailed(f"hubctl {' '.join(argv)}: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout

    # The boxes.

    def tasks(self, box: str) -> list[Task]:
        """Everything that descends from the box's initd, with the pids that it sees itself."""
        every = {task.pid: (task, inner) for task, inner in _processes()}
        mine, fresh = set(), {self._first(self.pids[box].pid)}
        while fresh:
            mine |= fresh
            fresh = {pid for pid, (task, _) in every.items() if task.parent in mine} - mine
        outer = [every[pid] for pid in mine if pid in every]
        return [task._replace(pid=inner if self.isolated else task.pid) for task, inner in outer]

    def _outer(self, box: str, pid: int) -> int:
        """The pid by which this machine knows a process of a box."""
        if not self.isolated:
            return pid
        first = self._first(self.pids[box].pid)
        space = os.readlink(f"/proc/{first}/ns/pid")
        found = (task.pid for task, inner in _processes() if inner == pid and _space(task.pid) == space)
        return next(found)

    def kill(self, box: str, pid: int, signal: int) -> None:
        os.kill(self._outer(box, pid), signal)

    def spawn_orphan(self, box: str) -> None:
        """Root can enter the box's namespaces and leave one there; nobody else can put a process under another."""
        if self.isolated:
            first = str(self._first(self.pids[box].pid))
            inside = ["nsenter", "--target", first, "--pid", sys.executable, "-I", "-c", ORPHAN]
            subprocess.run(inside, check=True)

    def stop(self, box: str) -> float:
        begun = time.monotonic()
        self._end(box, 10.0)
        return time.monotonic() - begun

    def restart(self, box: str) -> None:
        self.stop(box)
        self.start(box)

    def freeze(self, box: str, frozen: bool) -> None:
        pids = [self._outer(box, task.pid) for task in self.tasks(box)]
        for pid in pids if frozen else reversed(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def logs(self, box: str) -> str:
        return (self.place / f"{box}.log").read_text(errors="replace")

    def make_busy(self, box: str) -> None:
        if self.boxes[box].kind == "jobs":
            queue = {**os.environ, "QUEUE": str(self.place / box / "queue.db")}
            for _ in range(10):
                subprocess.run([sys.executable, ROOT / "images/jobs/jobs/enqueue.py"], env=queue, stdout=-3, check=True)
            return
        for _ in range(4):
            url = f"http://127.0.0.1:{self.web[box]}/"
            threading.Thread(target=self._ask_for_ever, args=(url,), daemon=True).start()

    def _ask_for_ever(self, url: str) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with suppress(OSError):
            while not self.busy.wait(0.01):
                opener.open(url, timeout=5).read()

    def advice(self) -> list[str]:
        hubctl = f"{self._command('hubctl')} --key {self.place}/hub/client/admin.json"
        return [
            f"{hubctl} ps",
            f"{hubctl} restart shop-1/web",
            f"{hubctl} exits",
            f"PIDONE_SOCKET={self.place}/shop-1/control.sock {self._command('initd')} status",
        ]

    def _command(self, name: str) -> str:
        return str(ROOT / "bin" / name)

    def _join_file(self) -> Path:
        return self.place / "join"


def namespaces_work() -> bool:
    """Whether this process may make them: root often may not, inside a container."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", *SPACES, "true"], capture_output=True).returncode == 0


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _processes() -> list[tuple[Task, int]]:
    """Every process of this machine, each with its pid in its own innermost namespace."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, StopIteration):
            text = (place / "stat").read_text(errors="replace")
            arguments = (place / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
            name, rest = text[text.index("(") + 1 :].rsplit(")", 1)
            state, parent = rest.split()[:2]
            spaces = next(line for line in (place / "status").read_text().splitlines() if line.startswith("NSpid"))
            found.append((Task(int(place.name), state, name, int(parent), arguments), int(spaces.split()[-1])))
    return found


def _space(pid: int) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/pid")
    return ""


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
