"""The worker: batches, order, and nothing acknowledged before it is durable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.store.base import READS, Store
from hub.store.embedded import Embedded
from hub.store.errors import BadRow, Busy, StoreError, Unwritable
from hub.store.worker import NEWS, TENDED, Outcome, Worker
from tests.support import rows
from tests.support.rows import T0

DEADLINE = 60.0


class Awaited:
    """A worker with its wake-ups and outcomes in reach."""

    def __init__(self, store: Store, **options: Any) -> None:
        self.woken = threading.Event()
        self.worker = Worker(store, self.woken.set, lambda: T0, **options)
        self.outcomes: list[Outcome] = []

    def wait(self, count: int) -> list[Outcome]:
        """The next `count` outcomes of calls; those of upkeep stay in `outcomes`."""
        while len([o for o in self.outcomes if o.tag != TENDED]) < count:
            assert self.woken.wait(DEADLINE), self.outcomes
            self.woken.clear()
            self.outcomes += self.worker.drain()
        return [o for o in self.outcomes if o.tag != TENDED]


@pytest.fixture
def awaited(tmp_path: Path) -> Iterator[Awaited]:
    found = Awaited(Embedded(str(tmp_path / "store")))
    yield found
    assert found.worker.stop(DEADLINE)


def test_outcomes_come_back_with_their_tags(awaited: Awaited) -> None:
    awaited.worker.start()
    awaited.worker.submit("append_facts", ("a", "b", rows.facts(1, 3)), "one")
    awaited.worker.submit("durable", ("a", "b"), "two")
    assert awaited.wait(2) == [Outcome("one", 3), Outcome("two", 3)]


def test_the_same_asked_of_many_agents_is_one_read(awaited: Awaited) -> None:
    awaited.worker.submit("append_facts", ("a", "b", rows.facts(1, 3)), "write")
    for agent in ("a", "x"):
        awaited.worker.submit("durable", (agent, "b"), agent)
    awaited.worker._store.durable = None  # type: ignore[method-assign, assignment]
    asked: list[object] = []
    awaited.worker._store.durables = lambda boots: (asked.append(boots), (3, 0))[1]  # type: ignore[method-assign, assignment]
    awaited.worker.start()
    assert awaited.wait(3) == [Outcome("write", 3), Outcome("a", 3), Outcome("x", 0)]
    assert asked == [(("a", "b"), ("x", "b"))]


def test_where_many_agents_cannot_be_read_each_is_told(awaited: Awaited) -> None:
    def fail(boots: object) -> tuple[int, ...]:
        raise Unwritable("it is away")

    awaited.worker._store.durables = fail  # type: ignore[method-assign]
    for agent in ("a", "x"):
        awaited.worker.submit("durable", (agent, "b"), agent)
    awaited.worker.start()
    found = [one for one in awaited.wait(3) if one.tag in ("a", "x")]
    assert [str(one.error) for one in found] == ["it is away"] * 2


def test_a_bad_call_fails_alone(awaited: Awaited) -> None:
    for number, fact in enumerate([rows.fact(1), rows.fact(0), rows.fact(2)]):
        awaited.worker.submit("append_facts", ("a", "b", [fact]), number)
    awaited.worker.start()
    found = awaited.wait(3)
    assert [outcome.value for outcome in found] == [1, None, 2]
    assert isinstance(found[1].error, BadRow)


def test_a_bug_becomes_an_outcome(awaited: Awaited) -> None:
    awaited.worker.submit("no_such_method", (), 1)
    awaited.worker.submit("put_agent", (None,), 2)
    awaited.worker.start()
    assert all(type(outcome.error) is StoreError for outcome in awaited.wait(2))


def test_a_full_queue_is_said_at_once(tmp_path: Path) -> None:
    waiting = Awaited(Embedded(str(tmp_path / "store")), limit=2)
    waiting.worker.submit("agents")
    waiting.worker.submit("agents")
    with pytest.raises(Busy):
        waiting.worker.submit("agents")
    assert (waiting.worker.backlog, waiting.worker.refused) == (2, 1)
    waiting.worker.start()
    assert waiting.worker.stop(DEADLINE)


def test_stopping_carries_out_what_waits(tmp_path: Path) -> None:
    waiting = Awaited(Embedded(str(tmp_path / "store")))
    for seq in range(1, 2001):
        waiting.worker.submit("append_facts", ("a", "b", [rows.fact(seq)]), seq)
    waiting.worker.start()
    assert waiting.worker.stop(DEADLINE)
    assert [outcome.value for outcome in waiting.wait(2000)] == list(range(1, 2001))
    store = Embedded(str(tmp_path / "store"))
    assert store.durable("a", "b") == 2000
    store.close(T0)


class Watched:
    """Stands before a store and notes the order of what happens; its commit can be made to fail."""

    def __init__(self, fail: bool = False) -> None:
        self.seen: list[str] = []
        self._fail = fail

    @contextmanager
    def batch(self) -> Iterator[None]:
        self.seen.append("begin")
        yield
        if self._fail:
            raise Unwritable("no space")
        self.seen.append("commit")

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda *args: self.seen.append(name)


def run(store: Watched, *methods: str) -> tuple[list[Outcome], list[str]]:
    """Submit, run to the end; also the wake-ups among what was seen."""
    worker = Worker(store, lambda: store.seen.append("notify"), lambda: T0)  # type: ignore[arg-type]
    for method in methods:
        worker.submit(method, (), method)
    worker.start()
    assert worker.stop(DEADLINE)
    return [one for one in worker.drain() if one.tag != NEWS], store.seen


def test_one_transaction_for_all_that_waits_and_reads_after_it() -> None:
    _, seen = run(Watched(), "put_agent", "facts", "append_audit", "agents")
    assert [name for name in seen if name not in ("tend", "foresee")] == [
        "begin",
        "put_agent",
        "append_audit",
        "commit",
        "notify",
        "facts",
        "notify",
        "agents",
        "notify",
        "close",
    ]


def test_nothing_is_acknowledged_if_the_commit_fails() -> None:
    outcomes, seen = run(Watched(fail=True), "put_agent", "append_audit", "agents")
    assert [(outcome.tag, type(outcome.error)) for outcome in outcomes] == [
        ("put_agent", Unwritable),
        ("append_audit", Unwritable),
        ("agents", type(None)),
    ]
    assert "commit" not in seen


def test_every_public_method_is_a_read_or_a_write() -> None:
    life = {"batch", "foresee", "tend", "flush", "close", "blocks"}
    methods = {name for name in vars(Store) if not name.startswith("_")}
    assert methods >= READS and not READS & life
    verbs = {
        "put",
        "drop",
        "append",
        "skip",
        "record",
        "claim",
        "update",
        "next",
        "use",
        "revoke",
        "restore",
        "take",
        "renew",
        "hear",
        "judge",
    }
    assert {name.split("_")[0] for name in methods - READS - life} == verbs


def test_what_goes_into_memory_waits_for_what_is_urgent() -> None:
    _, seen = run(Watched(), "put_samples", "put_samples", "claim_command")
    made = [name for name in seen if name not in ("tend", "foresee", "notify")]
    assert made == ["begin", "claim_command", "commit", "put_samples", "put_samples", "close"]
    _, seen = run(Watched(), "put_samples", "latest")
    assert seen.index("put_samples") < seen.index("latest")
