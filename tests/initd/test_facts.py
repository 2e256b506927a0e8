from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from initd.facts import Journal
from wire.model import Fact, FactKind


def journal_of(count: int, capacity: int = 8) -> Journal:
    journal = Journal(capacity)
    for number in range(count):
        journal.append(FactKind.NOTE, {"n": number}, at=float(number), mono=float(number))
    return journal


def numbers(facts: list[Fact]) -> list[int]:
    return [fact.seq for fact in facts]


def test_an_empty_journal_has_no_facts():
    journal = Journal()
    assert (journal.first, journal.last, journal.durable, journal.since(0, 10)) == (1, 0, 0, [])


def test_numbers_start_at_one_and_have_no_gaps():
    assert numbers(journal_of(5).since(0, 100)) == [1, 2, 3, 4, 5]


def test_a_fact_keeps_its_times_and_body():
    fact = Journal().append(FactKind.NOTE, {"text": "x"}, at=5.5, mono=1.25)
    assert fact == Fact(1, 5.5, 1.25, FactKind.NOTE, {"text": "x"})


@given(st.integers(0, 60), st.integers(1, 12), st.integers(-3, 70), st.integers(0, 20))
def test_since_gives_what_a_plain_list_would(count, capacity, seq, limit):
    kept = range(max(1, count - capacity + 1), count + 1)
    journal = journal_of(count, capacity)
    assert numbers(journal.since(seq, limit)) == [n for n in kept if n > seq][:limit]
    assert (journal.first, journal.last) == (kept.start if count else 1, count)


def test_unacknowledged_facts_that_leave_are_counted():
    assert journal_of(11, capacity=8).dropped == 3


def test_acknowledged_facts_leave_without_being_counted():
    journal = journal_of(8)
    journal.acknowledge(2)
    for _ in range(3):
        journal.append(FactKind.NOTE, {}, 0.0, 0.0)
    assert journal.dropped == 1


def test_the_durable_number_may_fall_and_never_exceeds_the_last():
    journal = journal_of(5)
    journal.acknowledge(99)
    assert journal.durable == 5
    journal.acknowledge(3)
    assert journal.durable == 3


def test_subscribers_hear_each_fact_until_they_leave():
    journal, heard = Journal(), []
    journal.subscribe(heard.append)
    fact = journal.append(FactKind.NOTE, {}, 0.0, 0.0)
    journal.unsubscribe(heard.append)
    journal.unsubscribe(heard.append)
    journal.append(FactKind.NOTE, {}, 0.0, 0.0)
    assert heard == [fact]


def test_a_failing_subscriber_disturbs_nobody():
    journal, heard = Journal(), []
    journal.subscribe(lambda fact: 1 / 0)
    journal.subscribe(heard.append)
    journal.append(FactKind.NOTE, {}, 0.0, 0.0)
    assert (len(heard), journal.faults) == (1, 1)
