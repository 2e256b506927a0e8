"""Where a request comes from, and who sent it; pure."""

from __future__ import annotations

import pytest

from console.auth.origin import is_ours, knows_host, sender

ALLOWED = ("ops.example.org", "*.lab.example.org", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("ops.example.org", True),
        ("OPS.example.org:443", True),
        ("a.lab.example.org", True),
        ("[::1]:7480", True),
        ("lab.example.org", False),
        ("evil.org", False),
        ("ops.example.org.evil.org", False),
        ("", False),
        ("[", False),
        ("evil.org@127.0.0.1x", False),
        ("xlab.example.org", False),
    ],
)
def test_names_of_ours(host: str, known: bool) -> None:
    assert knows_host(host, ALLOWED) is known


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.0.0.9", "", "10.0.0.9"),
        ("10.0.0.9", "1.2.3.4", "1.2.3.4"),
        ("9.9.9.9", "1.2.3.4", "9.9.9.9"),
        ("10.0.0.9", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.9", "6.6.6.6, 1.2.3.4, 10.0.0.8", "1.2.3.4"),
        ("10.0.0.9", "nonsense", "10.0.0.9"),
        ("10.0.0.9", "," * 5000, "10.0.0.9"),
        ("10.0.0.9", "10.0.0.8", "10.0.0.8"),
    ],
)
def test_the_sender_is_the_rightmost_that_is_no_proxy_of_ours(peer: str, forwarded: str, found: str) -> None:
    assert sender(peer, forwarded, ("10.0.0.0/24",)) == found


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "https://ops.example.org"}, True),
        ({"origin": "https://evil.org"}, False),
        ({"origin": "null"}, False),
    ],
)
def test_pages_of_ours(headers: dict[str, str], ours: bool) -> None:
    assert is_ours(headers, "ops.example.org") is ours
