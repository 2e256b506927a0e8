"""The page docs/program-states.md is what the machine does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from wire.model import State

MAKER = Path(__file__).parents[2] / "docs" / "make_program_states.py"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_program_states", MAKER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(maker: ModuleType) -> None:
    assert maker.TARGET.read_text() == maker.render(), "run: python docs/make_program_states.py"


def test_every_state_is_entered_and_left(maker: ModuleType) -> None:
    edges = maker.edges()
    assert {source for source, _, _ in edges} == {target for _, _, target in edges} == set(State)


def test_the_edges_are_supervisords(maker: ModuleType) -> None:
    """subprocess.rst, "Process States", and process.py where that page is silent (UNKNOWN, BACKOFF to STOPPED).

    Ours are the two to FATAL: by a crash loop, and by a one-shot that failed too often.
    """
    drawn = {(str(source), str(target)) for source, _, target in maker.edges()}
    assert drawn == {
        ("STOPPED", "STARTING"), ("STARTING", "RUNNING"), ("STARTING", "BACKOFF"), ("STARTING", "STOPPING"),
        ("RUNNING", "STOPPING"), ("RUNNING", "EXITED"), ("BACKOFF", "STARTING"), ("BACKOFF", "FATAL"),
        ("BACKOFF", "STOPPED"), ("STOPPING", "STOPPED"), ("STOPPING", "UNKNOWN"), ("EXITED", "STARTING"),
        ("FATAL", "STARTING"), ("UNKNOWN", "STOPPED"), ("UNKNOWN", "STOPPING"),
        ("EXITED", "FATAL"), ("STOPPED", "FATAL"),
    }  # fmt: skip
