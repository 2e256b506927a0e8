"""Fixtures of the wire tests: a ZeroMQ context that never hangs, and a ZAP handler."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from tests.support.zap import Doorkeeper


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.linger = 0
    yield context
    context.destroy(0)


@pytest.fixture
def doorkeeper(context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[Doorkeeper]:
    keeper = Doorkeeper(context)
    yield keeper
    keeper.stop()
