"""Several hubs with one store: what is decided, is decided once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hub.store.chained import Chained, chained
from hub.store.errors import Overtaken, StoreError
from hub.store.redis.address import Access
from hub.store.redis.link import Script
from hub.store.redis.store import RedisStore
from hub.store.rows import Retention
from hub.store.shelf import TIERS
from hub.store.worker import Worker
from hub.trust.chain import Check
from tests.contract.samples_contract import answers, feed, settle
from tests.support import rows
from tests.support.redis import Server
from tests.support.rows import T0
from wire.model import CommandState

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("redis"))
    yield found
    found.kill()


@pytest.fixture
def opening(server: Server) -> Iterator[Callable[[], RedisStore]]:
    with server.client() as client:
        client.flushall()
    opened: list[RedisStore] = []

    def opening() -> RedisStore:
        opened.append(RedisStore(server.address, Access()))
        return opened[-1]

    yield opening
    for store in opened:
        store.close(T0)


def together(opening: Callable[[], RedisStore], work: Callable[[RedisStore], None], hubs: int = 3) -> None:
    """The same work by several hubs at once."""
    stores = [opening() for _ in range(hubs)]
    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_command_is_claimed_by_one_hub(opening: Callable[[], RedisStore]) -> None:
    won: Counter[str] = Counter()
    together(
        opening, lambda store: won.update(f"c{n}" for n in range(50) if store.claim_command(rows.command(f"c{n}")))
    )
    assert won == {f"c{n}": 1 for n in range(50)}


def test_a_token_has_as_many_uses_as_it_has(opening: Callable[[], RedisStore]) -> None:
    opening().put_token(rows.token("t", uses_left=40))
    won: list[bool] = []
    together(opening, lambda store: won.extend(store.use_token("t", T0) for _ in range(20)))
    row = opening().token("t")
    assert sum(won) == 40 and row is not None and (row.uses_left, row.uses) == (0, 40)


def test_an_epoch_is_taken_once(opening: Callable[[], RedisStore]) -> None:
    taken: list[int] = []
    together(opening, lambda store: taken.extend(store.next_epoch() for _ in range(30)))
    assert sorted(taken) == list(range(1, 91))


def test_facts_of_all_hubs_stand_in_one_order(opening: Callable[[], RedisStore]) -> None:
    def work(store: RedisStore) -> None:
        for number in range(1, 31):
            with store.batch():
                store.append_facts("shared", "b", rows.facts(number, number))
                store.append_audit(rows.audit(number))

    together(opening, work)
    store = opening()
    assert store.durable("shared", "b") == 30
    assert sorted(fact.seq for fact in store.facts(limit=1000)) == list(range(1, 31))
    positions = [row.position for row in store.audit(limit=1000)]
    assert len(positions) == 90 and positions == sorted(set(positions))


def test_a_hub_that_lost_its_turn_changes_nothing(opening: Callable[[], RedisStore], server: Server) -> None:
    slow, quick = opening(), opening()
    with pytest.raises(StoreError, match="lost its turn"), slow.batch():
        assert slow.next_epoch() == 1
        with server.client() as client:
            client.hdel("{pidone}:meta", "pen")  # as it expires while a hub is stopped
        assert quick.next_epoch() == 1
    assert slow.epoch() == 1 and slow.next_epoch() == 2


def test_a_batch_sent_twice_is_done_once(opening: Callable[[], RedisStore]) -> None:
    store, sent = opening(), []
    run = store._link.run

    def twice(script: object, keys: object, args: object = ()) -> object:
        sent.append(script)
        run(script, keys, args)  # type: ignore[arg-type]
        return run(script, keys, args)  # type: ignore[arg-type]

    store._link.run = twice  # type: ignore[method-assign, assignment]
    assert [store.append_audit(rows.audit(number)) for number in (1, 2)] == [1, 2]
    assert len(store.audit()) == 2 and len(sent) == 4


def claimed(store: Chained, name: str) -> bool:
    """A claim as the worker makes it."""
    call = (rows.command(name), rows.audit())
    store.foresee([("claim_audited", call)])
    with store.batch():
        return store.claim_audited(*call)


def counted(store: RedisStore) -> list[object]:
    """The scripts that it runs from now on."""
    ran, run = list[object](), store._link.run

    def counting(script: Script, keys: Sequence[str], args: Sequence[object] = ()) -> object:
        ran.append(script)
        return run(script, keys, args)

    store._link.run = counting  # type: ignore[method-assign]
    return ran


def test_a_claim_asks_redis_once(opening: Callable[[], RedisStore]) -> None:
    store = opening()
    chain, ran = Chained(store, 1e6), counted(store)
    assert claimed(chain, "c1")
    before = len(ran)
    assert claimed(chain, "c2") and not claimed(chain, "c2")
    assert len(ran) == before + 1, "and none where it is known to be taken"
    end = ("c2", CommandState.DONE, T0, None, "", rows.audit())
    chain.foresee([("end_audited", end)])
    with chain.batch():
        assert chain.end_audited(*end)
    assert len(ran) == before + 2
    assert len(store.audit()) == 4 and [row.state for row in store.commands()] == ["accepted", "done"]


def test_what_another_hub_wrote_meanwhile_is_noticed(opening: Callable[[], RedisStore]) -> None:
    one, other = (Chained(opening(), 1e6) for _ in range(2))
    assert claimed(one, "c1") and claimed(other, "c2") and claimed(other, "taken")
    with pytest.raises(Overtaken):
        claimed(one, "taken")
    assert not claimed(one, "taken")
    assert claimed(one, "c3")
    assert {row.id for row in opening().commands()} == {"c1", "c2", "taken", "c3"}


def test_who_holds_the_pen_is_not_disturbed_by_a_claim(opening: Callable[[], RedisStore]) -> None:
    one, holder = Chained(opening(), 1e6), opening()
    assert claimed(one, "c1")
    with holder.batch():
        holder.append_audit(rows.audit())
        with pytest.raises(Overtaken):
            claimed(one, "c2")
    assert claimed(one, "c2")


def test_claims_of_many_hubs_are_each_made_once_and_in_one_chain(opening: Callable[[], RedisStore]) -> None:
    won: Counter[str] = Counter()
    together(opening, lambda store: won.update(claims(store, 40)))
    check = Check()
    for row in opening().audit(limit=1000):
        check.take(row)
    assert won == {f"c{number}": 1 for number in range(40)} and not check.verdict().reason
    assert len(opening().audit(limit=1000)) == 41, "one root, one row for each"


def claims(store: RedisStore, count: int) -> list[str]:
    """Those of them that this hub's worker gets."""
    worker = Worker(chained(store, 1e6), lambda: None, lambda: T0)
    worker._store.close = lambda now: None  # type: ignore[method-assign]
    worker.start()
    for number in range(count):
        worker.submit("claim_audited", (rows.command(f"c{number}"), rows.audit()), f"c{number}")
    assert worker.stop(30)
    return [str(one.tag) for one in worker.drain() if one.value and one.tag is not None]


def test_every_hub_answers_from_the_samples_of_all(opening: Callable[[], RedisStore]) -> None:
    first, second = opening(), opening()
    feed(first, T0, 300)
    fresh = answers(first)
    first.flush(T0 + 1500)
    assert answers(first) == answers(second) == fresh, "unsealed"
    settle(first, T0 + 1500)
    assert answers(first) == answers(second) == fresh, "sealed"
    settle(second, T0 + 1900)
    assert answers(first) == answers(second) == fresh, "rolled up by another"
    assert len(second._samples.shelf.windows(TIERS[1])) == 3


def test_an_agent_that_moves_to_another_hub_keeps_its_history(opening: Callable[[], RedisStore]) -> None:
    first, second = opening(), opening()
    feed(first, T0, 50)
    first.flush(T0 + 250)
    feed(second, T0 + 250, 50)
    second.flush(T0 + 500)
    for store in (first, second):
        settle(store, T0 + 700)
    for store in (first, second, opening()):
        history = store.process_history("a", T0, T0 + 600, program="web")
        assert len(history.times) == 100 and not history.gaps


def test_the_budget_is_of_all_and_takes_the_oldest_of_the_finest(
    server: Server, opening: Callable[[], RedisStore]
) -> None:
    store = RedisStore(server.address, Access(), sample_budget=16_000, retention=Retention())
    notes: list[str] = []
    for hour in range(12):
        feed(store, T0 + 600 * hour, 600, 1.0)
        notes += settle(store, T0 + 600 * hour + 660)
        assert store.stats().used <= 16_000
    assert any("sample_budget of 16000 bytes is used up: dropped raw" in note for note in notes)
    raw, minute = store.stats().tiers[:2]
    assert raw.oldest is not None and minute.oldest == T0 < raw.oldest
    with server.client() as client:
        assert len(client.keys("pidone:{process:a}:raw:*")) == raw.segments
    store.close(T0 + 7200)


def test_what_retention_takes_is_gone(opening: Callable[[], RedisStore], server: Server, tmp_path: Path) -> None:
    store = opening()
    feed(store, T0, 10)
    store.append_facts("a", "b", [rows.fact(1), rows.fact(2, rows.death())])
    store.claim_command(rows.command("c"))
    store.append_audit(rows.audit())
    settle(store, T0 + 700)
    settle(store, T0 + 400 * 86400)
    assert (store.facts(), store.exits(), store.commands(), store.audit()) == ((), (), (), ())
    assert (store.durable("a", "b"), store.stats().used) == (0, 0)
    with server.client() as client:
        left = {key for key in client.keys("*") if not key.endswith(b":claim")}
    assert left <= {b"{pidone}:meta", b"{pidone}:written", b"{pidone}:facts:hours", b"{pidone}:audit:hours"}
