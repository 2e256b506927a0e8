"""This network namespace as the kernel tells it: addresses, and bytes that went through.

Theory.  netdevice(7): SIOCGIFCONF fills an array of struct ifreq with the IPv4 addresses of all interfaces, each 16
bytes of name and a struct sockaddr_in, padded to the size of the largest member, struct ifmap.  IPv6 addresses stand in
/proc/net/if_inet6, counters in /proc/net/dev: eight columns received, eight sent, bytes first (proc_pid_net(5)).
A library for these three would cost link a megabyte.
"""

from __future__ import annotations

import fcntl
import struct
from array import array
from collections.abc import Callable, Iterator

from initd.link.files import read
from initd.sockets import socket

Read = Callable[[str], str]

SIOCGIFCONF = 0x8912
NAME_BYTES = 16
REQUEST_BYTES = NAME_BYTES + 3 * struct.calcsize("P")
"""struct ifmap: two longs, a short, three bytes, and padding."""
MOST = 256
"""Addresses asked for, many times what the hub is told (wire.limits.ADDRESSES)."""


def named() -> dict[str, list[str]]:
    """Addresses by interface, IPv4 first."""
    found: dict[str, list[str]] = {}
    for name, address in (*_ipv4(), *ipv6(read("/proc/net/if_inet6"))):
        found.setdefault(name, []).append(address)
    return found


def _ipv4() -> Iterator[tuple[str, str]]:
    room = array("B", bytes(MOST * REQUEST_BYTES))
    place, length = room.buffer_info()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            answer = fcntl.ioctl(asked, SIOCGIFCONF, struct.pack("iP", length, place))
    except OSError:  # no IPv4 here
        return iter(())
    filled: int = struct.unpack_from("i", answer)[0]
    return ipv4(room.tobytes()[:filled])


def ipv4(requests: bytes) -> Iterator[tuple[str, str]]:
    """Interface and address of each struct ifreq."""
    for at in range(0, len(requests) - REQUEST_BYTES + 1, REQUEST_BYTES):
        name, _, _ = requests[at : at + NAME_BYTES].partition(b"\0")
        address = requests[at + NAME_BYTES + 4 : at + NAME_BYTES + 8]  # behind family and port
        yield name.decode("utf-8", "backslashreplace"), socket.inet_ntop(socket.AF_INET, address)


def ipv6(text: str) -> Iterator[tuple[str, str]]:
    """Interface and address of each line of if_inet6."""
    for words in map(str.split, text.splitlines()):
        if len(words) == 6 and len(words[0]) == 32:
            yield words[5], socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0]))


def carried(read: Read = read) -> dict[str, tuple[int, int]]:
    """Bytes received and sent by each interface; empty where that is unknown."""
    found = {}
    for line in read("/proc/net/dev").splitlines()[2:]:
        name, _, rest = line.rpartition(":")
        numbers = rest.split()
        if len(numbers) > 8:
            found[name.strip()] = int(numbers[0]), int(numbers[8])
    return found
