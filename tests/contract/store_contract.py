"""What every store must do, written against hub.store.base only; a back end subclasses it and gives `opening`.

`opening()` opens the same store again after the one before was closed: what was durable is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hub.store.base import HUB_BOOT, READS, Store
from hub.store.errors import BadRow
from hub.store.rows import Retention
from hub.trust.chain import cut
from tests.support import rows
from tests.support.rows import T0
from wire.model import Cause, CommandState, FactKind, Presence, State


class FactsContract:
    """Agents and facts."""

    @pytest.fixture
    def opening(self) -> Callable[[], Store]:
        raise NotImplementedError

    @pytest.fixture
    def store(self, opening: Callable[[], Store]) -> Iterator[Store]:
        store = opening()
        yield store
        store.close(T0)

    def test_an_empty_store_is_empty(self, store: Store) -> None:
        assert (store.agents(), store.facts(), store.exits(), store.audit(), store.tokens(), store.keys()) == ((),) * 6
        assert (store.durable("a", "b"), store.epoch(), store.command("x")) == (0, 0, None)

    def test_an_agent_is_replaced_not_repeated(self, store: Store) -> None:
        store.put_agent(rows.agent("a", labels={"service": "shop"}, addresses=("10.0.0.2",)))
        lost = rows.agent("a", presence=Presence.LOST, reason="silent", more={"x": [1, {"y": None}]})
        store.put_agent(lost)
        assert store.agents() == (lost,)

    def test_a_dropped_agent_is_gone(self, store: Store) -> None:
        store.put_agent(rows.agent("a"))
        assert (store.agents(["x", "a", "a"]), store.agents(["x"]), store.agents([])) == (store.agents(), (), ())
        assert (store.drop_agent("a"), store.drop_agent("a"), store.agents()) == (True, False, ())

    def test_facts_come_back_as_they_went_in(self, store: Store) -> None:
        death = rows.death(last_lines=("one", "twö"), cause=Cause.OOM)
        store.append_facts("a", "b", [rows.fact(1), rows.fact(2, death), rows.fact(3, {"note": "skew", "by": 2.5})])
        found = store.facts()
        assert [fact.body for fact in found] == [rows.change(), death, {"note": "skew", "by": 2.5}]
        assert [(f.seq, f.kind) for f in found] == [(1, FactKind.STATE), (2, FactKind.EXIT), (3, FactKind.NOTE)]
        assert isinstance(found[0].body.state, State) and isinstance(found[1].body.cause, Cause)  # type: ignore[union-attr]

    def test_offset_makes_hub_time_and_keeps_the_original(self, store: Store) -> None:
        store.append_facts("a", "b", [rows.fact(1, at=T0)], -2.5)
        assert [(fact.at, fact.agent_at) for fact in store.facts()] == [(T0 - 2.5, T0)]

    def test_replays_are_ignored(self, store: Store) -> None:
        assert store.append_facts("a", "b", rows.facts(1, 5)) == 5
        assert store.append_facts("a", "b", rows.facts(3, 7)) == 7
        assert [fact.seq for fact in store.facts()] == [1, 2, 3, 4, 5, 6, 7]

    def test_a_gap_holds_the_durable_number(self, store: Store) -> None:
        assert store.append_facts("a", "b", [*rows.facts(1, 2), *rows.facts(5, 6)]) == 2
        assert store.append_facts("a", "b", rows.facts(3, 3)) == 3
        assert store.append_facts("a", "b", rows.facts(4, 4)) == 6

    def test_a_gap_that_the_agent_lost_is_skipped(self, store: Store) -> None:
        store.append_facts("a", "b", rows.facts(5, 6))
        assert store.skip_facts("a", "b", 5) == 6
        assert store.skip_facts("a", "b", 2) == 6
        assert store.durable("a", "b") == 6

    def test_boots_count_apart(self, store: Store) -> None:
        store.append_facts("a", "b1", rows.facts(1, 3))
        store.append_facts("a", "b2", rows.facts(1, 1))
        assert [store.durable("a", boot) for boot in ("b1", "b2", "b3")] == [3, 1, 0]
        assert store.durables([("a", "b2"), ("x", "b1"), ("a", "b1")]) == (1, 0, 3) and store.durables([]) == ()

    def test_nothing_of_a_bad_append_is_kept(self, store: Store) -> None:
        huge, never = rows.fact(2, {"huge": "x" * 10_000_000}), rows.fact(2, at=float("nan"))
        for bad in (rows.fact(0), rows.fact(2**60), huge, never):
            with pytest.raises(BadRow):
                store.append_facts("a", "b", [rows.fact(1), bad])
        assert (store.facts(), store.durable("a", "b")) == ((), 0)

    def test_the_hubs_own_facts_are_numbered_too(self, store: Store) -> None:
        numbers = [store.record_fact("a", T0, FactKind.NOTE, {"lost": True}) for _ in range(3)]
        assert numbers == [1, 2, 3]
        assert {fact.boot for fact in store.facts(agent="a")} == {HUB_BOOT}

    def test_facts_by_position(self, store: Store) -> None:
        store.append_facts("a", "b", rows.facts(1, 9))
        newest = store.facts(limit=3)
        assert [fact.seq for fact in newest] == [7, 8, 9]
        assert [fact.seq for fact in store.facts(after=newest[0].position, limit=1)] == [8]
        assert store.facts(after=newest[-1].position) == ()

    def test_facts_by_agent_and_time(self, store: Store) -> None:
        store.append_facts("a", "b", rows.facts(1, 4))
        store.append_facts("c", "b", rows.facts(1, 4))
        assert [(f.agent, f.seq) for f in store.facts(agent="c", since=T0 + 3)] == [("c", 3), ("c", 4)]

    def test_exits_by_program(self, store: Store) -> None:
        worker = rows.death("w0", group="workers", program="worker")
        store.append_facts("a", "b", [rows.fact(1), rows.fact(2, rows.death("web")), rows.fact(3, worker)])
        store.append_facts("c", "b", [rows.fact(1, rows.death("web"))])
        assert [fact.seq for fact in store.exits(agent="a")] == [2, 3]
        assert [fact.seq for fact in store.exits(program="worker")] == [3]
        assert [fact.seq for fact in store.exits(program="workers:w0")] == [3]
        assert [fact.agent for fact in store.exits(program="web")] == ["a", "c"]
        assert store.exits(program="webb") == ()

    def test_a_limit_below_one_is_refused(self, store: Store) -> None:
        with pytest.raises(BadRow):
            store.facts(limit=0)

    def test_a_batch_is_durable_when_it_ends(self, opening: Callable[[], Store]) -> None:
        store = opening()
        with store.batch():
            assert store.append_facts("a", "b", rows.facts(1, 2)) == 2
            store.put_agent(rows.agent("a"))
        store.close(T0)
        again = opening()
        assert (again.durable("a", "b"), len(again.facts()), len(again.agents())) == (2, 2, 1)
        again.close(T0)

    def test_a_batch_that_raises_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(ZeroDivisionError), store.batch():
            store.append_facts("a", "b", rows.facts(1, 2))
            raise ZeroDivisionError
        assert (store.facts(), store.durable("a", "b")) == ((), 0)

    def test_a_bad_row_does_not_spoil_its_batch(self, store: Store) -> None:
        with store.batch():
            store.append_facts("a", "b", rows.facts(1, 1))
            with pytest.raises(BadRow):
                store.append_facts("a", "b", [rows.fact(2), rows.fact(-1)])
            store.append_facts("c", "b", rows.facts(1, 1))
        assert [(fact.agent, fact.seq) for fact in store.facts()] == [("a", 1), ("c", 1)]

    def test_every_read_is_a_method(self, store: Store) -> None:
        assert all(callable(getattr(store, name)) for name in READS)


class TrustContract:
    """Commands, epochs, audit, tokens, keys."""

    @pytest.fixture
    def opening(self) -> Callable[[], Store]:
        raise NotImplementedError

    @pytest.fixture
    def store(self, opening: Callable[[], Store]) -> Iterator[Store]:
        store = opening()
        yield store
        store.close(T0)

    def test_an_id_is_claimed_once(self, store: Store) -> None:
        assert store.claim_command(rows.command("c"))
        assert not store.claim_command(rows.command("c", verb="stop"))
        assert store.command("c") == rows.command("c")

    def test_an_id_stays_claimed_after_a_restart(self, opening: Callable[[], Store]) -> None:
        store = opening()
        assert store.claim_command(rows.command("c"))
        store.close(T0)
        again = opening()
        assert not again.claim_command(rows.command("c"))
        again.close(T0)

    def test_a_command_moves_to_its_end_and_stays(self, store: Store) -> None:
        store.claim_command(rows.command("c"))
        delivered = store.update_command("c", CommandState.DELIVERED, T0 + 1)
        assert delivered is not None and delivered.state is CommandState.DELIVERED
        store.update_command("c", CommandState.DONE, T0 + 2, {"pid": 7})
        last = store.update_command("c", CommandState.EXPIRED, T0 + 30, error="too late")
        assert last == rows.command("c", state=CommandState.DONE, updated_at=T0 + 2, result={"pid": 7})
        assert store.command("c") == last

    def test_an_unknown_command_is_not_updated(self, store: Store) -> None:
        assert store.update_command("nope", CommandState.DONE, T0) is None

    def test_commands_newest_last(self, store: Store) -> None:
        for number in range(5):
            store.claim_command(rows.command(f"c{number}", accepted_at=T0 + number))
        assert [row.id for row in store.commands(limit=2)] == ["c3", "c4"]
        assert [row.id for row in store.commands(since=T0 + 4)] == ["c4"]

    def test_epochs_only_rise(self, opening: Callable[[], Store]) -> None:
        store = opening()
        assert [store.next_epoch(), store.next_epoch(), store.next_epoch(10), store.next_epoch(3)] == [1, 2, 11, 12]
        store.close(T0)
        again = opening()
        assert (again.epoch(), again.next_epoch()) == (12, 13)
        again.close(T0)

    def test_audit_by_position_and_time(self, store: Store) -> None:
        positions = [store.append_audit(rows.audit(number)) for number in range(4)]
        assert [row.detail for row in store.audit(limit=2)] == ["number 2", "number 3"]
        assert [row.position for row in store.audit(after=positions[1])] == positions[2:]
        assert [row.detail for row in store.audit(since=T0 + 3)] == ["number 3"]

    def test_audit_behind_the_newest_row_only(self, store: Store) -> None:
        first, second = (rows.audit(number, digest=str(number)) for number in (1, 2))
        assert store.append_audit(first, "other") == 0 and store.audit() == ()
        positions = [store.append_audit(row, after) for row, after in ((first, ""), (second, "1"), (first, "1"))]
        assert 0 < positions[0] < positions[1] and positions[2] == 0
        assert [row.digest for row in store.audit()] == ["1", "2"]

    def test_audit_leaves_from_the_old_end_by_whole_hours(self, store: Store) -> None:
        start, keep = cut(T0, 0.0), Retention().audit
        for number, at in enumerate((start, start + 7200, start + 10)):  # a clock that was set back
            store.append_audit(rows.audit(number, at=at))
        store.tend(start + keep + 3599)
        assert len(store.audit()) == 3
        store.tend(start + keep + 3600 + 61)
        assert [row.at for row in store.audit()] == [start + 7200, start + 10]

    def test_the_last_use_is_the_last(self, store: Store) -> None:
        store.put_token(rows.token("t", uses_left=2))
        assert [store.use_token("t", T0 + n) for n in range(3)] == [True, True, False]
        row = store.token("t")
        assert row is not None and (row.uses_left, row.uses, row.used_at) == (0, 2, T0 + 1)

    def test_a_service_token_is_not_used_up(self, store: Store) -> None:
        store.put_token(rows.token("t", kind="service", uses_left=None, expires_at=None))
        assert all(store.use_token("t", T0 + 1e9) for _ in range(5))

    def test_expired_unknown_and_revoked_tokens(self, store: Store) -> None:
        store.put_token(rows.token("old", expires_at=T0))
        store.put_token(rows.token("new"))
        assert (store.revoke_token("new", T0), store.revoke_token("new", T0), store.revoke_token("x", T0)) == (
            (True, False, False)
        )
        assert not any(store.use_token(id, T0) for id in ("old", "new", "x"))
        assert {row.id for row in store.tokens()} == {"old", "new"}

    def test_keys_by_kind(self, store: Store) -> None:
        agent, client = rows.key("k1"), rows.key("k2", kind="client", role="admin", scope={"service": "shop"})
        store.put_key(agent)
        store.put_key(client)
        assert (store.keys(), store.keys("client"), store.key("k1"), store.key("k3")) == (
            ((agent, client), (client,), agent, None)
        )

    def test_a_revoked_key_says_when(self, store: Store) -> None:
        store.put_key(rows.key("k"))
        assert (store.revoke_key("k", T0), store.revoke_key("k", T0 + 1)) == (True, False)
        assert store.key("k") == rows.key("k", revoked_at=T0)
        assert (store.drop_key("k"), store.drop_key("k"), store.key("k")) == (True, False, None)

    def test_text_that_is_no_text_is_refused(self, store: Store) -> None:
        with pytest.raises(BadRow):
            store.put_key(rows.key("k", subject="\udcff"))
        with pytest.raises(BadRow):
            store.append_audit(rows.audit(detail="x" * 10_000_000))
        assert (store.keys(), store.audit()) == ((), ())
