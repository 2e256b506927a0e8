"""A Redis of its own for the tests of the hub and its store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One server, ended with the test."""
    found = Server(tmp_path / "redis")
    yield found
    found.kill()
