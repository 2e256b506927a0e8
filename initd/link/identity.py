"""Which container this is: its id, its addresses, its labels.  A claim; the hub believes it when an engine agrees.

Theory.  No runtime tells a container its id.  It shows in mountinfo, because the engine bind-mounts files of its own
state directory of that container over /etc/hostname, /etc/hosts and /etc/resolv.conf; else in the cgroup path, where
the cgroup namespace is not private; else the host name is the id's first twelve digits (Docker's default); else
PIDONE_CONTAINER_ID may say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from initd.link import interfaces
from initd.link.files import read
from initd.sockets import socket
from wire import limits

ENGINE_FILES = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
IN_MOUNT = re.compile(r"/(?:overlay-)?containers/([0-9a-f]{64})(?:/|$)")
IN_CGROUP = re.compile(r"(?:^|[/-])([0-9a-f]{64})(?:\.scope|/|$)")
SHORT = re.compile(r"[0-9a-f]{12}")
GIVEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}")


class Claim(NamedTuple):
    """A container id and where it was found."""

    container: str
    source: str


def container_id(mountinfo: str, cgroup: str, hostname: str, environ: Mapping[str, str]) -> Claim:
    """The first id found, in the order of the module's docstring; empty and `none` where there is none."""
    if found := _in_mounts(mountinfo):
        return Claim(found, "mountinfo")
    if found := _in_cgroup(cgroup):
        return Claim(found, "cgroup")
    if SHORT.fullmatch(hostname):
        return Claim(hostname, "hostname")
    given = environ.get("PIDONE_CONTAINER_ID", "")
    return Claim(given, "environment") if GIVEN.fullmatch(given) else Claim("", "none")


def _in_mounts(mountinfo: str) -> str:
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if len(fields) > 4 and fields[4] in ENGINE_FILES and (match := IN_MOUNT.search(fields[3])):
            return match[1]
    return ""


def _in_cgroup(cgroup: str) -> str:
    """The last id in a path: a container inside a pod's or another container's cgroup is the inner one."""
    for line in cgroup.splitlines():
        if found := IN_CGROUP.findall(line.rpartition(":")[2]):
            return str(found[-1])
    return ""


def find_container(environ: Mapping[str, str]) -> Claim:
    """The claim of this very container."""
    return container_id(read("/proc/self/mountinfo"), read("/proc/self/cgroup"), socket.gethostname(), environ)


def addresses() -> tuple[str, ...]:
    """Addresses of this network namespace that others may reach: no loopback, no link-local."""
    found = []
    for of_one in interfaces.named().values():
        for text in of_one:
            if not text.startswith(("127.", "fe80:", "169.254.")) and text != "::1":
                found.append(text)
    return tuple(found[: limits.ADDRESSES])


def labels(text: str) -> dict[str, str]:
    """PIDONE_LABELS, `key=value,key=value`; what does not fit is left out."""
    pairs = (part.partition("=") for part in text.split(","))
    kept = {key.strip(): value.strip() for key, equals, value in pairs if equals and key.strip()}
    fitting = [(key, value) for key, value in kept.items() if len(key) <= limits.NAME_CHARS and len(value) <= 256]
    return dict(fitting[: limits.LABELS])
