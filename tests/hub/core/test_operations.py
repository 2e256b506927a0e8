"""docs/operations.md says what is served: every operation, role and field of a row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.commands.wishes import CONTAINER_ARGS, PROCESS_ARGS
from hub.trust.roles import NEEDS
from tests.support.corehub import CoreHub, container, listing

DOC = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text()
ROWS = [re.split(r"\s*\|\s*", line.strip("| ")) for line in DOC.splitlines() if line.startswith("| `")]


def test_every_operation_is_documented_with_its_role() -> None:
    documented = {op: role for ops, role, *_ in ROWS for op in re.findall(r"`([^`]+)`", ops)}
    assert set(documented) == set(NEEDS)
    assert all(documented[op].startswith(role.value) for op, role in NEEDS.items())


@pytest.mark.parametrize("verb", sorted({*PROCESS_ARGS, *CONTAINER_ARGS}))
def test_every_verb_is_documented_with_its_arguments(verb: str) -> None:
    verbs = DOC[DOC.index("Verbs for processes") : DOC.index("States:")]
    assert f"`{verb}`" in verbs
    assert all(
        f"`{name}`" in verbs for name in PROCESS_ARGS.get(verb, frozenset()) | CONTAINER_ARGS.get(verb, frozenset())
    )


@pytest.mark.parametrize("op", ["agents", "ps", "containers", "hosts"])
def test_the_fields_of_a_row_are_those_documented(hub: CoreHub, op: str) -> None:
    box = container(1, at=hub.now.wall)
    agent = hub.agent("shop", "web", container=box.id)
    hub.report(*listing(hub.now.wall, box))
    hub.sample(agent, 0.5)
    found = re.search(rf"^- `{op}`: ([^-]*?)\n(?:- |\n)", DOC, re.M)
    assert found is not None
    documented = set(re.split(r",\s+", found[1].strip()))
    (row,) = hub.query(op)
    assert set(row) == documented
