"""Small decisions of the assembly; the whole of it runs in tests/proc."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from initd.daemon import stop_budget
from initd.errors import OperatorError


def config(budget: float | None) -> Any:
    return SimpleNamespace(daemon=SimpleNamespace(shutdown_budget=budget))


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        (None, {}, None),
        (None, {"PIDONE_STOP_BUDGET": ""}, None),
        (None, {"PIDONE_STOP_BUDGET": "25"}, 25.0),
        (None, {"PIDONE_STOP_BUDGET": "0.5"}, 0.5),
        (12.0, {"PIDONE_STOP_BUDGET": "25"}, 12.0),
    ],
)
def test_the_file_speaks_before_the_environment(given: float | None, environ: dict[str, str], expected: object) -> None:
    assert stop_budget(config(given), environ) == expected


@pytest.mark.parametrize("text", ["ten", "-1", "nan", "inf", "1e12"])
def test_a_budget_that_is_no_number_of_seconds(text: str) -> None:
    with pytest.raises(OperatorError, match="PIDONE_STOP_BUDGET"):
        stop_budget(config(None), {"PIDONE_STOP_BUDGET": text})
