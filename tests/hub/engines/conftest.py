"""Fixtures of the engines' tests: real engines, and our side of one that is ended after the test."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from hub.engines.docker import Engine
from hub.engines.reports import EngineCommand, OrderResult
from tests.support.ear import Ear
from tests.support.engines import (  # noqa: F401
    RealEngine,
    _engine26,
    _engines_lock,
    _root_engine,
    _tls_hosts,
    engine,
    engine26,
    tls_hosts,
)

Follow = Callable[..., Ear]


class Followed(Ear):
    """What one engine of ours reports, and a way to give it orders."""

    def __init__(self) -> None:
        super().__init__()
        self.engine: Engine

    def order(self, verb: str, container: str, seconds: float = 30.0, **args: object) -> OrderResult:
        """Give an order and wait for its result."""
        identity = uuid.uuid4().hex
        self.engine.order(EngineCommand(identity, verb, container, args, time.time() + seconds))
        result = self.wait(OrderResult, lambda report: report.id == identity, seconds=seconds + 5)
        assert isinstance(result, OrderResult)
        return result


@pytest.fixture
def follow() -> Iterator[Callable[..., Followed]]:
    """Starts an Engine on a RealEngine (or anything with `url` and `tls`) and hears it."""
    started: list[Engine] = []

    def begin(real: RealEngine, name: str = "e", **options: object) -> Followed:
        ear = Followed()
        ear.engine = Engine(name, real.url, options.pop("tls", real.tls), ear.post, **options)  # type: ignore[arg-type]
        started.append(ear.engine)
        ear.engine.start()
        return ear

    yield begin
    for one in started:
        one.stop()
    assert [one.name for one in started if not one.join(15.0)] == [], "an engine's thread did not end"
