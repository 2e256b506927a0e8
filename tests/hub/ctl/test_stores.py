"""hubctl store: everything moves between back ends without a change, or nothing is said to be well."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.ctl.verbs import main
from hub.store.archive import MAGIC
from hub.store.base import Store
from hub.store.chained import chained
from hub.store.embedded import Embedded
from hub.store.moving import Tally, rows
from tests.contract.samples_contract import answers, feed, settle
from tests.support import rows as made
from tests.support.ports import free_ports
from tests.support.redis import Cluster, Server
from tests.support.rows import T0
from wire.model import Presence


def fill(store: Store) -> None:
    """Some of everything, samples in every tier and in memory."""
    chain = chained(store, 365 * 86400.0)
    store.put_agent(made.agent("a", boot="b", labels={"service": "shop"}, more={"x": [1, None]}))
    store.append_facts("a", "b", [*made.facts(1, 3), made.fact(5, made.death())], 0.1)
    store.append_facts("c", "b", [made.fact(9, made.death("web"))], 1 / 3)
    store.skip_facts("c", "b", 9)
    store.record_fact("a", T0, made.fact(1, {"note": 1}).kind, {"note": "x"})
    store.hear_agents("h1", {"a": T0, "c": T0 + 1})
    store.judge_agent("c", Presence.LOST)
    store.claim_command(made.command("c1"))
    for number in range(3):
        chain.append_audit(made.audit(number))
    store.put_token(made.token())
    store.put_key(made.key())
    store.next_epoch(41)
    feed(store, T0, 300)
    store.put_container("box", T0 + 5, made.container(cpu=1.0))
    settle(store, T0 + 1500)


@pytest.fixture
def source(tmp_path: Path) -> str:
    place = str(tmp_path / "source")
    store = Embedded(place)
    fill(store)
    store.close(T0 + 1500)
    return place


def digest(store: Store) -> dict[str, Any]:
    tally = Tally()
    assert list(tally.through(rows(store)))
    return tally.summary()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = main(["store", *words, "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


def test_a_file_brings_everything_back(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, target = str(tmp_path / "out"), str(tmp_path / "target")
    code, first = told(capsys, "export", file, "--store", source)
    assert code == 0 and first["rows"]["fact"] == 6 and first["samples"] == 2 * 300 + 1
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert told(capsys, "check", file)[0] == 0
    assert told(capsys, "import", file, "--store", target)[0] == 0
    one, other = Embedded(source), Embedded(target)
    assert (
        (one.durable("a", "b"), one.durable("c", "b")) == (other.durable("a", "b"), other.durable("c", "b")) == (3, 9)
    )
    assert answers(one) == answers(other) and other.epoch() == 42
    assert [row.at for row in one.facts()] == [row.at for row in other.facts()]
    assert other.audit()[-1].action == "store import"
    one.close(T0)
    other.close(T0)
    assert told(capsys, "check", target)[1]["audit_broken"] == ""


def there_and_back(source: str, address: str, back: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, first = told(capsys, "migrate", "--from", source, "--to", address)
    assert code == 0
    code, second = told(capsys, "migrate", "--from", address, "--to", back)
    assert code == 0 and second["samples"] == first["samples"]
    assert second["rows"] == {**first["rows"], "audit": first["rows"]["audit"] + 1}
    one, other = Embedded(source), Embedded(back)
    assert answers(one) == answers(other) and list(one.blocks()) == list(other.blocks())
    one.close(T0)
    other.close(T0)


@pytest.mark.redis
def test_to_redis_and_back(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path / "redis")
    try:
        place = f"redis://127.0.0.1:{server.port}"
        there_and_back(source, place, str(tmp_path / "back"), capsys)
        assert main(["audit", "verify", place]) == 0 and f"{place}: " in capsys.readouterr().out
    finally:
        server.kill()


@pytest.mark.redis
def test_to_a_cluster_and_back(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(tmp_path / "cluster")
    try:
        address = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in cluster.nodes)
        there_and_back(source, address, str(tmp_path / "back"), capsys)
    finally:
        cluster.kill()


def test_nothing_is_merged(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = str(tmp_path / "other")
    store = Embedded(other)
    store.put_key(made.key())
    before = digest(store)
    store.close(T0)
    assert main(["store", "migrate", "--from", source, "--to", other]) == 1
    assert "not empty (it holds rows of the kind key)" in capsys.readouterr().err
    store = Embedded(other)
    assert digest(store) == before
    store.close(T0)


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-7], lambda data: data[:900] + b"?" + data[901:], lambda data: b"x"]
)
def test_a_damaged_file_changes_nothing(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Any
) -> None:
    file, target = tmp_path / "out", tmp_path / "target"
    assert main(["store", "export", str(file), "--store", source]) == 0
    file.write_bytes(spoil(file.read_bytes()))
    assert main(["store", "import", str(file), "--store", str(target)]) == 1
    assert str(file) in capsys.readouterr().err and not target.exists()


def test_through_a_pipe(
    source: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["store", "export", "-", "--store", source]) == 0
    data = capsysbinary.readouterr().out
    assert data.startswith(MAGIC)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Pipe(data)))
    assert main(["store", "import", "-", "--store", str(tmp_path / "target")]) == 0


def test_a_broken_chain_is_told(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    store: Any = Embedded(source)
    with store._database.write() as connection:
        connection.execute("DELETE FROM audit WHERE position = 2")
    store.close(T0)
    code, found = told(capsys, "check", source)
    assert (code, found["sound"]) == (1, False) and found["audit_broken"]


def test_a_mistyped_place_makes_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "check", str(tmp_path / "nothing")]) == 1
    assert "holds no store" in capsys.readouterr().err and not (tmp_path / "nothing").exists()


def test_a_store_in_use_is_refused(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = Embedded(source)
    assert main(["store", "check", source]) == 1
    assert "in use by another hub" in capsys.readouterr().err
    store.close(T0)


def test_an_absent_redis_is_named_and_nothing_more_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    (port,) = free_ports(1)
    assert main(["store", "check", f"redis://127.0.0.1:{port}"]) == 1
    said = capsys.readouterr().err
    assert f"redis 127.0.0.1:{port} does not answer" in said and "again" not in said
