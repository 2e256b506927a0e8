"""`hubctl engine init HOST`: everything that mutual TLS between a hub and a Docker engine needs, in one directory.

    DIR/authority/    ca-key.pem (keep it, or renewing means a new authority), ca.pem
    DIR/host/         for /etc/docker/pidone on the engine's host: ca.pem, server.pem, server-key.pem;
                      daemon.json, docker-pidone.conf (systemd), install.sh
    DIR/hub/          for the hub: ca.pem, client.pem, client-key.pem, engine.ini (its section)

Nothing is overwritten and nothing is sent anywhere: a person copies two directories and runs one script.  systemd's
Debian unit says `-H fd://`, and dockerd refuses `hosts` in daemon.json beside that; the drop-in takes it away.
"""

from __future__ import annotations

import json
import re
import shutil
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.ctl import pki
from hub.ctl.tables import print_json
from wire.client import Client
from wire.keys import write_private

TARGET = "/etc/docker/pidone"
"""Where the engine's files are to lie on its host."""
HUB_TARGET = "/etc/pidone/engines"
DROP_IN = "/etc/systemd/system/docker.service.d/pidone.conf"
SOCKET = "unix:///var/run/docker.sock"
DAYS_MOST = 3650

UNIT = """# daemon.json names the addresses; dockerd refuses them beside the unit's own -H.
[Service]
ExecStart=
ExecStart=dockerd --containerd=/run/containerd/containerd.sock
"""

INSTALL = """#!/bin/sh
# Installs the certificates beside this script on the engine's host; run it there as root.  It stops before it changes
# a configuration that somebody else wrote.
set -eu
cd "$(dirname "$0")"
[ "$(id -u)" = 0 ] || { echo "run this as root" >&2; exit 1; }
if [ -e /etc/docker/daemon.json ] && ! cmp -s daemon.json /etc/docker/daemon.json; then
    echo "/etc/docker/daemon.json exists: put what daemon.json here says into it by hand, then run this again:" >&2
    echo "  KEEP_DAEMON_JSON=1 $0" >&2
    [ "${KEEP_DAEMON_JSON:-}" = 1 ] || exit 1
fi
umask 077
install -d -m 0700 TARGET
install -m 0644 ca.pem server.pem TARGET/
install -m 0600 server-key.pem TARGET/
[ -e /etc/docker/daemon.json ] || install -m 0644 daemon.json /etc/docker/daemon.json
if [ -d /run/systemd/system ]; then
    install -d -m 0755 "$(dirname DROP_IN)"
    install -m 0644 docker-pidone.conf DROP_IN
    systemctl daemon-reload
    echo "now: systemctl restart docker   (containers stop unless live-restore is on)"
else
    echo "now: restart dockerd without -H (daemon.json names its addresses); containers stop unless live-restore is on"
fi
"""


def alone(options: Namespace) -> int | None:
    """Needs no hub."""
    return init(options)


def engine(hub: Client, options: Namespace) -> int:
    """Never reached: `alone` does it all."""
    return init(options)


def init(options: Namespace) -> int:
    """Writes the directory, or new certificates into it; raises PkiFault, OSError, ValueError."""
    name = options.name or options.host
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name) is None:
        raise ValueError(f"{name[:80]!r} is no name for an engine: letters, digits, _ . - (choose one with --name)")
    if not 0 < options.days <= DAYS_MOST or not 0 < options.port < 65536:
        raise ValueError(f"--days goes from 1 to {DAYS_MOST}, --port from 1 to 65535")
    hosts = [options.host, *options.also]
    for host in hosts:
        pki.alternative(host)
    folder = Path(options.out or f"engine-{name}")
    if options.renew:
        _renew(folder, name, hosts, options.days)
    else:
        _make(folder, name, hosts, options)
    return _told(folder, name, options)


def _make(folder: Path, name: str, hosts: list[str], options: Namespace) -> None:
    if folder.exists():
        raise pki.PkiFault(
            f"{folder} exists; nothing is overwritten: choose another --out, or --renew its certificates"
        )
    folder.mkdir(mode=0o700, parents=True)
    try:
        for part in ("authority", "host", "hub"):
            (folder / part).mkdir(mode=0o700)
        pki.make_authority(folder / "authority", name)
        _issue(folder, name, hosts, options.days)
        _configure(folder, name, options)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _renew(folder: Path, name: str, hosts: list[str], days: int) -> None:
    if not (folder / "authority" / "ca-key.pem").is_file():
        raise pki.PkiFault(f"{folder}/authority/ca-key.pem is not there: --out names the directory of an earlier init")
    _issue(folder, name, hosts, days)


def _issue(folder: Path, name: str, hosts: list[str], days: int) -> None:
    authority = folder / "authority"
    pki.issue(authority, "server", f"pidone engine {name}", days, "serverAuth", hosts)
    pki.issue(authority, "client", "pidone hub", days, "clientAuth")
    for owner, part in (("server", "host"), ("client", "hub")):
        for file in (f"{owner}.pem", f"{owner}-key.pem"):
            (authority / file).replace(folder / part / file)
        pki.write_public(folder / part / "ca.pem", (authority / "ca.pem").read_text())


def daemon_json(host: str, port: int) -> dict[str, Any]:
    """The engine's configuration: its local socket as before, and TLS for the hub's certificate alone."""
    everywhere = "[::]" if ":" in host else "0.0.0.0"
    return {
        "hosts": [SOCKET, f"tcp://{everywhere}:{port}"],
        "tlsverify": True,
        "tlscacert": f"{TARGET}/ca.pem",
        "tlscert": f"{TARGET}/server.pem",
        "tlskey": f"{TARGET}/server-key.pem",
    }


def section(name: str, host: str, port: int) -> str:
    """The hub's section of this engine."""
    address = f"[{host.strip('[]')}]" if ":" in host else host
    files = {"ca": "ca.pem", "cert": "client.pem", "key": "client-key.pem"}
    lines = [f"tls_{key} = {HUB_TARGET}/{name}/{file}" for key, file in files.items()]
    return "\n".join([f"[engine:{name}]", f"url = tcp://{address}:{port}", *lines, ""])


def _configure(folder: Path, name: str, options: Namespace) -> None:
    script = INSTALL.replace("TARGET", TARGET).replace("DROP_IN", DROP_IN)
    pki.write_public(
        folder / "host" / "daemon.json", json.dumps(daemon_json(options.host, options.port), indent=2) + "\n"
    )
    pki.write_public(folder / "host" / "docker-pidone.conf", UNIT)
    write_private(folder / "host" / "install.sh", script)
    (folder / "host" / "install.sh").chmod(0o700)
    pki.write_public(folder / "hub" / "engine.ini", section(name, options.host, options.port))


def _told(folder: Path, name: str, options: Namespace) -> int:
    until = pki.expires(folder / "host" / "server.pem")
    told: Mapping[str, object] = {
        "engine": name,
        "directory": str(folder),
        "host_files": str(folder / "host"),
        "hub_files": str(folder / "hub"),
        "section": (folder / "hub" / "engine.ini").read_text(),
        "expires": until,
        "renewed": bool(options.renew),
    }
    if options.json:
        print_json(told)
        return 0
    also = "".join(f" --also {host}" for host in options.also)
    again = f"hubctl engine init {options.host} --name {name}{also} --out {folder} --renew"
    print(f"""{folder}: certificates of engine {name}, valid until {until}
next:
 1. on the engine's host, as root:    copy {folder}/host there and run its install.sh, then restart the engine
 2. on the hub's machine:             install -d -m 0700 {HUB_TARGET}/{name}
                                      copy the .pem files of {folder}/hub there, owned by hubd's user
 3. in hubd's configuration:          add the lines of {folder}/hub/engine.ini, then: hubd -c FILE --check; restart hubd
 4. see it:                           hubctl hosts
Whoever holds client-key.pem is root on {options.host}: keep it 0600, and let a firewall pass the hub only.
{folder}/authority signs new certificates: move it to a safe place.  Before they expire: {again}""")
    return 0
