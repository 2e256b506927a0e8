from __future__ import annotations

import hashlib
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.link import interfaces
from initd.link.cgroup import host_memory, network
from initd.link.digest import sha256
from initd.link.files import unescape

DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0
eth0:1234567 99 0 0 0 0 0 0 7654321 88 0 0 0 0 0 0
eth0:1: 3 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0
 broken
"""


def request(name: str, address: str) -> bytes:
    told = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
    return (name.encode().ljust(16, b"\0") + told).ljust(interfaces.REQUEST_BYTES, b"\0")


def test_addresses_of_requests() -> None:
    found = [("lo", "127.0.0.1"), ("eth0", "172.17.0.2"), ("eth0:1", "10.255.0.9")]
    assert list(interfaces.ipv4(b"".join(request(*one) for one in found))) == found


def test_half_a_request_is_none() -> None:
    assert list(interfaces.ipv4(request("lo", "127.0.0.1")[:-1])) == []


def test_addresses_of_version_6() -> None:
    text = (
        "fe80000000000000a8bbccfffe000001 02 40 20 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    assert list(interfaces.ipv6(text)) == [("eth0", "fe80::a8bb:ccff:fe00:1"), ("lo", "::1")]


@given(st.text("0123456789abcdefg \n", max_size=80))
def test_nonsense_of_version_6_is_passed_over(text: str) -> None:
    assert all(len(one) == 2 for one in interfaces.ipv6(text.replace("g", "")))


def test_the_kernel_tells_its_loopback() -> None:
    assert "127.0.0.1" in interfaces.named()["lo"]


def test_bytes_of_each_interface() -> None:
    assert interfaces.carried(lambda path: DEV) == {"lo": (5, 5), "eth0": (1234567, 7654321), "eth0:1": (3, 4)}


def test_without_figures_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "carried", dict)
    assert network() == {}
    monkeypatch.setattr(interfaces, "carried", lambda: {"lo": (1, 2), "a": (10, 20), "b": (1, 1)})
    assert network() == {"net_rx_bytes": 11.0, "net_tx_bytes": 21.0}


def test_the_memory_of_the_machine() -> None:
    assert host_memory(lambda path: "MemTotal:       16384 kB\nMemFree: 1 kB\n") == 16384 * 1024
    assert host_memory(lambda path: "") != host_memory(lambda path: "")  # NaN
    assert host_memory() > 1 << 20


@pytest.mark.parametrize(
    ("written", "path"),
    [("/a\\040b", "/a b"), ("/plain", "/plain"), ("/a\\134040", "/a\\040"), ("/a\\", "/a\\"), ("/\\09", "/\\09")],
)
def test_paths_with_blanks(written: str, path: str) -> None:
    assert unescape(written) == path


@given(st.binary(max_size=200))
def test_the_digest_is_the_usual_one(data: bytes) -> None:
    assert sha256(data).hexdigest() == hashlib.sha256(data).hexdigest()
