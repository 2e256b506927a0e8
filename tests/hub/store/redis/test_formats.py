"""A store on Redis across releases: every format there was opens, one can go back, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.ctl.verbs import main
from hub.store.errors import StoreError, Unwritable
from hub.store.redis import books, formats
from hub.store.redis.address import Access
from hub.store.redis.books import META, Page
from hub.store.redis.store import RedisStore
from tests.support import rows
from tests.support.redis import Cluster, Server
from tests.support.rows import T0

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module", params=["one", "cluster"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | Cluster]:
    directory = tmp_path_factory.mktemp("redis")
    found = Server(directory) if request.param == "one" else Cluster(directory)
    yield found
    found.kill()


@pytest.fixture
def store(server: Server | Cluster) -> Iterator[RedisStore]:
    if isinstance(server, Cluster):
        server.flush()
    else:
        with server.client() as client:
            client.flushall()
    found = RedisStore(server.address, Access())
    yield found
    found.close(T0)


def step(page: Page) -> None:
    """What a later release might do."""
    page.change("RENAME", books.key("tokens"), books.key("tickets"))


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The release after this one; `update.undo()` is the downgrade."""
    monkeypatch.setattr(books, "VERSION", books.VERSION + 1)
    monkeypatch.setitem(formats.STEPS, books.VERSION - 1, step)
    return monkeypatch


def fill(store: RedisStore) -> None:
    store.put_token(rows.token("t"))
    store.append_facts("a", "b", rows.facts(1, 5))
    store.append_audit(rows.audit())


def told(store: RedisStore) -> tuple[Any, ...]:
    return store.facts(), store.tokens(), store.audit(), store.durable("a", "b"), store.epoch()


def number(store: RedisStore) -> bytes | None:
    found: bytes | None = store._link.call("HGET", META, b"format")
    return found


def again(store: RedisStore) -> RedisStore:
    """The same opened by a hub that starts now."""
    return RedisStore(store._link.address, Access())


def test_the_first_write_tells_the_format(store: RedisStore) -> None:
    assert number(store) is None
    store.next_epoch()
    assert number(store) == b"1"


def test_a_store_of_before_there_were_numbers_is_of_the_first(store: RedisStore) -> None:
    fill(store)
    store._link.call("HDEL", META, b"format")
    again(store).close(T0)
    store.next_epoch()
    assert number(store) == b"1" and len(store.facts()) == 5


def test_a_newer_store_is_refused_and_left_alone(store: RedisStore) -> None:
    fill(store)
    store._link.call("HSET", META, b"format", 7)
    with pytest.raises(StoreError, match=r"newer pidone \(format 7, this one knows 1\); update$"):
        again(store)
    assert number(store) == b"7"


def test_a_hub_that_runs_on_writes_nothing_into_a_newer_one(store: RedisStore, update: pytest.MonkeyPatch) -> None:
    update.undo()
    fill(store)
    store._link.call("HSET", META, b"format", 2)
    with pytest.raises(StoreError, match="taken over by a newer pidone") as told:
        store.next_epoch()
    assert not isinstance(told.value, Unwritable) and store.epoch() == 0


def test_an_update_copies_first_and_can_be_taken_back(
    store: RedisStore, update: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update.undo()
    fill(store)
    before = told(store)
    update.setattr(books, "VERSION", 2)
    update.setitem(formats.STEPS, 1, step)
    newer = again(store)
    assert number(newer) == b"2" and not newer.tokens() and len(newer.facts()) == 5
    newer.append_facts("a", "b", rows.facts(6, 6))
    newer.close(T0)
    update.undo()
    with pytest.raises(StoreError, match="hubctl store downgrade; what was revoked since then"):
        again(store)
    place = str(store._link).replace(" ", "://")
    assert main(["store", "downgrade", place]) == 0
    assert "{pidone}:format-2:*" in capsys.readouterr().out
    fresh = again(store)
    assert told(fresh) == before and number(fresh) == b"1"
    assert fresh._link.call("HEXISTS", "{pidone}:format-2:facts", "6")
    fresh.next_epoch()
    fresh.close(T0)
    assert main(["store", "downgrade", place]) == 1
    assert "there is nothing to go back from" in capsys.readouterr().err


def test_a_format_without_a_step_is_refused(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    monkeypatch.setattr(books, "VERSION", 3)
    with pytest.raises(StoreError, match="no step from format 1"):
        again(store)
    assert number(store) == b"1"
