"""Real Redis servers for tests: one, a cluster of three, a primary with a replica and Sentinels; each in a directory
of its own on 127.0.0.1, stopped by pid."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import redis
from redis.exceptions import RedisError

from hub.store.redis.address import Address
from tests.support.services import absent
from tests.support.waiting import until

SLOTS = 16384
OWN = ("redis-server",)
"""The machine's own server; tests.lab.newer_redis has others."""
PLAIN = "protected-mode no"
"""For an address that only a network of our own has."""


def free_port() -> int:
    """A port that nobody has, and whose bus port (10,000 above) nobody has either; see tests.support.ports."""
    while True:
        port = random.randrange(20000, 22700)
        try:
            for number in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port
        except OSError:
            continue


class Server:
    """One redis-server process; it can be stopped, killed, frozen and started again on the same port and directory."""

    def __init__(
        self, directory: Path, lines: Sequence[str] = (), sentinel: bool = False, program: Sequence[str] = OWN
    ) -> None:
        if not shutil.which(program[0]):
            absent(program[0], "apt-get install redis-server")
        self._program = program
        directory.mkdir(parents=True, exist_ok=True)
        self.port, self._sentinel, self._directory = free_port(), sentinel, directory
        own = [f"port {self.port}", "bind 127.0.0.1", f"dir {directory}", "loglevel warning", "logfile log"]
        data = [] if sentinel else ["save ''", "appendonly yes", "appendfsync always", "no-appendfsync-on-rewrite no"]
        self.config = directory / "redis.conf"
        self.config.write_text("\n".join([*own, *data, *lines]) + "\n")
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [*self._program, str(self.config), *(["--sentinel"] if self._sentinel else [])]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers, 30.0)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False

    def client(self) -> redis.Redis:
        """A plain client of this very server."""
        return redis.Redis("127.0.0.1", self.port, socket_timeout=5.0)

    def send(self, number: signal.Signals) -> None:
        """A signal, e.g. SIGSTOP and SIGCONT."""
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def address(self) -> Address:
        return Address("", False, (("127.0.0.1", self.port),))


class Cluster:
    """Three primaries that share the slots, without replicas unless asked for; they listen at `host` too."""

    def __init__(self, directory: Path, host: str = "127.0.0.1", program: Sequence[str] = OWN) -> None:
        self.host = host
        lines = ["cluster-enabled yes", "cluster-node-timeout 2000", "cluster-config-file nodes.conf"]
        lines += [] if host == "127.0.0.1" else [f"bind 127.0.0.1 {host}", f"cluster-announce-ip {host}", PLAIN]
        self.nodes = [Server(directory / str(n), lines, program=program) for n in range(3)]
        for number, node in enumerate(self.nodes):
            with node.client() as client:
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                for other in self.nodes[:number]:
                    client.execute_command("CLUSTER MEET", host, other.port)
        until(self.whole, 30.0)

    def whole(self) -> bool:
        return all(self._sees_all(node) for node in self.nodes)

    def _sees_all(self, node: Server) -> bool:
        with node.client() as client:
            info = client.execute_command("CLUSTER INFO")
            return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3"

    @property
    def address(self) -> Address:
        return Address("cluster", False, tuple((self.host, node.port) for node in self.nodes))

    def move(self, key: str, between: Callable[[], object]) -> None:
        """Move this key's slot to another node; `between` is called when its keys are there and nobody knows yet."""
        with self.nodes[0].client() as client:
            slot = int(client.execute_command("CLUSTER KEYSLOT", key))
        here = next(n for n in range(3) if SLOTS * n // 3 <= slot < SLOTS * (n + 1) // 3)
        ids = [node.client().execute_command("CLUSTER MYID").decode() for node in self.nodes]
        there = (here + 1) % 3
        source, target = self.nodes[here].client(), self.nodes[there].client()
        target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[here])
        source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[there])
        while keys := source.execute_command("CLUSTER GETKEYSINSLOT", slot, 10):
            port = self.nodes[there].port
            source.execute_command("MIGRATE", "127.0.0.1", port, "", 0, 5000, "REPLACE", "KEYS", *keys)
        between()
        for node in (self.nodes[there], self.nodes[here], *self.nodes):
            node.client().execute_command("CLUSTER SETSLOT", slot, "NODE", ids[there])

    def flush(self) -> None:
        for node in self.nodes:
            with node.client() as client:
                client.flushall()

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()


class Watched:
    """A primary, a replica, and three Sentinels that call it `pidone`."""

    def __init__(self, directory: Path) -> None:
        self.primary = Server(directory / "primary", ["repl-diskless-sync-delay 0"])
        follow = f"replicaof 127.0.0.1 {self.primary.port}"
        self.replica = Server(directory / "replica", [follow, "repl-diskless-sync-delay 0"])
        watch = [f"sentinel monitor pidone 127.0.0.1 {self.primary.port} 2"]
        watch += ["sentinel down-after-milliseconds pidone 700", "sentinel failover-timeout pidone 4000"]
        self.sentinels = [Server(directory / f"sentinel{n}", watch, sentinel=True) for n in range(3)]
        until(self.ready, 60.0)

    def ready(self) -> bool:
        """Whether the replica follows and every Sentinel knows the others and the replica."""
        with self.replica.client() as client:
            if client.info("replication").get("master_link_status") != "up":
                return False
        return all(self._knows(one) for one in self.sentinels)

    def _knows(self, sentinel: Server) -> bool:
        with sentinel.client() as client:
            found = client.execute_command("SENTINEL MASTERS")["pidone"]
            return bool(found["num-other-sentinels"] == 2 and found["num-slaves"] == 1)

    @property
    def address(self) -> Address:
        return Address("sentinel", False, tuple(("127.0.0.1", one.port) for one in self.sentinels), "pidone")

    def kill(self) -> None:
        for server in (*self.sentinels, self.replica, self.primary):
            server.kill()
