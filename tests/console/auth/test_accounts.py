"""Accounts, sessions and tokens on a real store, in virtual time."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from console.auth import limits
from console.auth.access import Access, open_access
from console.auth.settings import AuthSettings
from console.auth.sqlite import SqliteStore
from console.errors import Problem
from console.who import ROLES

WORD = "four random words, say"


class House:
    """Access whose clock the test moves, with one admin."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_800_000_000.0
        settings = AuthSettings(store=f"sqlite:{folder}/access.db", session_seconds=3600.0, idle_seconds=600.0)
        store = SqliteStore(f"{folder}/access.db", lambda: self.now)
        self.access = Access(settings, store, lambda: self.now)
        self.root = self.access.accounts.create("root", WORD, "admin", {})


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_password_and_nothing_else_proves(house: House) -> None:
    accounts = house.access.accounts
    assert accounts.proved("root", WORD) == house.root
    assert accounts.proved("root", WORD + " ") is None and accounts.proved("nobody", WORD) is None
    assert WORD not in repr(accounts.all()) and house.root.password.startswith("$argon2id$")


@pytest.mark.parametrize("word", ["short", "aaaaaaaaaaaaaaa", "ann's password", "x" * 300])
def test_what_is_no_password(house: House, word: str) -> None:
    with pytest.raises(Problem) as told:
        house.access.accounts.create("ann", word, "viewer", {})
    assert told.value.code == "password" and house.access.accounts.find("ann") is None


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "x" * 65, "\u202eann"])
def test_what_is_no_name(house: House, name: str) -> None:
    with pytest.raises(Problem):
        house.access.accounts.create(name, WORD, "viewer", {})


def test_the_last_admin_stays(house: House) -> None:
    accounts = house.access.accounts
    accounts.create("ann", WORD, "admin", {"team": "blue"})  # one with a scope rules nothing
    for attempt in (lambda: accounts.remove("root"), lambda: accounts.change("root", role="viewer")):
        with pytest.raises(Problem) as told:
            attempt()
        assert told.value.code == "last-admin"
    accounts.change("ann", scope={})
    accounts.remove("root")
    assert accounts.find("root") is None


def test_a_change_ends_the_sessions(house: House) -> None:
    cookie, _ = house.access.sessions.begin(house.root, "10.0.0.1")
    assert house.access.sessions.find(cookie) is not None
    house.access.accounts.change("root", password="other random words, say")
    assert house.access.sessions.find(cookie) is None


def test_a_session_that_is_used_lives_its_whole_life_and_no_longer(house: House) -> None:
    cookie, _ = house.access.sessions.begin(house.root, "10.0.0.1")
    for _ in range(11):
        house.now += 300.0
        assert house.access.sessions.find(cookie) is not None
    house.now += 300.0
    assert house.access.sessions.find(cookie) is None


def test_one_that_nobody_uses_ends_sooner(house: House) -> None:
    cookie, _ = house.access.sessions.begin(house.root, "10.0.0.1")
    house.now += 601.0
    assert house.access.sessions.find(cookie) is None


def test_what_is_kept_opens_nothing(house: House, tmp_path: Path) -> None:
    cookie, _ = house.access.sessions.begin(house.root, "10.0.0.1")
    token, _ = house.access.tokens.create(house.root, "viewer", {}, 60.0, "")
    house.access.store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert cookie.encode() not in kept and token.rpartition("_")[2].encode() not in kept and WORD.encode() not in kept


@pytest.mark.parametrize(("mine", "asked"), list(itertools.product(ROLES, ROLES)))
def test_a_token_may_no_more_than_who_made_it(house: House, mine: str, asked: str) -> None:
    account = house.access.accounts.create("ann", WORD, mine, {"team": "blue"})
    text, _ = house.access.tokens.create(account, asked, {"stage": "test"}, 60.0, "")
    found = house.access.tokens.find(text)
    assert found is not None and found[1:] == (min(mine, asked, key=ROLES.index), {"team": "blue", "stage": "test"})


def test_a_token_ends(house: House) -> None:
    account = house.access.accounts.create("ann", WORD, "operator", {})
    texts = [house.access.tokens.create(account, "viewer", {}, seconds, "") for seconds in (60.0, 600.0, 600.0)]
    assert all(house.access.tokens.find(text) for text, _ in texts)
    house.now += 61.0
    assert house.access.tokens.revoke(texts[1][1].id)
    assert [bool(house.access.tokens.find(text)) for text, _ in texts] == [False, False, True]
    house.access.accounts.remove("ann")
    house.access.accounts.create("ann", WORD, "admin", {})
    assert house.access.tokens.find(texts[2][0]) is None  # it was another ann's


@pytest.mark.parametrize("text", ["", "pidone__", "pidone_x_y", "x" * 10_000, "pidone_\x00_\x00"])
def test_what_is_no_token(house: House, text: str) -> None:
    assert house.access.tokens.find(text) is None


def test_the_code_is_good_once_and_only_for_the_first(tmp_path: Path) -> None:
    lines: list[str] = []
    access = open_access(AuthSettings(store=f"sqlite:{tmp_path}/access.db"), lines.append)
    code = lines[0].rpartition(" ")[2]
    for wrong in ("", "x", code[:-1]):
        with pytest.raises(Problem) as told:
            access.accounts.begin(wrong, "root", WORD)
        assert told.value.status == 403
    with pytest.raises(Problem):  # a slip does not use it up
        access.accounts.begin(code, "root", "short")
    assert access.accounts.begin(f" {code.upper()} ", "root", WORD).role == "admin"
    with pytest.raises(Problem):
        access.accounts.begin(code, "eve", WORD)
    again: list[str] = []
    open_access(AuthSettings(store=f"sqlite:{tmp_path}/access.db"), again.append)
    assert again == []


def test_strangers_do_not_fill_the_diary(house: House) -> None:
    for number in range(1000):
        house.access.diary.tell("", "10.0.0.1", "login", f"user{number}", "refused")
    house.access.diary.tell("root", "10.0.0.2", "user create", "ann", "done")
    house.now += 60.0
    house.access.diary.tell("", "10.0.0.1", "login", "eve", "refused")
    rows = house.access.diary.rows("", 100)
    assert len(rows) == limits.AUDIT_ANONYMOUS + 3
    assert [row["detail"] for row in rows if row["detail"]] == ["988 more in the minute before"]
