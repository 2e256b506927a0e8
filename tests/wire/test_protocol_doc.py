"""docs/protocol.md is what the tables say, and every example in it is a message."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from hub.commands.wishes import CONTAINER_ARGS, PROCESS_ARGS
from hub.trust.roles import NEEDS
from wire.codec import decode, encode
from wire.messages import MESSAGES

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "protocol.md").read_text()


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "make_protocol.py"))


def test_the_document_is_up_to_date(script: dict[str, Any]) -> None:
    assert script["document"]() == TEXT, "run: python docs/make_protocol.py"


def test_every_example_decodes_to_its_message(script: dict[str, Any]) -> None:
    blocks = re.findall(r"```hex\n(.*?)```", TEXT, re.DOTALL)
    decoded = [decode(bytes.fromhex(block)) for block in blocks]
    assert [type(message) for message in decoded] == list(MESSAGES)
    assert [encode(message) for message in decoded] == [encode(example) for example in script["EXAMPLES"]]


def test_every_field_is_explained() -> None:
    for record in MESSAGES:
        section = TEXT.split(f"### {record.__name__} —", 1)[1].split("###", 1)[0]
        assert all(f"| `{name}` |" in section for name in record._fields), record.__name__


def test_every_operation_of_the_hub_is_there_with_its_role() -> None:
    chapter = TEXT.split("## Operations of the client port", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1:3] for line in chapter.splitlines()[1:] if line.startswith("| `")][1:]
    told = {name: role.strip() for names, role in rows for name in re.findall(r"`([^`]+)`", names)}
    assert told == {op: str(role) for op, role in NEEDS.items()} | {"command": "viewer for `tail`, else operator"}


def test_every_verb_for_processes_and_containers_is_there() -> None:
    chapter = TEXT.split("Verbs for processes:", 1)[1].split("\n\n", 1)[0]
    for table in (PROCESS_ARGS, CONTAINER_ARGS):
        for verb, args in table.items():
            assert f"`{verb}`" in chapter and all(arg in chapter for arg in args), verb
