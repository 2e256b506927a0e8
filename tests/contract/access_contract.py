"""What every store of the console must do: books that stay, notes that end, a log that only grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from console.auth.store import Store, When
from tests.support.waiting import until

YEAR = 366 * 86400.0


class AccessContract:
    """Accounts and tokens are books, sessions and counts of failures notes, the audit is the log."""

    @pytest.fixture
    def opening(self) -> Callable[[], Store]:
        raise NotImplementedError

    @pytest.fixture
    def store(self, opening: Callable[[], Store]) -> Iterator[Store]:
        store = opening()
        yield store
        store.close()

    def test_what_was_added_is_there_for_whoever_opens_it_next(
        self, store: Store, opening: Callable[[], Store]
    ) -> None:
        assert store.add("account", "ann", b"1") and store.note("session", "s", b"2", 60.0)
        store.append(b"row", YEAR)
        other = opening()
        assert other.get("account", "ann") == b"1" and other.noted("session", "s") == b"2"
        assert [row for _, row in other.log("", 10)] == [b"row"]
        other.close()

    def test_a_key_is_added_once(self, store: Store) -> None:
        assert store.add("account", "ann", b"1")
        assert not store.add("account", "ann", b"2")
        assert store.get("account", "ann") == b"1" and store.get("token", "ann") is None

    def test_of_many_that_add_at_once_one_succeeds(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            added = list(pool.map(lambda n: store.add("account", "ann", b"%d" % n), range(16)))
        assert sum(added) == 1 and store.get("account", "ann") == b"%d" % added.index(True)

    def test_a_swap_needs_what_it_replaces(self, store: Store) -> None:
        store.add("account", "ann", b"1")
        assert store.swap("account", "ann", b"1", b"2")
        assert not store.swap("account", "ann", b"1", b"3")
        assert not store.swap("account", "bob", b"1", b"3")
        assert store.all("account") == {"ann": b"2"}

    def test_what_was_dropped_is_gone(self, store: Store) -> None:
        store.add("account", "ann", b"1")
        assert store.drop("account", "ann") and not store.drop("account", "ann")
        assert store.get("account", "ann") is None and store.all("account") == {}

    def test_a_note_ends_by_itself(self, store: Store) -> None:
        store.note("session", "short", b"1", 0.3)
        store.note("session", "long", b"1", 60.0)
        until(lambda: store.noted("session", "short") is None)
        assert store.noted("session", "long") == b"1"
        assert store.note("session", "short", b"2", 60.0, When.ABSENT)

    def test_an_ended_note_is_not_present(self, store: Store) -> None:
        store.note("session", "s", b"1", 0.2)
        until(lambda: store.noted("session", "s") is None)
        assert store.take("session", "s") is None
        assert not store.note("session", "s", b"2", 60.0, When.PRESENT)

    def test_conditions_of_a_note(self, store: Store) -> None:
        assert not store.note("session", "s", b"1", 60.0, When.PRESENT)
        assert store.note("session", "s", b"1", 60.0, When.ABSENT)
        assert not store.note("session", "s", b"2", 60.0, When.ABSENT)
        assert store.note("session", "s", b"3", 60.0, When.PRESENT)
        assert store.noted("session", "s") == b"3"

    def test_a_note_is_taken_by_one(self, store: Store) -> None:
        store.note("oidc", "state", b"1", 60.0)
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _: store.take("oidc", "state"), range(16)))
        assert sorted(taken, key=str) == [None] * 15 + [b"1"] or taken.count(b"1") == 1

    def test_counts_miss_nobody_and_end(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            counted = list(pool.map(lambda _: store.count("failures", "ann", 60.0), range(16)))
        assert sorted(counted) == list(range(1, 17))
        store.forget("failures", "ann")
        assert store.count("failures", "ann", 0.2) == 1
        until(lambda: store.count("failures", "ben", 60.0) and store.noted("failures", "ann") is None)
        assert store.count("failures", "ann", 60.0) == 1

    def test_the_log_is_read_backwards_in_pages(self, store: Store) -> None:
        for number in range(7):
            store.append(b"%d" % number, YEAR)
        first = store.log("", 3)
        second = store.log(first[-1][0], 10)
        assert [row for _, row in first + second] == [b"6", b"5", b"4", b"3", b"2", b"1", b"0"]
        assert store.log(second[-1][0], 10) == []

    @pytest.mark.parametrize("hostile", ["-1", "(0-0", "x", "9" * 60, "1; DROP TABLE log", "\x00", "٣"])
    def test_a_position_that_is_none_begins_at_the_newest(self, store: Store, hostile: str) -> None:
        store.append(b"row", YEAR)
        assert [row for _, row in store.log(hostile, 10)] == [b"row"]

    @pytest.mark.parametrize("name", ["a b", "é", "*", "a\nb", "%s", "x" * 300, "'; --"])
    def test_any_text_is_a_key(self, store: Store, name: str) -> None:
        assert store.add("account", name, b"\x00\xff") and store.note("session", name, b"\x00\xff", 60.0)
        assert store.all("account") == {name: b"\x00\xff"} and store.noted("session", name) == b"\x00\xff"
