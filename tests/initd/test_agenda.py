"""Deeds come before news, and every event meets a settled machine."""

from __future__ import annotations

from typing import Any

import pytest

from initd.agenda import Agenda


class Log:
    """An agenda whose events are texts: each is noted, tells news of itself, and may bring others (`follow`)."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.follow: dict[str, str] = {}
        self.agenda = Agenda(self._handle, self._tell)

    def _handle(self, process: Any, event: Any) -> None:
        self.said.append(f"do {event}")
        self.agenda.later(lambda: None, process, event)

    def _tell(self, _what: Any, process: Any, event: str) -> None:
        self.said.append(f"tell {event}")
        if event in self.follow:
            self.feed(self.follow[event])

    def feed(self, *events: str) -> None:
        for event in events:
            self.agenda.feed(None, event)  # type: ignore[arg-type]


@pytest.fixture
def log() -> Log:
    return Log()


def test_alone_each_event_is_told_at_once(log: Log) -> None:
    log.feed("a", "b")
    assert log.said == ["do a", "tell a", "do b", "tell b"]


def test_together_all_is_done_before_any_is_told(log: Log) -> None:
    log.agenda.together(lambda: log.agenda.together(lambda: log.feed("a", "b")))
    assert log.said == ["do a", "do b", "tell a", "tell b"]


def test_what_news_bring_about_comes_before_the_rest_of_the_news(log: Log) -> None:
    log.follow["a"] = "c"
    log.agenda.together(lambda: log.feed("a", "b"))
    assert log.said == ["do a", "do b", "tell a", "do c", "tell b", "tell c"]


def test_news_can_be_asked_for_in_the_middle(log: Log) -> None:
    log.agenda.together(lambda: (log.feed("a"), log.agenda.tell_news(), log.feed("b")))
    assert log.said == ["do a", "tell a", "do b", "tell b"]


def test_what_failed_together_is_told_all_the_same(log: Log) -> None:
    with pytest.raises(ZeroDivisionError):
        log.agenda.together(lambda: (log.feed("a"), 1 / 0))
    log.feed("b")
    assert log.said == ["do a", "tell a", "do b", "tell b"]
