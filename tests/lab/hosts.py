"""Several Docker hosts on one machine: engines with mutual TLS, each in a network namespace behind its own cable.

    python -m tests.lab.hosts up N | down | status
    python -m tests.lab.hosts cut I | mend I | kill I | start I | env I

Host I is tcp://10.87.I.2:2376, joined to this machine by a point-to-point link (10.87.I.1), with certificates of our
own CA in PKI.  `cut` takes the far end of the cable away: nothing is refused, everything just hangs.  `kill` is
SIGKILL: its containers run on, connections are refused.  Needs root and docker.io, iptables, iproute2, openssl.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.lab import engine_process as lab

BASE = Path("/var/tmp/pidone-test-hosts")
PKI = BASE / "pki"
STRANGER = BASE / "stranger"
"""A CA that the engines do not know, with a client certificate of it."""
MOST = 4


def address(host: int) -> str:
    """Where host I listens."""
    return f"10.87.{host}.2"


def url(host: int) -> str:
    """Its URL."""
    return f"tcp://{address(host)}:2376"


def name(host: int) -> str:
    """Its host name, namespace and cgroup parent."""
    return f"{lab.PREFIX}h{host}"


def _key(directory: Path, owner: str) -> Path:
    key = directory / f"{owner}-key.pem"
    lab.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    return key


def make_authority(directory: Path) -> None:
    """A certificate authority with a client certificate."""
    directory.mkdir(parents=True)
    key = _key(directory, "ca")
    subject = f"/CN={lab.PREFIX}{directory.name}"
    wish = ("-x509", "-new", "-days", "30", "-subj", subject)
    lab.run("openssl", "req", *wish, "-key", key, "-out", directory / "ca.pem")
    issue(directory, "client", "extendedKeyUsage=clientAuth")


def issue(directory: Path, owner: str, extensions: str) -> None:
    """A certificate OWNER.pem with its key, signed by the authority in `directory`."""
    key, request, wish = _key(directory, owner), directory / f"{owner}.csr", directory / f"{owner}.ext"
    wish.write_text(extensions)
    lab.run("openssl", "req", "-new", "-key", key, "-subj", f"/CN={lab.PREFIX}{owner}", "-out", request)
    authority = ("-CA", directory / "ca.pem", "-CAkey", directory / "ca-key.pem", "-CAcreateserial")
    lab.run("openssl", "x509", "-req", "-in", request, *authority, "-days", "30", "-extfile", wish, "-out",
            directory / f"{owner}.pem")  # fmt: skip


def make_certificates() -> None:
    """Both authorities and a server certificate for each possible host."""
    if not STRANGER.exists():
        make_authority(PKI)
        for host in range(1, MOST + 1):
            issue(PKI, f"h{host}", f"subjectAltName=IP:{address(host)}\nextendedKeyUsage=serverAuth")
        make_authority(STRANGER)


def lay_cable(host: int) -> None:
    """Namespace and point-to-point link of host I."""
    if Path(f"/run/netns/{name(host)}").exists():
        return
    lab.make_namespace(name(host))
    near = f"{lab.PREFIX}v{host}"
    lab.run("ip", "link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", name(host))
    lab.run("ip", "addr", "add", f"10.87.{host}.1/24", "dev", near)
    lab.run("ip", "link", "set", near, "up")
    lab.run("ip", "-n", name(host), "addr", "add", f"{address(host)}/24", "dev", "eth0")
    lab.run("ip", "-n", name(host), "link", "set", "eth0", "up")


def _dockerd(host: int, home: Path) -> list[str]:
    return [
        "dockerd",
        f"--host={url(host)}",
        f"--host=unix://{home}/docker.sock",
        "--tlsverify",
        f"--tlscacert={PKI}/ca.pem",
        f"--tlscert={PKI}/h{host}.pem",
        f"--tlskey={PKI}/h{host}-key.pem",
        f"--data-root={home}/data",
        f"--exec-root={home}/exec",
        f"--pidfile={home}/dockerd.pid",
        f"--bip=10.87.{100 + host}.1/24",
        f"--default-address-pool=base=10.87.{200 + host}.0/24,size=28",
        f"--cgroup-parent=/{name(host)}",
    ]


def start(host: int) -> None:
    """Start its engine, returns when it answers; what a killed one left in the way is removed first."""
    home = BASE / f"h{host}"
    if lab.noted(home / "pid", str(home)) is not None:
        return
    home.mkdir(parents=True, exist_ok=True)
    for stale in [home / "dockerd.pid", *home.glob("exec/containerd/*.pid"), *home.glob("exec/containerd/*.sock*")]:
        stale.unlink(missing_ok=True)  # dockerd would take the pid for a running containerd, and give up after a minute
    for pid in lab.naming(home):
        if "containerd-shim" not in lab.command_line(pid):
            lab.kill_all([pid])
    naming = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name(host)]
    lab.spawn(name(host), [*naming, *_dockerd(host, home)], home / "pid", home / "log")
    lab.wait_for(lambda: answers(host), 60, f"the engine of host {host} (see {home}/log)")


def answers(host: int) -> bool:
    """Whether its engine answers on its local socket."""
    socket = BASE / f"h{host}/docker.sock"
    return "OK" in lab.run("curl", "-fsS", "--max-time", "2", "--unix-socket", socket, "http://d/_ping", check=False)


def kill(host: int) -> None:
    """SIGKILL its dockerd."""
    lab.end(BASE / f"h{host}/pid", str(BASE / f"h{host}"), signal.SIGKILL)


def cut(host: int) -> None:
    """Take the far end of its cable away."""
    lab.run("ip", "-n", name(host), "link", "set", "eth0", "down")


def mend(host: int) -> None:
    """Put it back."""
    lab.run("ip", "-n", name(host), "link", "set", "eth0", "up")


def up(count: int) -> None:
    """Start hosts 1..count."""
    make_certificates()
    for host in range(1, count + 1):
        lay_cable(host)
        start(host)


def down() -> None:
    """End all hosts with all their containers and remove their traces."""
    for host in range(1, MOST + 1):
        home = BASE / f"h{host}"
        lab.kill_all(lab.in_cgroup(name(host)))
        lab.end(home / "pid", str(home))
        lab.kill_all(lab.naming(home))
        lab.remove_namespace(name(host))
        lab.remove_tree(home)
        lab.remove_cgroups(name(host))
    lab.remove_tree(BASE)


def status() -> str:
    """One line a host."""
    homes = [host for host in range(1, MOST + 1) if (BASE / f"h{host}").exists()]
    return "\n".join(f"{host} {url(host)} {'up' if answers(host) else 'down'}" for host in homes) or "no hosts"


def environment(host: int) -> str:
    """What the docker command needs to reach it."""
    for link, target in (("cert.pem", "client.pem"), ("key.pem", "client-key.pem")):
        if not (PKI / link).exists():
            (PKI / link).symlink_to(target)
    return f"export DOCKER_HOST={url(host)} DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH={PKI}"


def main(argv: list[str]) -> int:
    """The command line; 0 done, 1 failed, 2 usage."""
    alone = {"down": down, "status": status}
    numbered = {"up": up, "cut": cut, "mend": mend, "kill": kill, "start": start, "env": environment}
    if argv and argv[0] in alone and len(argv) == 1:
        said = alone[argv[0]]()
    elif len(argv) == 2 and argv[0] in numbered and argv[1].isdecimal() and 1 <= int(argv[1]) <= MOST:
        said = numbered[argv[0]](int(argv[1]))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    print(said or "done")
    return 0


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("tests.lab.hosts: needs root")
    sys.exit(main(sys.argv[1:]))
