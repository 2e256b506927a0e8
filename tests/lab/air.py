"""Hosts in network namespaces whose only cable is a process that loses and delays packets, as bad air does.

Not every kernel has netem, so each host gets a TUN device, and this process, which holds the other ends, carries whole
IP packets between them.  What is lost or late is a packet, not a message: TCP sends it again and shows a stall, UDP
shows a loss, and packets overtake each other, as with `netem loss 5% delay 200ms 200ms`.  A host that is cut off sends
into the void and hears nothing.  Host I is 10.89.0.(10 + I) in the namespace pidone-test-airI, this machine 10.89.0.1.

    python -m tests.lab.air COUNT      then orders on stdin: `weather LOSS JITTER`, `cut I`, `mend I`, `part I J`

Needs root, iproute2 and /dev/net/tun.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.lab import engine_process as lab

NET = "10.89.0"
HERE = f"{NET}.1"
FIRST = 10
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000
CLONE_NEWNET = 0x40000000
DRAIN = 64
"""Packets read from one device in a turn."""


def address(host: int) -> str:
    """Where host I is."""
    return f"{NET}.{FIRST + host}"


def name(host: int) -> str:
    """Its namespace."""
    return f"{lab.PREFIX}air{host}"


def _tun(device: str) -> int:
    """The user's end of a new TUN device in the present namespace."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def _enter(path: str) -> None:
    with open(path) as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), path)


class Carrier:
    """Carries packets between the devices; `hosts` by the last byte of their address."""

    def __init__(self, hosts: dict[int, int]) -> None:
        self.hosts = hosts
        self.loss = self.jitter = 0.0
        self.cut: set[int] = set()
        self.apart: set[int] = set()
        self._late: list[tuple[float, int, int, bytes]] = []
        self._count = 0

    def read(self, fd: int) -> None:
        """All that waits at this device."""
        for _ in range(DRAIN):
            try:
                packet = os.read(fd, 65536)
            except BlockingIOError:
                return
            if len(packet) >= 20 and packet[0] >> 4 == 4:
                self._take(packet[15], packet[19], packet)

    def _take(self, source: int, target: int, packet: bytes) -> None:
        if target not in self.hosts or {source, target} & self.cut or random.random() < self.loss:
            return
        if (source in self.apart) != (target in self.apart):
            return
        self._count += 1
        due = time.monotonic() + random.uniform(0.0, 2 * self.jitter)
        heapq.heappush(self._late, (due, self._count, target, packet))

    def deliver(self) -> float:
        """What is due; seconds until the next is."""
        while self._late and self._late[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(self._late)
            if target not in self.cut:
                try:
                    os.write(self.hosts[target], packet)
                except OSError:  # the host has no room, or is gone: the packet is lost
                    continue
        return max(self._late[0][0] - time.monotonic(), 0.0) if self._late else 1.0

    def obey(self, order: str) -> None:
        """One line of stdin."""
        word, *rest = order.split()
        if word == "weather":
            self.loss, self.jitter = map(float, rest)
        elif word == "cut":
            self.cut.add(FIRST + int(rest[0]))
        elif word == "mend":
            self.cut.discard(FIRST + int(rest[0]))
        elif word == "part":
            self.apart = {FIRST + int(host) for host in rest}


def _open(count: int) -> dict[int, int]:
    own = "/proc/self/ns/net"
    with open(own) as here:
        hosts = {1: _tun("pidone-air")}
        for host in range(count):
            _enter(f"/run/netns/{name(host)}")
            hosts[FIRST + host] = _tun("air0")
            _enter(f"/proc/self/fd/{here.fileno()}")
    return hosts


def main(count: int) -> None:
    """Until stdin ends."""
    carrier = Carrier(_open(count))
    for words in (("addr", "add", f"{HERE}/24", "dev", "pidone-air"), ("link", "set", "pidone-air", "up")):
        lab.run("ip", *words)
    for host in range(count):
        for words in (("addr", "add", f"{address(host)}/24", "dev", "air0"), ("link", "set", "air0", "up")):
            lab.run("ip", "-n", name(host), *words)
    poll = select.epoll()
    for fd in (0, *carrier.hosts.values()):
        poll.register(fd, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for fd, _ in poll.poll(carrier.deliver()):
            if fd:
                carrier.read(fd)
                continue
            orders = os.read(0, 65536).decode()
            if not orders:
                return
            for order in orders.splitlines():
                carrier.obey(order)


class Air:
    """The hosts, as long as this stands; there is one such network at a time, others wait."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._lock = (Path(tempfile.gettempdir()) / "pidone-test-air.lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        for host in range(count):
            lab.make_namespace(name(host))
        argv = [sys.executable, "-m", "tests.lab.air", str(count)]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("no network for the test: /dev/net/tun and root are needed")

    def _order(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def weather(self, loss: float, jitter: float) -> None:
        """Every packet is lost with this probability, and late by up to twice `jitter` seconds, evenly."""
        self._order(f"weather {loss} {jitter}")

    def cut(self, host: int) -> None:
        """Its cable is out."""
        self._order(f"cut {host}")

    def mend(self, host: int) -> None:
        """It is in again."""
        self._order(f"mend {host}")

    def part(self, *hosts: int) -> None:
        """These hear only each other, and the rest hears only the rest; none: all hear all again."""
        self._order(f"part {' '.join(map(str, hosts))}")

    def close(self) -> None:
        """End it, and remove the hosts."""
        self.process.stdin and self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout and self.process.stdout.close()
        for host in range(self.count):
            lab.remove_namespace(name(host))
        self._lock.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
