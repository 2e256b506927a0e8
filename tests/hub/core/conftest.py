"""A hub without sockets for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.corehub import CoreHub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[CoreHub]:
    """The core over a store in a temporary directory."""
    hub = CoreHub(tmp_path / "store")
    yield hub
    hub.store.close(hub.now.wall)
