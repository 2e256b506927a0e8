"""A store that is away for a while: who waits is told, what nobody waits for is made later, within bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.store import worker as module
from hub.store.embedded import Embedded
from hub.store.errors import Unwritable
from hub.store.waiting import Absence, Call, Waiting
from hub.store.worker import NEWS, TENDED, Outcome, Worker
from tests.support import rows
from tests.support.rows import T0
from tests.support.waiting import until


class Leaving(Embedded):
    """A store that can be away, as one behind a network is."""

    away = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        with super().batch():
            yield
            if self.away:
                raise Unwritable("nobody answers")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRY_SECONDS", 0.05)
    monkeypatch.setattr(module, "TEND_SECONDS", 0.02)


class Away:
    """A worker whose store is away, and everything it said."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.store = Leaving(str(path))
        self.store.away = True
        self.worker = Worker(self.store, threading.Event().set, lambda: T0, **options)
        self.outcomes: list[Outcome] = []
        self.heard: list[Outcome] = []
        self.worker.start()

    def submit(self, method: str, *args: Any, tag: object = None) -> None:
        self.worker.submit(method, args, tag)

    def wait_for(self, text: str) -> None:
        """Until a line with this text was said."""
        until(lambda: self.drain() or any(text in line for line in self.said()), 30.0, text)

    def drain(self) -> None:
        for one in self.worker.drain():
            (self.heard if one.tag == NEWS else self.outcomes).append(one)

    def news(self) -> list[object]:
        return [one.value for one in self.heard]

    def said(self) -> list[str]:
        return [line for one in self.outcomes if one.tag == TENDED for line in one.value]


def test_what_nobody_waits_for_is_made_when_the_store_is_back(tmp_path: Path) -> None:
    away = Away(tmp_path / "store")
    for number in range(3):
        away.submit("append_audit", rows.audit(number))
    until(lambda: away.worker.waiting == 3)
    away.store.away = False
    away.wait_for("it is back: 3 writes that waited were made, 0 were dropped")
    away.submit("audit", tag="seen")
    until(lambda: away.drain() or any(one.tag == "seen" for one in away.outcomes))
    assert [row.detail for row in away.outcomes[-1].value] == ["number 0", "number 1", "number 2"]
    assert len([one for one in away.outcomes if one.tag is None]) == 3, "each call has its outcome"
    assert away.worker.stop(30.0)


def test_who_waits_is_told_at_once(tmp_path: Path) -> None:
    away = Away(tmp_path / "store")
    away.submit("append_facts", "a", "b", rows.facts(1, 2), tag="agent")
    until(lambda: away.drain() or away.outcomes)
    assert (away.outcomes[0].tag, str(away.outcomes[0].error)) == ("agent", "nobody answers")
    assert away.worker.waiting == 0
    away.store.away = False
    assert away.worker.stop(30.0)


def test_samples_are_taken_meanwhile(tmp_path: Path) -> None:
    away = Away(tmp_path / "store")
    away.submit("append_audit", rows.audit())
    away.submit("put_roster", "a", "b", 1, [rows.process(10)])
    away.submit("put_samples", "a", "b", 1, T0, rows.columns([{"rss": 5.0}]), tag="kept")
    away.submit("latest", "a", tag="seen")
    until(lambda: away.drain() or any(one.tag == "seen" for one in away.outcomes))
    assert away.outcomes[-1].value.columns["rss"][0] == 5.0
    away.store.away = False
    assert away.worker.stop(30.0)


def test_what_is_too_much_is_dropped_and_said(tmp_path: Path) -> None:
    away = Away(tmp_path / "store", keep=2)
    for number in range(5):
        away.submit("append_audit", rows.audit(number))
    away.wait_for("no room for more")
    away.store.away = False
    away.wait_for("2 writes that waited were made, 3 were dropped")
    assert away.worker.stop(30.0)


def test_what_is_lost_at_the_end_is_said(tmp_path: Path) -> None:
    away = Away(tmp_path / "store")
    away.submit("append_audit", rows.audit())
    assert away.worker.stop(30.0)
    away.wait_for("1 writes are lost")


def test_of_one_agent_only_the_last_row_waits() -> None:
    waiting = Waiting(2)
    for name in ("a", "b", "a"):
        assert waiting.keep(Call("put_agent", (rows.agent(name),), None))
    assert [call.args[0].agent for call in waiting.first(9)] == ["b", "a"]
    assert not waiting.keep(Call("append_audit", (), None)) and waiting.dropped == 1
    waiting.made(2)
    assert len(waiting) == 0


def test_that_it_is_away_and_back_is_news(tmp_path: Path) -> None:
    away = Away(tmp_path / "store")
    away.submit("append_audit", rows.audit())
    until(lambda: away.drain() or away.news() == [(T0, "")], 30.0)
    away.store.away = False
    until(lambda: away.drain() or away.news() == [(T0, ""), (None, "it was away")], 30.0)
    assert away.worker.stop(30.0)


def test_a_full_disk_that_can_be_read_is_away_until_a_write_succeeds() -> None:
    absence, full = Absence(), Unwritable("full")
    assert absence.note("append_facts", full, T0)
    assert not absence.note("agents", None, T0 + 1) and not absence.note("put_samples", None, T0 + 2)
    assert absence.since == T0
    assert absence.note("put_agent", None, T0 + 3) and absence.since is None
    assert absence.note("agents", full, T0 + 4) and absence.note("agents", None, T0 + 5)
