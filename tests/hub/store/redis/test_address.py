"""The address of a Redis, and what the configuration says about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import ConfigError, parse
from hub.store.redis.address import Address, read_address


@pytest.mark.parametrize(
    "text, meant",
    [
        ("redis://h", Address("", False, (("h", 6379),))),
        ("redis://h:7/3", Address("", False, (("h", 7),), "", 3)),
        ("rediss://[::1]:7", Address("", True, (("::1", 7),))),
        ("redis+unix:///run/r.sock", Address("unix", False, (), "/run/r.sock")),
        ("redis+sentinel://a,b:9/main", Address("sentinel", False, (("a", 26379), ("b", 9)), "main")),
        ("rediss+cluster://a:1, b:2", Address("cluster", True, (("a", 1), ("b", 2)))),
    ],
)
def test_addresses(text: str, meant: Address) -> None:
    assert read_address(text) == meant


@pytest.mark.parametrize(
    "text, word",
    [
        ("http://h", "embedded"),
        ("redis://me:secret@h", "redis_password_file"),
        ("redis://a,b", "several hosts"),
        ("redis+sentinel://a", "name"),
        ("redis+cluster://a/1", "databases"),
        ("redis://h/x", "number"),
        ("redis://h:99999", "HOST:PORT"),
        ("redis://", "HOST"),
        ("rediss+unix:///x", "socket"),
    ],
)
def test_what_is_wrong_is_said(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_address(text)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for start in ("", "redis://", "redis+sentinel://"):
        try:
            assert isinstance(read_address(start + text), Address)
        except ValueError:
            pass


def problems(*lines: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse("f", "\n".join(["[store]", *lines]), exists=lambda path: path == "/there")
    return str(error.value).splitlines()


def test_the_configuration_is_checked_with_lines() -> None:
    found = problems("store = redis://x@h", "redis_sync = often", "redis_replicas = -1", "redis_password_file = /none")
    assert [line.split(" ")[0] for line in found] == ["f:2:", "f:3:", "f:4:", "f:5:"]


def test_what_is_for_redis_needs_redis_and_what_is_for_tls_needs_tls() -> None:
    assert problems("redis_user = me")[0].startswith("f:2: redis_user is for a store on Redis")
    assert "rediss" in problems("store = redis://h", "redis_tls_ca = /there")[0]
    assert "each other" in problems("store = rediss://h", "redis_tls_cert = /there")[0]


def test_a_whole_configuration() -> None:
    lines = "[store]\nstore = rediss+cluster://a,b\nredis_user = hub\nredis_password_file = /x\nredis_replicas = 1\n"
    config = parse("f", lines + "redis_sync = everysec\nredis_tls_ca = /there\n", exists=lambda path: True)
    assert config.store == read_address("rediss+cluster://a,b")
    assert (config.redis_user, config.redis_sync, config.redis_replicas) == ("hub", "everysec", 1)
