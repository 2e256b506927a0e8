"""A machine with cgroup v2: user-mode Linux on this machine's own files, one command a boot.

The kernel is an ordinary process.  It runs in namespaces of its own, where every mount but the job's is read-only, so
neither a bug nor the command can write to this machine; killing `unshare` ends all of it.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LAB = Path(__file__).resolve().parents[1] / "lab" / "cgroup2"
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "CI", "REQUIRE_SERVICES", "PYTHONDONTWRITEBYTECODE")

BOOT = """set -e
job=$1 memory=$2 cpu=$3 preload=$4; shift 4
mount --bind "$job" "$job"
while read -r _ _ _ _ place _; do
    case $place in "$job"|/proc*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || : ;; esac
done </proc/self/mountinfo
mount -t tmpfs -o size=$((memory + 64))m,mode=1777 memory /dev/shm
export TMPDIR=/dev/shm
[ -z "$preload" ] || export LD_PRELOAD=$preload
exec taskset -c "$cpu" "$@"
"""
"""Pinned to one CPU: the guest's processes hand over to each other all the time; on two that is three times as slow."""


class GuestError(Exception):
    """The guest could not be made or died before the command ended; says why."""


class Guest:
    """Boots a machine around each command; `memory` in MiB."""

    def __init__(self, memory: int = 1024, cache: Path | None = None) -> None:
        self.memory = memory
        self.cache = cache or Path(os.environ.get("PIDONE_CACHE", "/var/cache/pidone")) / "uml"

    def run(
        self,
        argv: Sequence[str],
        timeout: float = 120,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run argv as root in the guest, in `cwd` (default: this process's).

        Raises GuestError if the guest dies, subprocess.TimeoutExpired after `timeout` seconds, the boot included.
        """
        kernel = self.prepare()
        with tempfile.TemporaryDirectory(prefix="job-", dir=self.cache) as place:
            job = Path(place)
            (job / "out").mkdir()
            (job / "command").write_text(_script(argv, env or {}, cwd or os.getcwd()))
            self._boot(kernel, job, timeout)
            return _result(list(argv), job)

    def _boot(self, kernel: Path, job: Path, timeout: float) -> None:
        modules = next((self.cache / "package/usr/lib/uml/modules").iterdir())
        parameters = [f"mem={self.memory}M", "umid=guest", f"uml_dir={job}/", "rootfstype=hostfs", "rootflags=/", "ro"]
        parameters += ["quiet", "con0=null,fd:1", "con=null", "ssl=null", f"init={LAB / 'guest-init'}"]
        parameters += [f"JOB={job}", f"MODULES={modules}"]
        namespaces = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        boot = ["sh", "-c", BOOT, "boot", str(job), str(self.memory), str(_cpu()), str(self._preload() or "")]
        with open(job / "console", "wb") as console:
            subprocess.run(
                ["setpriv", "--pdeathsig", "KILL", *namespaces, "--propagation", "private", *boot, kernel, *parameters],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                timeout=timeout,
            )

    def prepare(self) -> Path:
        """Fetch and unpack the kernel where it is not yet; returns its path.  Raises GuestError."""
        kernel = self.cache / "package" / "usr" / "bin" / "linux.uml"
        self.cache.mkdir(parents=True, exist_ok=True)
        with open(self.cache / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kernel.exists():
                _unpack("user-mode-linux", self.cache / "package")
        return kernel

    def _preload(self) -> Path | None:
        if "amx_tile" not in Path("/proc/cpuinfo").read_text():
            return None
        library, source = self.cache / "xstate.so", LAB / "xstate.c"
        if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
            fresh = library.with_suffix(f".{os.getpid()}")
            _do(["gcc", "-O2", "-shared", "-fPIC", "-o", str(fresh), str(source), "-ldl"])
            fresh.rename(library)
        return library


def missing() -> str:
    """What is not there for a guest, as a person would install it; "" if nothing."""
    if os.geteuid() != 0:
        return "root"
    tools = {"busybox": "busybox-static", "unshare": "util-linux", "setpriv": "util-linux", "dpkg-deb": "dpkg"}
    tools["apt-get"] = "apt"
    if "amx_tile" in Path("/proc/cpuinfo").read_text():
        tools["gcc"] = "gcc"
    return " ".join(sorted({package for tool, package in tools.items() if not shutil.which(tool)}))


def _script(argv: Sequence[str], env: Mapping[str, str], cwd: str | Path) -> str:
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | dict(env)
    exports = [f"export {name}={shlex.quote(value)}" for name, value in given.items()]
    return "\n".join([*exports, f"cd {shlex.quote(str(cwd))} || exit 126", f"exec {shlex.join(argv)}", ""])


def _result(argv: list[str], job: Path) -> subprocess.CompletedProcess[str]:
    status = job / "out" / "status"
    if not status.exists():
        console = (job / "console").read_text(errors="replace")[-3000:]
        raise GuestError(f"the guest died before the command ended; its console:\n{console}")
    out, err = ((job / "out" / name).read_text(errors="replace") for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(argv, int(status.read_text()), out, err)


def _cpu() -> int:
    """One of the CPUs this process may use, another one for another process."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[os.getpid() % len(allowed)]


def _unpack(package: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=target.parent) as scratch:
        if not subprocess.run(["apt-cache", "policy", package], capture_output=True).stdout:
            _do(["apt-get", "update", "-qq"])
        _do(["apt-get", "download", "-qq", package], cwd=scratch)
        _do(["dpkg-deb", "-x", str(next(Path(scratch).glob("*.deb"))), f"{scratch}/root"])
        Path(scratch, "root").rename(target)


def _do(argv: list[str], cwd: str | None = None) -> None:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise GuestError(f"{shlex.join(argv)}: {done.stderr.strip()[-500:]}")
