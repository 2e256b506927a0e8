"""What is read of a store that goes away while a hub starts: all of it, in order, after one wait."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hub.store.errors import StoreError, Unwritable
from hub.store.worker import Outcome
from hub.vigil import Readings
from hub.words import Store


class Away(Unwritable, OSError):
    """As a Redis that does not answer."""


class Start:
    """Readings of a core, and what was asked of the store in their turn."""

    def __init__(self, store: object = "redis://h") -> None:
        self.asked: list[Store] = []
        self.waited: list[str] = []
        self.effects: dict[type, Any] = {Store: self.asked.append}
        config: Any = SimpleNamespace(store=store)
        self.readings = Readings(config, self.effects, self.waited.append)

    def ask(self, *methods: str) -> None:
        for method in methods:
            self.effects[Store](Store(method, (), lambda value, error, now: []))

    def answer(self, error: StoreError | None = None) -> bool:
        """The outcome of the oldest; whether it was asked again."""
        oldest = self.asked.pop(0)
        return self.readings.again(Outcome(oldest.then, None if error else 1, error))

    def methods(self) -> list[str]:
        return [one.method for one in self.asked]


def test_what_was_told_is_taken() -> None:
    start = Start()
    start.ask("keys", "tokens")
    assert not start.answer() and not start.answer() and not start.asked and not start.waited


def test_all_behind_one_that_failed_are_asked_again_in_order_after_one_wait() -> None:
    start = Start()
    start.ask("facts", "keys", "tokens")
    assert start.answer(Away("gone")) and start.waited == ["gone"]
    assert start.answer() and start.answer(Away("gone")) and start.waited == ["gone"]
    assert start.methods() == ["facts", "keys", "tokens"]
    assert not any(start.answer() for _ in range(3))


def test_it_waits_again_where_the_store_goes_away_again() -> None:
    start = Start()
    start.ask("keys")
    assert start.answer(Away("gone")) and start.answer(Away("gone again")) and not start.answer()
    assert start.waited == ["gone", "gone again"]


def test_what_waiting_does_not_mend_is_told() -> None:
    start = Start()
    start.ask("keys", "tokens")
    assert not start.answer(StoreError("a wrong password")) and not start.answer(Unwritable("full"))
    local = Start(store=None)
    local.ask("keys")
    assert not local.answer(Away("disk")) and not local.waited


def test_readings_with_one_continuation_are_told_apart() -> None:
    start = Start()
    for name in ("a", "b"):
        start.effects[Store](Store("command", (name,), self_same))
    assert start.answer(Away("gone")) and start.answer()
    assert [one.args for one in start.asked] == [("a",), ("b",)]


def self_same(value: Any, error: str, now: Any) -> list[Any]:
    return []


def test_at_its_end_the_loop_asks_by_itself_again() -> None:
    start = Start()
    start.readings.end()
    start.ask("keys")
    assert not start.answer(Away("gone"))
