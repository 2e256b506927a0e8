"""Both stores of the console keep the contract; and what only one of them promises."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.auth.settings import AuthSettings
from console.auth.sqlite import SqliteStore
from console.auth.store import Store, StoreAway, open_store
from tests.contract.access_contract import YEAR, AccessContract
from tests.support.redis import Cluster, Server, Watched


class TestSqlite(AccessContract):
    @pytest.fixture
    def opening(self, tmp_path: Path) -> Callable[[], Store]:
        return lambda: open_store(AuthSettings(store=f"sqlite:{tmp_path}/console/access.db"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("redis"))
    yield found
    found.kill()


@pytest.mark.redis
class TestRedis(AccessContract):
    @pytest.fixture
    def opening(self, server: Server) -> Callable[[], Store]:
        with server.client() as client:
            client.flushall()
        return lambda: open_store(AuthSettings(store=f"redis://127.0.0.1:{server.port}"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.kill()


@pytest.mark.redis
class TestRedisCluster(AccessContract):
    @pytest.fixture
    def opening(self, cluster: Cluster) -> Callable[[], Store]:
        cluster.flush()
        nodes = ",".join(f"127.0.0.1:{node.port}" for node in cluster.nodes)
        return lambda: open_store(AuthSettings(store=f"redis+cluster://{nodes}"))


@pytest.mark.redis
def test_sentinels_lead_to_the_primary(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    try:
        places = ",".join(f"127.0.0.1:{one.port}" for one in watched.sentinels)
        store = open_store(AuthSettings(store=f"redis+sentinel://{places}/pidone"))
        assert store.add("account", "ann", b"1")
        with watched.primary.client() as client:
            assert client.hget("pidone:console:account", "ann") == b"1"
        store.close()
    finally:
        watched.kill()


@pytest.mark.redis
def test_a_redis_that_went_is_told_as_such(tmp_path: Path) -> None:
    server = Server(tmp_path)
    store = open_store(AuthSettings(store=f"redis://127.0.0.1:{server.port}"))
    server.kill()
    with pytest.raises(StoreAway) as told:
        store.get("account", "ann")
    assert told.value.status == 503
    server.start()
    try:
        assert store.get("account", "ann") is None
    finally:
        store.close()
        server.kill()


@pytest.mark.redis
def test_a_password_comes_from_its_file(tmp_path: Path) -> None:
    server = Server(tmp_path / "redis")
    with server.client() as client:
        client.config_set("requirepass", "open sesame")
    (tmp_path / "password").write_text("open sesame\n")
    try:
        where = AuthSettings(store=f"redis://127.0.0.1:{server.port}")
        with pytest.raises(StoreAway):
            open_store(where)
        open_store(where._replace(redis_password_file=str(tmp_path / "password"))).close()
    finally:
        server.kill()


@pytest.mark.parametrize(
    "text", ["", "mysql://x", "redis:/x", "redis://name:password@host", "redis://a,b", "redis+unix://x", "redis://a:b"]
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        open_store(AuthSettings(store=text))


def test_the_file_and_its_journals_are_the_owners_only(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        store = SqliteStore(str(tmp_path / "new" / "access.db"))
        store.add("account", "ann", b"1")
    finally:
        os.umask(mask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    assert modes == {"access.db": 0o600, "access.db-wal": 0o600, "access.db-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    store.close()


def test_the_file_is_no_link_that_somebody_laid(tmp_path: Path) -> None:
    (tmp_path / "access.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreAway):
        SqliteStore(str(tmp_path / "access.db"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "access.db").write_bytes(b"something else " * 100)
    with pytest.raises(StoreAway, match="not a database"):
        SqliteStore(str(tmp_path / "access.db"))
    assert (tmp_path / "access.db").read_bytes() == b"something else " * 100


@pytest.mark.parametrize("text", ["UPDATE log SET row = 'x'", "DELETE FROM log"])
def test_the_log_cannot_be_changed_by_a_slip(tmp_path: Path, text: str) -> None:
    store = SqliteStore(str(tmp_path / "access.db"))
    store.append(b"row", YEAR)
    other = sqlite3.connect(tmp_path / "access.db")
    with pytest.raises(sqlite3.IntegrityError, match="the audit is"):
        other.execute(text)
    other.close()
    assert [row for _, row in store.log("", 5)] == [b"row"]
    store.close()


def test_rows_older_than_a_year_go(tmp_path: Path) -> None:
    now = [time.time() - 400 * 86400]
    store = SqliteStore(str(tmp_path / "access.db"), lambda: now[0])
    store.append(b"old", YEAR)
    now[0] = time.time()
    store.append(b"new", YEAR)
    assert [row for _, row in store.log("", 5)] == [b"new"]
    store.close()
