"""Callbacks that fail: the others hear it all the same, and they hear it again, but not for ever."""

from __future__ import annotations

from initd.news import TRIES, News


class Ear:
    """Fails the first `failures` times."""

    def __init__(self, failures: int) -> None:
        self.failures, self.tried, self.heard = failures, 0, []  # type: ignore[var-annotated]

    def __call__(self, *what: object) -> None:
        self.tried += 1
        if self.tried <= self.failures:
            raise MemoryError
        self.heard.append(what)


def news_for(*ears: Ear) -> tuple[News, list[str]]:
    said: list[str] = []
    news = News(lambda text, level: said.append(text), lambda: said.append("shaken"))
    news.settled += ears
    return news, said


def test_one_that_fails_does_not_keep_the_others_from_hearing() -> None:
    broken, whole = Ear(1), Ear(0)
    news, said = news_for(broken, whole)
    news.tell(news.settled, "web")
    assert whole.heard == [("web",)]
    assert said[0] == "shaken"
    assert "MemoryError" in said[1]


def test_it_hears_it_later() -> None:
    ear = Ear(2)
    news, _ = news_for(ear)
    news.tell(news.settled, "web", 1)
    for _ in range(5):
        news.tell_again()
    assert ear.heard == [("web", 1)]


def test_a_bug_is_not_called_for_ever() -> None:
    ear = Ear(1000)
    news, said = news_for(ear)
    news.tell(news.settled, "web")
    for _ in range(20):
        news.tell_again()
    assert ear.tried == TRIES
    assert said.count("shaken") == TRIES
