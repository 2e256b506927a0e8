"""Redis goes away and comes back: errors that say so, then everything that was acknowledged."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from hub.store.base import Store
from hub.store.errors import StoreError
from hub.store.redis import link
from hub.store.redis.address import Access, Address
from hub.store.redis.link import Away
from hub.store.redis.store import RedisStore
from tests.contract.samples_contract import feed, settle
from tests.support import rows
from tests.support.redis import Cluster, Server, Watched
from tests.support.rows import T0
from tests.support.waiting import until

pytestmark = pytest.mark.redis


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs for a server that is stopped on purpose."""
    monkeypatch.setattr(link, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(link, "PAUSES", (0.05, 0.1))


NUMBERS = [*range(1000, 1060)] * 2
"""What `feed` gives twice sixty times."""


def appended(store: Store, number: int) -> bool:
    """Whether a fact was acknowledged."""
    try:
        return store.append_facts("a", "b", rows.facts(number, number)) == number
    except StoreError:
        return False


class Appending:
    """A hub that appends in the background."""

    def __init__(self, store: Store) -> None:
        self._end, self.last = threading.Event(), 0
        self._thread = threading.Thread(target=self._run, args=(store,))
        self._thread.start()

    def _run(self, store: Store) -> None:
        while not self._end.is_set():
            if appended(store, self.last + 1):
                self.last += 1
            else:
                self._end.wait(0.02)

    def goes_on(self) -> None:
        """Wait until more was acknowledged."""
        last = self.last
        until(lambda: self.last > last + 2, 60.0)

    def stop(self) -> int:
        self._end.set()
        self._thread.join()
        return self.last


def check_nothing_lost(store: Store, last: int) -> None:
    """All acknowledged facts are there, once."""
    found = [fact.seq for fact in store.facts(limit=100_000)]
    assert store.durable("a", "b") >= last > 0
    assert sorted(found)[:last] == list(range(1, last + 1)) and len(set(found)) == len(found)


def test_a_killed_server_comes_back_with_all_it_acknowledged(server: Server, impatient: None) -> None:
    store = RedisStore(server.address, Access())
    appending = Appending(store)
    appending.goes_on()
    server.kill()
    server.start()
    appending.goes_on()
    check_nothing_lost(store, appending.stop())
    store.close(T0)


def test_while_it_is_away_errors_are_quick_and_samples_stay(server: Server, impatient: None) -> None:
    store = RedisStore(server.address, Access())
    settle(store, T0)
    server.send(signal.SIGSTOP)
    with pytest.raises(Away, match="does not answer"):
        store.next_epoch()
    with pytest.raises(Away), store.batch():
        store.next_epoch()
    feed(store, T0, 20)
    assert store.latest("a") is not None
    notes = settle(store, T0 + 100)
    assert any("stay in memory" in note for note in notes)
    start = time.monotonic()
    with pytest.raises(StoreError):
        for _ in range(100):
            store.facts()
    assert time.monotonic() - start < 3.0
    server.send(signal.SIGCONT)
    until(lambda: appended(store, 1), 30.0)
    settle(store, T0 + 200)
    store.close(T0 + 200)
    again = RedisStore(server.address, Access())
    assert len(again.process_history("a", T0, T0 + 200, program="web").times) == 20
    again.close(T0)


def test_calls_in_a_batch_that_need_no_redis_do_not_fail_with_it(server: Server, impatient: None) -> None:
    store = RedisStore(server.address, Access())
    server.kill()
    with store.batch():
        feed(store, T0, 3)
        with pytest.raises(Away):
            store.next_epoch()
    assert store.latest("a") is not None
    store._samples.rings.windows.clear()
    store.close(T0)


def test_a_window_that_ended_while_it_was_away_is_written_later(server: Server, impatient: None) -> None:
    store = RedisStore(server.address, Access())
    feed(store, T0, 60)
    store.flush(T0 + 300)
    server.kill()
    feed(store, T0 + 300, 60)
    settle(store, T0 + 700)
    server.start()
    until(lambda: settle(store, T0 + 720) == [] and not store._samples.sealing, 30.0)
    other = RedisStore(server.address, Access())
    for one in (store, other):
        assert list(one.process_history("a", T0, T0 + 600, program="web").columns["rss"]) == [*map(float, NUMBERS)]


def test_a_lost_primary_is_followed_by_its_replica(tmp_path: Path, impatient: None) -> None:
    watched = Watched(tmp_path)
    try:
        store = RedisStore(watched.address, Access(replicas=1))
        appending = Appending(store)
        appending.goes_on()
        watched.primary.kill()
        heir = RedisStore(watched.replica.address, Access())
        until(lambda: watched.replica.client().info("replication")["role"] == "master", 60.0)
        last = appending.stop()
        check_nothing_lost(heir, last)
        store._link.access = Access()
        until(lambda: appended(store, last + 1), 60.0)
    finally:
        watched.kill()


def test_a_write_that_no_replica_has_is_not_acknowledged(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "WAIT_MS", 50)
    store = RedisStore(server.address, Access(replicas=1))
    with pytest.raises(Away, match="0 of 1 replicas"):
        store.next_epoch()


def test_slots_may_move_while_hubs_write(tmp_path: Path, impatient: None) -> None:
    cluster = Cluster(tmp_path)
    try:
        store = RedisStore(cluster.address, Access())
        appending = Appending(store)
        appending.goes_on()
        cluster.move("{pidone}", appending.goes_on)
        appending.goes_on()
        check_nothing_lost(store, appending.stop())
    finally:
        cluster.kill()


TERMS = (
    ({"appendfsync": "everysec"}, Access(), "appendfsync everysec"),
    ({"appendfsync": "no"}, Access(sync="everysec"), "appendfsync no"),
    ({"appendonly": "no"}, Access(sync="everysec"), "append-only"),
    ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, Access(sync="none"), "noeviction"),
    ({"requirepass": "secret"}, Access(password="wrong"), "redis_password_file"),
)


@pytest.mark.parametrize("settings, access, said", TERMS)
def test_a_server_that_cannot_be_trusted_is_refused(
    server: Server, settings: dict[str, str], access: Access, said: str
) -> None:
    with server.client() as client:
        for name, value in settings.items():
            client.config_set(name, value)
    with pytest.raises(StoreError, match=said):
        RedisStore(server.address, access)


def test_weaker_terms_may_be_accepted(server: Server) -> None:
    with server.client() as client:
        client.config_set("appendfsync", "everysec")
        client.config_set("requirepass", "secret")
    RedisStore(server.address, Access(sync="everysec", password="secret")).close(T0)
    store = RedisStore(server.address, Access(sync="none", password="secret"))
    assert any("may lose facts" in note for note in store.tend(T0).notes)


def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(Away, match=r"127\.0\.0\.1:1"):
        RedisStore(Address("", False, (("127.0.0.1", 1),)), Access())


def test_a_restart_is_noticed_even_where_nobody_wrote(server: Server) -> None:
    store = RedisStore(server.address, Access())
    assert store.tend(T0).renewed == ""
    server.kill()
    server.start()
    assert "was restarted" in store.tend(T0 + 3).renewed
    assert store.tend(T0 + 6).renewed == ""
    store.close(T0 + 6)


def test_a_batch_takes_two_round_trips(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RedisStore(server.address, Access())
    store.append_audit(rows.audit())
    trips: list[object] = []
    guarded = store._link._guarded
    monkeypatch.setattr(store._link, "_guarded", lambda effect: trips.append(effect) or guarded(effect))
    calls = [("append_facts", (f"a{n}", "b", rows.facts(1, 3), 0.0)) for n in range(50)]
    store.foresee([*calls, ("append_audit", (rows.audit(2),)), ("append_facts", (None,))])
    with store.batch():
        assert [getattr(store, method)(*args) for method, args in calls] == [3] * 50
        store.append_audit(rows.audit(2))
    assert len(trips) == 2 and len(store.facts(limit=1000)) == 150
    store.close(T0)
