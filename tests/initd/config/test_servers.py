"""Control sockets and plugins that files ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from initd.config.records import Config
from initd.config.servers import address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9001", ":9001"),
        ("*:9001", ":9001"),
        ("127.0.0.1:9001", "127.0.0.1:9001"),
        ("LocalHost:80", "localhost:80"),
        ("::1:9001", "::1:9001"),
        ("0", None),
        ("65536", None),
        ("host:", None),
        ("x", None),
    ],
)
def test_addresses(text: str, expected: str | None) -> None:
    assert address(text) == expected


def test_servers_are_typed(good: Callable[..., Config]) -> None:
    config = good(
        "[unix_http_server]\nfile=/tmp/../run/s.sock\nchmod=0770\nchown=root\n[inet_http_server:b]\nport=*:9001\n"
        "username=u\npassword=p\n"
    )
    inet, unix = config.servers
    assert unix == ("unix_http_server", "/run/s.sock", None, None, 0o770, "root")
    assert inet == ("inet_http_server:b", ":9001", "u", "p", None, None)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("[unix_http_server]\n", "has no file"),
        ("[unix_http_server]\nfile=/x\nchmod=9\n", "not octal"),
        ("[unix_http_server]\nfile=/x\nusername=u\n", "has no password: give both"),
        ("[inet_http_server]\n", "has no port"),
        ("[inet_http_server]\nport=99999\n", "write host:port"),
        ("[inet_http_server]\nport=1\npassword=p\n", "has no username: give both"),
        ("[rpcinterface:x]\n", "has no supervisor.rpcinterface_factory"),
        ("[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b\nretries=%(here)s\n", "retries: %(here)s is not known"),
    ],
)
def test_what_is_refused(errors: Callable[..., list[str]], text: str, cure: str) -> None:
    assert cure in errors(text)[0]


def test_an_owner_is_asked_about_on_demand(errors: Callable[..., list[str]]) -> None:
    text = "[unix_http_server]\nfile=/x\nchown=ghost:g\n"
    assert errors(text) == []
    assert "there is no user 'ghost'" in errors(text, users=lambda name: None)[0]
    assert "there is no group 'g'" in errors(text, groups=lambda name: None)[0]


@pytest.mark.parametrize("owner", ["0:", ":0", ":", ""])
def test_an_owner_without_a_name_is_refused_anywhere(errors: Callable[..., list[str]], owner: str) -> None:
    assert "write user or user:group" in errors(f"[unix_http_server]\nfile=/x\nchown={owner}\n")[0]
