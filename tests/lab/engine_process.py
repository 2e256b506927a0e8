"""What a second Docker engine on this machine needs: a network namespace of its own, and a clean end.

An engine that starts in a network namespace deletes `docker0` and rewrites the firewall rules of any engine that is
there already.  So each of ours gets its own namespace, entered with nsenter: `ip netns exec` would hide the cgroup
mounts that dockerd needs.  Everything is named pidone-test-*, and only processes in our own pid files, or whose command
line names our own directory, are ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PREFIX = "pidone-test-"


def run(*words: str | Path, check: bool = True) -> str:
    """Output of a command; RuntimeError with its own words where it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait_for(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Return as soon as `true()`; TimeoutError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def make_namespace(name: str) -> None:
    """A network namespace with its loopback up, unless it is there."""
    if not Path(f"/run/netns/{name}").exists():
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")


def remove_namespace(name: str) -> None:
    """Remove it with the interfaces in it."""
    run("ip", "netns", "del", name, check=False)


def spawn(namespace: str, argv: list[str], pidfile: Path, log: Path) -> None:
    """Start a daemon in a network namespace, and note its pid."""
    with open(log, "ab") as output:
        child = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{namespace}", *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    pidfile.write_text(str(child.pid))


def command_line(pid: int) -> str:
    """The command line of a process, "" if it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def noted(pidfile: Path, sign: str) -> int | None:
    """The pid in the file, if that process still is ours: `sign` occurs in its command line."""
    try:
        pid = int(pidfile.read_text())
    except (OSError, ValueError):
        return None
    return pid if sign in command_line(pid) else None


def reap(pid: int) -> None:
    """Collect a child that has ended, if it is ours."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def end(pidfile: Path, sign: str, signum: int = signal.SIGTERM, seconds: float = 30.0) -> None:
    """End the process in the file; KILL where it does not go."""
    pid = noted(pidfile, sign)
    if pid is not None:
        os.kill(pid, signum)
        deadline = time.monotonic() + seconds
        while sign in command_line(pid):
            reap(pid)
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline += 5
            time.sleep(0.02)
    pidfile.unlink(missing_ok=True)


def kill_all(pids: Iterable[int]) -> None:
    """KILL each of them; gone ones are no error."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def processes() -> list[int]:
    """All processes of the machine but this one."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid()]


def naming(directory: Path) -> list[int]:
    """What a killed dockerd left: its containerd and shims name its exec root in their command lines."""
    return [pid for pid in processes() if f"{directory}/" in command_line(pid)]


def rooted_in(root: Path) -> list[int]:
    """Processes whose root directory is `root`."""
    return [pid for pid in processes() if _link(f"/proc/{pid}/root") == str(root)]


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def in_cgroup(name: str) -> list[int]:
    """Processes of the containers under the cgroup /NAME, in any hierarchy."""
    found: set[int] = set()
    for top in _cgroups(name):
        for procs in top.rglob("cgroup.procs"):
            found.update(int(pid) for pid in procs.read_text().split())
    return sorted(found)


def _cgroups(name: str) -> list[Path]:
    return [top for top in [*Path("/sys/fs/cgroup").glob(f"*/{name}"), Path(f"/sys/fs/cgroup/{name}")] if top.is_dir()]


def remove_tree(directory: Path) -> None:
    """Unmount everything under a directory and remove it."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{directory}/")), reverse=True):
        run("umount", "-l", mount, check=False)
    shutil.rmtree(directory, ignore_errors=True)


def remove_cgroups(name: str) -> None:
    """Remove the empty cgroups that the engine's containers left under /NAME in each hierarchy."""
    for top in _cgroups(name):
        for path, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                continue
