"""Every test here forks real processes; those in PID namespaces need root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pid1 import Pid1
from tests.support.services import need_root

Begin = Callable[..., Pid1]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start an initd; all are gone at the end of the test."""
    begun: list[Pid1] = []

    def start(config: str = "", **options: Any) -> Pid1:
        if options.get("namespace", True):
            need_root()
        folder = tmp_path / str(len(begun))
        folder.mkdir()
        begun.append(Pid1(folder, config, **options))
        return begun[-1]

    yield start
    for one in begun:
        one.destroy()
