"""Who has sent too much, in numbers alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.shares import GROWTH, MESSAGE, READ, SHARE, STRANGERS, TOPICS, Excess, Ledger, Seen, Shares, Taken

FEED = 7405
MIB = 1 << 20


def seen(cookie: int, received: int, fd: int = 0, port: int = 7401) -> Seen:
    return Seen(fd or cookie, cookie, port, received, received // 65_536)


def look(shares: Shares, *connections: Seen, taken: Taken | None = None, grows: bool = False) -> list[Excess]:
    return shares.judge(connections, taken or {}, 1.0, grows)


def known(shares: Shares, *connections: Seen) -> None:
    """A look, and another after which each connection has a user named for it."""
    look(shares, *connections)
    look(shares, *connections, taken={(one.fd, f"u{one.cookie}"): [0, 1] for one in connections})


def test_what_is_taken_is_no_debt() -> None:
    shares = Shares()
    known(shares, seen(1, 0))
    for turn in range(1, 100):
        assert not look(shares, seen(1, turn * SHARE), taken={(1, "u1"): [SHARE, 9]})


def test_who_sends_more_than_is_taken_is_closed_by_name() -> None:
    shares = Shares()
    known(shares, seen(1, 0), seen(2, 0))
    (excess,) = look(shares, seen(1, SHARE + MIB), seen(2, MIB))
    assert excess.user == "u1" and [one.cookie for one in excess.close] == [1]


def test_all_connections_of_a_user_count_together() -> None:
    shares, three = Shares(), [seen(number, 0) for number in (1, 2, 3)]
    look(shares, *three)
    look(shares, *three, taken={(one.fd, "u"): [0, 1] for one in three})
    (excess,) = look(shares, *[one._replace(received=SHARE // 2) for one in three])
    assert excess.user == "u" and len(excess.close) == 3


def test_strangers_share_one_share_and_the_largest_goes() -> None:
    (excess,) = look(Shares(), seen(1, STRANGERS), seen(2, MIB), seen(3, MIB))
    assert excess.user == "" and [one.cookie for one in excess.close] == [1]


def test_a_new_connection_of_which_much_was_taken_is_known_at_once() -> None:
    (excess,) = look(Shares(), seen(1, 2 * SHARE), taken={(1, "u"): [SHARE // 4, 99]})
    assert excess.user == "u"


def test_tiny_messages_that_came_one_by_one_weigh_what_they_hold() -> None:
    shares, many = Shares(), SHARE // READ
    known(shares, seen(1, 0))
    assert not look(shares, seen(1, 36 * many)._replace(pieces=many // 100))
    (excess,) = look(shares, seen(1, 72 * many)._replace(pieces=many // 100 + many))
    assert excess.user == "u1" and excess.waiting > SHARE


def test_large_messages_weigh_no_more_for_coming_in_many_segments() -> None:
    shares, list_bytes = Shares(), 10 * MIB
    known(shares, seen(1, 0))
    taken: Taken = {(1, "u1"): [160_000, 1]}
    assert not look(shares, seen(1, list_bytes)._replace(pieces=list_bytes // 1448), taken=taken)


def test_of_a_fleet_that_comes_at_once_nobody_is_closed() -> None:
    assert not look(Shares(), *[seen(number, 2000)._replace(pieces=2) for number in range(1, 10_000)])


def test_a_look_into_the_middle_of_a_greeting_does_not_weigh_what_follows() -> None:
    """ZMTP's greeting comes in two or three pieces, the first of 10 bytes; a fleet's connections stay open."""
    shares, fleet = Shares(), range(1, 1001)
    look(shares, *[Seen(number, number, 7401, 11, 2) for number in fleet])
    assert not look(shares, *[Seen(number, number, 7401, 552, 5) for number in fleet])
    assert not look(shares, *[Seen(number, number, 7401, 1011, 7) for number in fleet])


def test_a_descriptor_that_is_another_connection_now_inherits_neither_debt_nor_name() -> None:
    shares = Shares()
    known(shares, seen(1, 0))
    assert not look(shares, seen(9, SHARE + MIB, fd=1), taken={(1, "u1"): [100, 1]})


def test_what_short_connections_leave_behind_counts_while_memory_grows() -> None:
    left: Taken = {(7, "u"): [100, 2 * SHARE // MESSAGE]}
    assert not look(Shares(), taken=left)
    (excess,) = look(Shares(), taken=left, grows=True)
    assert excess == Excess("u", excess.waiting, ())


def test_a_reader_of_the_feed_says_topics_only() -> None:
    shares = Shares({FEED})
    assert not look(shares, seen(1, TOPICS, port=FEED))
    (excess,) = look(shares, seen(1, TOPICS + 100 * 1000, port=FEED))
    assert [one.cookie for one in excess.close] == [1]


def test_small_debts_are_forgiven() -> None:
    shares = Shares()
    known(shares, seen(1, 0))
    for second in range(1, 1000):
        look(shares, seen(1, second * 40))
    assert not shares.heavy and look(shares, seen(1, 40_000 + SHARE // 2)) == []


def test_looks_come_soon_only_while_debts_grow() -> None:
    shares = Shares()
    look(shares, seen(1, 9 * MIB))
    assert shares.heavy
    look(shares, seen(1, 9 * MIB))
    assert not shares.heavy


def test_a_ledger_counts_by_connection_and_drops_who_is_silenced() -> None:
    ledger = Ledger()
    assert ledger.take(5, "u", 100) and ledger.take(5, "u", 50)
    ledger.silenced["u"] = 1.0
    assert not ledger.take(5, "u", 1)
    assert ledger.turn() == {(5, "u"): [151, 3]} and ledger.turn() == {}


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, GROWTH)), max_size=30))
def test_what_waits_after_a_look_is_bounded_by_users_times_their_share(sent: list[tuple[int, int]]) -> None:
    shares, open_ones = Shares(), {cookie: seen(cookie, 0) for cookie in range(1, 10)}
    known(shares, *open_ones.values())
    for cookie, size in sent:
        if cookie in open_ones:
            open_ones[cookie] = open_ones[cookie]._replace(received=open_ones[cookie].received + size)
        for excess in look(shares, *open_ones.values()):
            for one in excess.close:
                del open_ones[one.cookie]
        assert all(one.received <= SHARE + 64 * len(sent) for one in open_ones.values())
