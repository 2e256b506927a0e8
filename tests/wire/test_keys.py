"""Keys, join strings and client key files: strict, and clear about what is wrong."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.keys import PREFIX, ClientKey, JoinString, KeyFault, KeyPair, check_address, check_key, seal

PAIR = KeyPair.generate()
JOIN = JoinString(("hub.example:7403", "[2001:db8::1]:7403"), PAIR.public, "t1", b"s" * 32)
CLIENT = ClientKey("alice", "admin", "127.0.0.1:7404", "127.0.0.1:7405", PAIR.public, PAIR.public, PAIR.secret)


def test_a_join_string_comes_back() -> None:
    assert JoinString.parse(f"  {JOIN.format()}\n") == JOIN


@given(st.data())
def test_a_damaged_join_string_is_refused(data: st.DataObject) -> None:
    text = JOIN.format()
    place = data.draw(st.integers(len(PREFIX), len(text) - 2))
    foreign = data.draw(st.characters().filter(lambda c: c != text[place]))
    with pytest.raises(KeyFault) as fault:
        JoinString.parse(text[:place] + foreign + text[place + 1 :])
    assert "ssss" not in str(fault.value)


@given(st.integers(1, 60))
def test_a_join_string_that_lost_its_end_says_so(missing: int) -> None:
    with pytest.raises(KeyFault, match=r"damaged|lost its end"):
        JoinString.parse(JOIN.format()[:-missing])


@pytest.mark.parametrize("text", ["", "pidone1", "swarm1.abc", PREFIX, PREFIX + "A" * 5000])
def test_what_is_no_join_string_is_refused(text: str) -> None:
    with pytest.raises(KeyFault):
        JoinString.parse(text)


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ([], "does not hold"),
        ([[], b"k" * 32, "t", b"s" * 32], "no hub"),
        ([["hub"], b"k" * 32, "t", b"s" * 32], "no address"),
        ([["hub:1"] * 17, b"k" * 32, "t", b"s" * 32], "more than 16"),
        ([["hub:1"], b"k" * 31, "t", b"s" * 32], "fleet key"),
        ([["hub:1"], b"k" * 32, "../t", b"s" * 32], "token id"),
        ([["hub:1"], b"k" * 32, "t", b"s"], "secret"),
        ([["hub:1"], b"k" * 32, "t", "text" * 8], "secret"),
        ({"a": 1}, "does not hold"),
    ],
)
def test_each_part_is_checked(parts: object, complaint: str) -> None:
    with pytest.raises(KeyFault, match=complaint):
        JoinString.parse(seal(msgpack.packb(parts)))


def test_secrets_do_not_show() -> None:
    shown = f"{PAIR} {JOIN} {CLIENT}"
    assert PAIR.secret not in shown and "ssss" not in shown


@pytest.mark.parametrize("address", ["hub:7403", "10.0.0.1:1", "[::1]:65535", "a-b.c_d:80"])
def test_addresses(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize(
    "address", ["", "hub", ":7403", "hub:", "hub:0", "hub:65536", "hub:7x", "::1:7403", "h b:1", "tcp://h:1", "\n:1", 7]
)
def test_what_is_no_address(address: object) -> None:
    with pytest.raises(KeyFault):
        check_address(address)


@pytest.mark.parametrize("key", ["", "x" * 39, "x" * 41, '"' * 40, "\u00e9" * 40, b"x" * 40, None])
def test_what_is_no_key(key: object) -> None:
    with pytest.raises(KeyFault):
        check_key(key)


def test_a_key_pair_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    PAIR.save(tmp_path / "agent.key")
    assert KeyPair.load(tmp_path / "agent.key") == PAIR
    assert stat.S_IMODE((tmp_path / "agent.key").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["agent.key"]


def test_halves_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    KeyPair(KeyPair.generate().public, PAIR.secret).save(tmp_path / "k")
    with pytest.raises(KeyFault, match=r"k: the public key"):
        KeyPair.load(tmp_path / "k")


def test_a_client_key_file_comes_back(tmp_path: Path) -> None:
    CLIENT.save(tmp_path / "client.json")
    assert ClientKey.load(tmp_path / "client.json") == CLIENT


@pytest.mark.parametrize("field", ClientKey._fields)
def test_a_client_key_file_names_the_missing_field(tmp_path: Path, field: str) -> None:
    fields = CLIENT._asdict()
    del fields[field]
    (tmp_path / "c.json").write_text(json.dumps(fields))
    with pytest.raises(KeyFault, match=f"c.json: '{field}'"):
        ClientKey.load(tmp_path / "c.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', "\x00"])
def test_a_broken_client_key_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(KeyFault, match=r"c\.json"):
        ClientKey.load(tmp_path / "c.json")


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    PAIR.save(tmp_path / "k")
    with pytest.raises(TypeError):
        KeyPair(PAIR.public, object()).save(tmp_path / "k")  # type: ignore[arg-type]
    assert KeyPair.load(tmp_path / "k") == PAIR and os.listdir(tmp_path) == ["k"]
