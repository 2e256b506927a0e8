"""What every store must do for the hubs of a cluster: leases by compare-and-set, and when agents were heard last."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hub.cluster.rows import LeaseRow, SeenRow
from hub.store.base import Store
from tests.support import rows
from tests.support.rows import T0
from wire.model import Presence

ADDRESS = ("10.0.0.1:7401", "10.0.0.1:7402", "10.0.0.1:7403", "k" * 40)


def row(hub: str = "h1", **fields: object) -> LeaseRow:
    return LeaseRow(hub, beat=1, capacity=100, addresses=(ADDRESS,), peer="10.0.0.1:7406")._replace(**fields)


class ClusterContract:
    """Leases and last-seen times."""

    @pytest.fixture
    def opening(self) -> Callable[[], Store]:
        raise NotImplementedError

    @pytest.fixture
    def store(self, opening: Callable[[], Store]) -> Iterator[Store]:
        store = opening()
        yield store
        store.close(T0)

    def test_a_taken_lease_comes_back_as_it_went_in(self, store: Store) -> None:
        taken = store.take_lease(row(full_at=T0, draining=True, load=7))
        mine = row(full_at=T0, draining=True, load=7, born=taken.epoch, epoch=taken.epoch)
        assert taken.rows == store.leases() == (mine,)

    def test_every_lease_has_an_epoch_of_its_own(self, store: Store) -> None:
        first = store.take_lease(row("h1")).epoch
        between = store.next_epoch()
        second = store.take_lease(row("h2"), above=50).epoch
        assert first < between < second == 51 == store.epoch()

    def test_a_renewal_puts_the_row_and_tells_of_all(self, store: Store) -> None:
        other = store.take_lease(row("h2")).rows[0]
        mine = store.take_lease(row("h1")).rows[0]._replace(beat=2, epoch=9, load=3)
        assert store.renew_lease(mine) == (mine, other)

    def test_who_took_the_lease_anew_refuses_the_life_before(self, store: Store) -> None:
        old = store.take_lease(row()).rows[0]
        new = store.take_lease(row()).rows[0]
        assert store.renew_lease(old._replace(beat=9)) is None
        assert store.leases() == (new,)

    def test_a_removed_lease_is_not_renewed(self, store: Store) -> None:
        mine = store.take_lease(row()).rows[0]
        assert store.drop_lease("h1", mine.born)
        assert store.renew_lease(mine) is None
        assert store.leases() == ()

    def test_an_observer_removes_only_the_beat_it_saw(self, store: Store) -> None:
        mine = store.take_lease(row()).rows[0]
        store.renew_lease(mine._replace(beat=2))
        assert not store.drop_lease("h1", mine.born, 1)
        assert not store.drop_lease("h1", mine.born + 1, 2)
        assert store.drop_lease("h1", mine.born, 2)
        assert not store.drop_lease("h1", mine.born, 2)

    def test_hearing_raises_the_mark_and_never_turns_time_back(self, store: Store) -> None:
        assert store.hear_agents("h1", {"a": T0 + 5, "b": T0}) == ()
        assert store.hear_agents("h2", {"a": T0 + 1}) == ()
        assert store.seen() == (SeenRow("a", "h2", T0 + 5, 2), SeenRow("b", "h1", T0, 1))

    def test_a_renewal_brings_along_whom_its_hub_heard_or_nothing(self, store: Store) -> None:
        mine = store.take_lease(row("h1")).rows[0]
        assert store.renew_lease(mine._replace(beat=2), {"a": T0}) == (mine._replace(beat=2),)
        assert store.renew_lease(mine._replace(born=99), {"b": T0}) is None
        assert [(one.agent, one.hub, one.mark) for one in store.seen()] == [("a", "h1", 1)]

    def test_a_verdict_needs_the_newest_row_of_its_judge(self, store: Store) -> None:
        mine = store.take_lease(row("h1")).rows[0]._replace(beat=2)
        store.hear_agents("h1", {"a": T0})
        assert not store.judge_agent("a", Presence.LOST, 1, mine), "the store lost a renewal that it acknowledged"
        store.renew_lease(mine)
        assert not store.judge_agent("a", Presence.LOST, 1, mine._replace(born=99))
        assert not store.judge_agent("a", Presence.LOST, 1, mine._replace(hub="h2"))
        assert store.judge_agent("a", Presence.LOST, 1, mine._replace(beat=1))

    def test_only_those_asked_for_are_told(self, store: Store) -> None:
        store.hear_agents("h1", {"a": T0, "b": T0, "c": T0})
        assert [one.agent for one in store.seen(("c", "a", "never"))] == ["a", "c"]
        assert store.seen(()) == ()

    def test_one_verdict_succeeds_and_one_return(self, store: Store) -> None:
        store.hear_agents("h1", {"a": T0})
        assert [store.judge_agent("a", Presence.LOST, 1) for _ in range(2)] == [True, False]
        assert [store.hear_agents("h2", {"a": T0 + 9}) for _ in range(2)] == [("a",), ()]

    def test_a_verdict_on_who_was_heard_meanwhile_fails(self, store: Store) -> None:
        store.hear_agents("h1", {"a": T0})
        store.hear_agents("h2", {"a": T0 + 1})
        assert not store.judge_agent("a", Presence.LOST, 1)
        assert store.seen()[0].presence is Presence.LIVE

    def test_a_goodbye_needs_no_mark(self, store: Store) -> None:
        store.hear_agents("h1", {"a": T0})
        assert store.judge_agent("a", Presence.GONE)
        assert not store.judge_agent("never", Presence.GONE)
        assert store.hear_agents("h1", {"a": T0}) == ("a",)

    def test_a_dropped_agent_was_never_heard(self, store: Store) -> None:
        store.put_agent(rows.agent("a"))
        store.hear_agents("h1", {"a": T0})
        assert (store.drop_agent("a"), store.seen()) == (True, ())

    def test_all_of_it_survives(self, opening: Callable[[], Store]) -> None:
        store = opening()
        taken = store.take_lease(row())
        store.hear_agents("h1", {"a": T0})
        store.judge_agent("a", Presence.LOST, 1)
        store.close(T0)
        again = opening()
        assert (again.leases(), again.epoch(), again.seen()[0].presence) == (taken.rows, taken.epoch, Presence.LOST)
        again.close(T0)
