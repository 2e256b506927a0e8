"""A lease: what its holder may do, and that nobody may remove it before that ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.cluster.lease import (
    AGAIN_SECONDS,
    ANSWER_SECONDS,
    DRIFT,
    LEASE_SECONDS,
    RENEW_SECONDS,
    SETTLE_SECONDS,
    Ask,
    Lease,
    Standing,
)
from hub.cluster.membership import Membership
from hub.cluster.rows import LeaseRow, Taken


def asked(lease: Lease, now: float) -> Ask:
    ask = lease.next(now)
    assert ask is not None
    return ask


def taken(now: float = 0.0, epoch: int = 5, settle: float = SETTLE_SECONDS) -> Lease:
    lease = Lease(LeaseRow("h1"), settle)
    ask = asked(lease, now)
    assert ask.row.born == 0
    assert lease.taken(ask, Taken(epoch, (ask.row._replace(born=epoch, epoch=epoch),)), now)
    return lease


def renewed(lease: Lease, now: float) -> None:
    ask = asked(lease, now)
    assert lease.renewed(ask, (ask.row,), now)


def test_a_hub_settles_before_it_acts() -> None:
    lease, now = taken(), 0.0
    while now < SETTLE_SECONDS:
        assert lease.standing(now) is Standing.SETTLING
        now += RENEW_SECONDS
        renewed(lease, now)
    assert lease.acts(now)


def test_a_store_of_one_hub_needs_no_settling() -> None:
    assert taken(settle=0.0).acts(0.0)


def test_without_answers_it_is_blind_and_goes_on_when_the_row_is_still_there() -> None:
    lease = taken(settle=0.0)
    assert lease.acts(LEASE_SECONDS - 0.01)
    assert lease.standing(LEASE_SECONDS) is Standing.BLIND
    renewed(lease, 60.0)
    assert lease.acts(60.0)


def test_a_blind_hub_settles_again_for_a_failover_may_have_put_its_row_back() -> None:
    lease, now = taken(), SETTLE_SECONDS + 60.0
    renewed(lease, now)
    assert lease.standing(now) is Standing.SETTLING
    while now < SETTLE_SECONDS + 60.0 + AGAIN_SECONDS:
        now += RENEW_SECONDS
        renewed(lease, now)
    assert lease.acts(now)


def test_a_refused_renewal_ends_it_at_once_and_it_takes_a_higher_epoch() -> None:
    lease = taken(settle=0.0)
    ask = asked(lease, 1.0)
    assert not lease.renewed(ask, None, 1.1)
    assert lease.standing(1.1) is Standing.OUTSIDE
    again = asked(lease, 2.0)
    assert (again.row.born, again.above) == (0, 5)


def test_a_lease_counts_from_when_it_was_asked_for() -> None:
    lease = taken(settle=0.0)
    ask = asked(lease, 3.0)
    lease.renewed(ask, (ask.row,), 3.9)
    assert lease.standing(3.0 + LEASE_SECONDS) is Standing.BLIND


def test_a_late_answer_of_an_earlier_taking_is_ignored() -> None:
    lease = Lease(LeaseRow("h1"))
    first = asked(lease, 0.0)
    second = asked(lease, ANSWER_SECONDS)
    assert not lease.taken(first, Taken(5, ()), 1.1)
    assert lease.taken(second, Taken(6, ()), 1.2)
    assert lease.row.born == 6


def test_who_drains_does_not_act_before_the_others_know() -> None:
    lease = taken(settle=0.0)
    lease.tell(draining=True)
    assert not lease.acts(0.1) and lease.standing(0.1) is Standing.ACTING


def test_an_agent_that_saw_a_higher_epoch_raises_it() -> None:
    lease = taken(epoch=5)
    assert not lease.raise_epoch(5) and lease.raise_epoch(9)
    lease.raised(10)
    assert (lease.row.epoch, lease.row.born, lease.raise_epoch(9)) == (10, 5, False)


@given(
    rates=st.tuples(st.floats(1 - DRIFT / 2.1, 1 + DRIFT / 2.1), st.floats(1 - DRIFT / 2.1, 1 + DRIFT / 2.1)),
    delays=st.lists(st.floats(0, 0.9), min_size=4, max_size=4),
    looks=st.lists(st.floats(0.05, 3.0), min_size=12, max_size=30),
)
def test_nobody_sees_a_lease_lapse_that_is_still_valid(
    rates: tuple[float, float], delays: list[float], looks: list[float]
) -> None:
    """Holder and observer have clocks of their own rates; renewals stop at some moment."""
    mine, theirs = rates
    lease, members, arrived = taken(settle=0.0), Membership(), [(0.0, LeaseRow("h1", 5, 5, 1))]
    now = 0.0
    for delay in delays:
        now += 1.2
        ask = asked(lease, now * mine)
        lease.renewed(ask, (ask.row,), (now + delay) * mine)
        arrived.append((now + delay / 2, ask.row._replace(born=5)))
    real = 0.0
    for pause in looks:
        real += pause
        row = max((one for one in arrived if one[0] <= real), key=lambda one: one[0])[1]
        members.observe((row,), real * theirs, real * theirs)
        if members.lapsed("h2"):
            later = [one for one in arrived if one[0] > real]
            assert later or not lease.acts(real * mine)
            break
