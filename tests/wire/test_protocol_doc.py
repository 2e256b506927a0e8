"""docs/protocol.md is what the tables say, and every example in it is a message."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

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
