"""Backups of keys: what goes in comes out, and nothing else opens them."""

from __future__ import annotations

import msgpack
import pytest

from hub.trust import escrow
from tests.support import rows
from tests.support.rows import T0

PASS = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost is paid once, in the test with the real verbs."""
    monkeypatch.setattr(escrow, "COST", 1 << 10)


@pytest.fixture
def saved() -> escrow.Saved:
    files = {"keys/hub.json": "{}", "keys/hub.id": "hub-1\n", "client/admin.json": "{}"}
    return escrow.Saved(T0, "hub-1", files, (rows.token(labels={"a": "ü"}),), (rows.key(), rows.key("k2")), 7)


def test_what_goes_in_comes_out(saved: escrow.Saved) -> None:
    assert escrow.unseal(escrow.seal(saved, PASS), PASS) == saved


def test_nothing_of_it_can_be_read_and_two_are_never_equal(saved: escrow.Saved) -> None:
    one, two = escrow.seal(saved, PASS), escrow.seal(saved, PASS)
    assert one != two and b"hub-1" not in one and saved.tokens[0].digest.encode() not in one


def test_a_wrong_passphrase_opens_nothing(saved: escrow.Saved) -> None:
    with pytest.raises(escrow.EscrowFault, match="wrong"):
        escrow.unseal(escrow.seal(saved, PASS), PASS + ".")


def test_every_changed_byte_is_noticed(saved: escrow.Saved) -> None:
    data = escrow.seal(saved, PASS)
    for index in range(0, len(data), 7):
        with pytest.raises(escrow.EscrowFault):
            escrow.unseal(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :], PASS)


@pytest.mark.parametrize("data", [b"", b"text", msgpack.packb({"magic": "pidone keys"}), msgpack.packb([1])])
def test_what_is_no_backup_is_told(data: bytes) -> None:
    with pytest.raises(escrow.EscrowFault, match="no backup"):
        escrow.unseal(data, PASS)


def test_a_backup_cannot_name_a_file_elsewhere(saved: escrow.Saved) -> None:
    evil = saved._replace(files={"keys/../../etc/passwd": "x"})
    with pytest.raises(escrow.EscrowFault, match="no keys"):
        escrow.unseal(escrow.seal(evil, PASS), PASS)


def test_a_short_passphrase_is_refused(saved: escrow.Saved) -> None:
    with pytest.raises(escrow.EscrowFault, match="at least 12"):
        escrow.seal(saved, "short")
