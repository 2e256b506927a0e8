"""Whom `user=` means: names need an entry, numbers do not."""

from __future__ import annotations

import os

import pytest

from initd.users import LAST_UID, Identity, identity_of, uid_of


def test_names_and_numbers_of_the_passwd_database() -> None:
    assert (uid_of("root"), uid_of("0"), uid_of("nobody")) == (0, 0, 65534)


@pytest.mark.parametrize("number", [54321, LAST_UID])
def test_a_number_without_an_entry_keeps_our_group_and_no_other(number: int) -> None:
    assert identity_of(str(number)) == Identity(number, os.getgid(), ())


@pytest.mark.parametrize("user", ["no-such-user", "", "-1", "1.5", "²", "a\0b", str(LAST_UID + 1), "9" * 30])
def test_nobody(user: str) -> None:
    assert identity_of(user) is None
    assert uid_of(user) is None
