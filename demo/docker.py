"""The fleet in containers: a hub and boxes on a private network of an engine, named with a prefix and one label.

Everything carries the label pidone.demo=PREFIX, so that `down` finds it all, and what a killed demo left behind goes
when the next one starts.  The join string lies in a file of this process's own directory, which the boxes mount as a
secret; the hub's socket of the engine is shared with it by group.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from demo.fleet import PERIOD, Box, Fleet, StepFailed, Task, until
from images import build
from wire.client import Client
from wire.keys import ClientKey

SOCKET = "/var/run/docker.sock"
LABEL = "pidone.demo"
OWNER = "pidone.demo.owner"
ADMIN = "/var/lib/pidone/client/admin.json"
MEMORY = "256m"
HUB_CONFIG = f"""[hubd]
advertise = hub
period = {PERIOD:g}
sample_period = 2
[engine:local]
url = unix://{SOCKET}
"""

LIST_TASKS = """
import json, os
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        text = open(f"/proc/{pid}/stat").read()
        arguments = open(f"/proc/{pid}/cmdline").read().replace("\\0", " ")
    except OSError:
        continue
    name, rest = text[text.index("(") + 1:].rsplit(")", 1)
    print(json.dumps([int(pid), rest.split()[0], name, int(rest.split()[1]), arguments.strip()]))
"""
PYTHON = ("/opt/initd/lib/ld.so", "--library-path", "/opt/initd/lib/deps", "/opt/initd/bin/python3", "-I")
"""The bundle's own interpreter: it is in every box, whatever else is."""


class DockerFleet(Fleet):
    """See the module's docstring.  `leak_seconds`: how long the leaking worker takes to be killed."""

    lacks: dict[str, str] = {}
    programs = {
        "shop": ("redis", "gunicorn", "nginx", "leaker"),
        "jobs": ("cron", "worker:worker_00", "worker:worker_01", "worker:worker_02"),
    }
    victim = "gunicorn"
    last_words = {
        "shop": (
            "signal 3 (SIGQUIT) received",  # nginx
            "Handling signal: term",  # gunicorn
            "Received SIGTERM scheduling shutdown",  # redis
            "the leaker was interrupted",
        ),
        "jobs": tuple(f"worker {number} ends between two jobs" for number in range(3)),
    }

    def __init__(self, prefix: str, leak_seconds: float) -> None:
        super().__init__()
        self.prefix = prefix
        self.leak_seconds = leak_seconds
        self.what = f"Docker containers named {prefix}-*"
        self.place = Path(tempfile.mkdtemp(prefix="pidone-demo-"))
        self.images: dict[str, str] = {}
        self.busy = threading.Event()
        self.ours = False
        """The names with our prefix are ours, not those of a demo that runs beside this one."""

    # Making and taking down.

    def build(self) -> None:
        _refuse_rival(self.prefix)
        _remove_labelled(self.prefix)
        labels = ["--label", f"{LABEL}={self.prefix}", "--label", f"{OWNER}={os.getpid()}"]
        docker("network", "create", *labels, self._name("net"))
        self.ours = True
        base = build.local_base("demo")
        self.images = {"initd": build.product("initd"), "hub": build.product("hub")}
        for kind in ("shop", "jobs"):
            self.images[kind] = build.example(kind, base, self.images["initd"])

    def start_hub(self) -> None:
        name = self._name("hub")
        if docker("inspect", name, check=False).returncode == 0:
            docker("start", name)
            return
        config = self.place / "hubd.ini"
        config.write_text(HUB_CONFIG)
        config.chmod(0o644)
        group = str(os.stat(SOCKET).st_gid)
        mounts = ["-v", f"{config}:/etc/pidone/hubd.ini:ro", "-v", f"{SOCKET}:{SOCKET}", "--group-add", group]
        docker("run", "-d", *self._common("hub"), *mounts, self.images["hub"], "-c", "/etc/pidone/hubd.ini")
        self._join_file().touch(mode=0o600)
        key = until(lambda: self._admin_key(), "the hub's administrator key")
        with Client(key) as hub:
            joined = until(lambda: hub.query("join", kind="service"), "a join string")
        self._join_file().write_text(_text_of(joined) + "\n")

    def add(self, box: Box) -> None:
        self.boxes[box.name] = box
        options = ["-v", f"{self._join_file()}:/run/secrets/pidone_join:ro", "--memory", MEMORY, "--cpus", "1"]
        options += ["-e", f"LEAK_SECONDS={self.leak_seconds:g}"]
        if box.read_only:
            options += ["--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run"]
        docker("run", "-d", *self._common(box.name), *options, self.images[box.kind])

    def down(self) -> None:
        self.busy.set()
        if self.ours:
            _remove_labelled(self.prefix)
        shutil.rmtree(self.place, ignore_errors=True)

    # The hub.

    def kill_hub(self) -> None:
        docker("kill", "--signal", "KILL", self._name("hub"))

    def hub_address(self) -> str:
        return self._address("hub")

    def client(self) -> Client:
        return Client(self._admin_key())

    def hubctl(self, *argv: str) -> str:
        return docker("exec", self._name("hub"), "/opt/hub/hubctl", *argv).stdout

    def _admin_key(self) -> ClientKey:
        """The key that hubd has written, with the address under which this machine reaches it.  Raises OSError."""
        done = subprocess.run(["docker", "cp", f"{self._name('hub')}:{ADMIN}", "-"], capture_output=True)
        if done.returncode:
            raise FileNotFoundError(done.stderr.decode(errors="replace").strip())
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            member = archive.extractfile("admin.json")
            fields = json.load(member) if member else {}
        address = self.hub_address()
        return ClientKey(**{**fields, "command": f"{address}:7404", "feed": f"{address}:7405"})

    # The boxes.

    def agent(self, box: str) -> str:
        return self._name(box)

    def tasks(self, box: str) -> list[Task]:
        out = docker("exec", "--user", "0", self._name(box), *PYTHON, "-c", LIST_TASKS).stdout
        return [Task(*json.loads(line)) for line in out.splitlines()]

    def kill(self, box: str, pid: int, signal: int) -> None:
        docker("exec", "--user", "0", self._name(box), "kill", f"-{signal}", str(pid))

    def spawn_orphan(self, box: str) -> None:
        docker("exec", self._name(box), "sh", "-c", "sleep 0.2 & exit 0")

    def stop(self, box: str) -> float:
        begun = time.monotonic()
        docker("stop", self._name(box))
        return time.monotonic() - begun

    def start(self, box: str) -> None:
        docker("start", self._name(box))

    def restart(self, box: str) -> None:
        docker("restart", self._name(box))

    def freeze(self, box: str, frozen: bool) -> None:
        docker("pause" if frozen else "unpause", self._name(box))

    def logs(self, box: str) -> str:
        done = docker("logs", self._name(box))
        return done.stdout + done.stderr

    def make_busy(self, box: str) -> None:
        if self.boxes[box].kind == "jobs":
            for _ in range(10):
                docker("exec", self._name(box), "python3", "/jobs/enqueue.py")
            return
        url = f"http://{self._address(box)}:8080/"
        until(lambda: _get(url), f"an answer of {url}")
        for _ in range(4):
            threading.Thread(target=self._ask_for_ever, args=(url,), daemon=True).start()

    def _ask_for_ever(self, url: str) -> None:
        while not self.busy.wait(0.01):
            try:
                _get(url)
            except OSError:
                return

    def advice(self) -> list[str]:
        shop, hub = self._name("shop-1"), f"docker exec {self._name('hub')} hubctl"
        return [
            f"{hub} ps",
            f"{hub} restart {shop}/gunicorn",
            f"{hub} exits",
            f"docker exec {shop} initd status",
            f"docker kill -s KILL {self._name('hub')}; docker start {self._name('hub')}",
            f"curl http://{self._address('shop-1')}:8080/",
        ]

    def _name(self, what: str) -> str:
        return f"{self.prefix}-{what}"

    def _join_file(self) -> Path:
        return self.place / "join"

    def _common(self, what: str) -> list[str]:
        network = ["--network", self._name("net"), "--network-alias", what]
        return ["--name", self._name(what), "--hostname", what, "--label", f"{LABEL}={self.prefix}", *network]

    def _address(self, what: str) -> str:
        shown = docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", self._name(what)
        )
        address = shown.stdout.split()
        if not address:
            raise ConnectionError(f"{self._name(what)} has no address: it does not run")
        return address[0]


def docker(*argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the docker client.  Raises StepFailed with what it said, where `check`."""
    done = subprocess.run(["docker", *argv], capture_output=True, text=True)
    if check and done.returncode:
        raise StepFailed(f"docker {' '.join(argv)}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done


def engine() -> str:
    """Version of the engine that answers, "" if none."""
    try:
        done = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 and os.path.exists(SOCKET) else ""


def _refuse_rival(prefix: str) -> None:
    """What lies about is removed, unless the demo that it belongs to still runs.  Raises StepFailed."""
    chosen = ["--filter", f"label={LABEL}={prefix}", "--format", f'{{{{.Label "{OWNER}"}}}}']
    for owner in docker("network", "ls", *chosen, check=False).stdout.split():
        try:
            rival = " -m demo" in Path(f"/proc/{owner}/cmdline").read_text().replace("\0", " ")
        except OSError:
            rival = False
        if rival and owner != str(os.getpid()):
            raise StepFailed(f"a demo named {prefix} runs already, pid {owner}: end it, or choose another --prefix")


def _remove_labelled(prefix: str) -> None:
    """Remove every container and network of a demo."""
    chosen = ["--quiet", "--filter", f"label={LABEL}={prefix}"]
    containers = docker("ps", "--all", *chosen, check=False).stdout.split()
    if containers:
        docker("rm", "--force", "--volumes", *containers, check=False)
    for network in docker("network", "ls", *chosen, check=False).stdout.split():
        docker("network", "rm", network, check=False)


def _text_of(joined: object) -> str:
    """The join string in the hub's answer."""
    return str(joined["join"]) if isinstance(joined, dict) else str(joined)


def _get(url: str) -> bytes:
    """The answer of a box, whatever proxy this machine has for other addresses."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
        body: bytes = answer.read()
    return body
