"""A small network of our own: this thread's network namespace, one more for each host, and cables that can be cut.

Theory.  `Wires` takes the calling thread (and the threads and processes it starts from then on) into a new network
namespace with a bridge; each `Host` is a namespace that a sleeping process holds, joined to the bridge by a cable.
A cable that is cut says nothing to either end: what is sent vanishes.  Everything ends with the processes.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from typing import Any

from tests.lab.engine_process import run
from tests.support.engines import need

NETWORK = "10.86.0"
HERE = f"{NETWORK}.1"
"""Address of this end of all cables."""
LONGEST = 14400
"""Seconds after which a host's namespace goes away by itself."""
CLONE_NEWNET = 0x40000000
BRIDGE = "wires"


class Wires:
    """The bridge; see the module's docstring.  Needs root."""

    def __init__(self) -> None:
        need("network namespaces of our own", "ip", "nsenter", "unshare", "iptables")
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare: no network namespace of our own")
        for words in (
            "ip link set lo up",
            f"ip link add {BRIDGE} type bridge",
            f"ip addr add {HERE}/24 dev {BRIDGE}",
            f"ip link set {BRIDGE} up",
        ):
            run(*words.split())
        self.hosts: list[Host] = []

    def host(self) -> Host:
        """One more."""
        made = Host(len(self.hosts))
        self.hosts.append(made)
        return made

    def close(self) -> None:
        """Ends the holders; the rest follows."""
        for host in self.hosts:
            host.close()


class Host:
    """A network namespace at the end of a cable; `enter` before a command runs it there."""

    def __init__(self, number: int) -> None:
        self.near, self.address = f"cable{number}", f"{NETWORK}.{10 + number}"
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", str(LONGEST)])
        space = f"/proc/{self._holder.pid}/ns/net"
        self.enter = ["nsenter", f"--net={space}"]
        _await_other_namespace(space)
        cable = f"ip link add {self.near} master {BRIDGE} type veth peer name eth0 netns {self._holder.pid}"
        run(*cable.split())
        run("ip", "link", "set", self.near, "up")
        for words in ("ip link set lo up", f"ip addr add {self.address}/24 dev eth0", "ip link set eth0 up"):
            run(*self.enter, *words.split())

    def cut(self) -> None:
        """Nothing comes through any more."""
        run("ip", "link", "set", self.near, "nomaster")

    def mend(self) -> None:
        """As it was."""
        run("ip", "link", "set", self.near, "master", BRIDGE)

    def shun(self, other: Host) -> None:
        """Nothing comes through from or to one other host."""
        for words in (("-A", "INPUT", "-s"), ("-A", "OUTPUT", "-d")):
            run(*self.enter, "iptables", "-w", *words, other.address, "-j", "DROP")

    def heed(self, other: Host) -> None:
        """Undoes `shun`."""
        for words in (("-D", "INPUT", "-s"), ("-D", "OUTPUT", "-d")):
            run(*self.enter, "iptables", "-w", *words, other.address, "-j", "DROP")

    def hush(self) -> None:
        """Connections that outlived their process say no more, as where a container's namespace ends with it."""
        listing = run(*self.enter, "cat", "/proc/net/tcp").splitlines()[1:]
        for port in {int(line.split()[1].rpartition(":")[2], 16) for line in listing}:
            words = f"iptables -w -A OUTPUT -p tcp --sport {port} -j DROP"
            run(*self.enter, *words.split())

    def popen(self, argv: list[Any], **options: Any) -> subprocess.Popen[bytes]:
        """Starts a process there; its pid is that of the command itself."""
        return subprocess.Popen([*self.enter, *argv], **options)

    def close(self) -> None:
        """Ends it."""
        self._holder.kill()
        self._holder.wait()


def _await_other_namespace(space: str) -> None:
    own, deadline = os.readlink("/proc/thread-self/ns/net"), time.monotonic() + 10.0
    while os.readlink(space) == own:
        if time.monotonic() > deadline:
            raise TimeoutError("unshare --net did not come to be")
        time.sleep(0.005)
