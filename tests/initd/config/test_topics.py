"""The seam of options by topic: the table agrees with the modules, [initd] gives defaults, nothing loads unasked."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from initd.config.records import Program
from initd.config.topics import TOPICS, load
from initd.config.values import TYPES

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("topic", TOPICS)
def test_the_table_lists_the_options_of_the_module(topic: str) -> None:
    assert TOPICS[topic] == tuple(load(topic).FIELDS)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_option_has_a_parser_a_kind_and_a_sentence(topic: str) -> None:
    words = import_module(f"initd.config.topics.manual.{topic}")
    module = load(topic)
    assert set(words.TEXTS) == set(module.FIELDS)
    for kind, _, _ in module.FIELDS.values():
        assert kind in TYPES or (kind in module.TYPES and kind in words.KINDS)


def test_every_topic_is_a_field_of_a_program_and_no_option_is_in_two() -> None:
    options = [option for listed in TOPICS.values() for option in listed]
    assert set(TOPICS) <= set(Program._fields)
    assert len(options) == len(set(options))


def test_a_file_without_topical_options_imports_no_topic(tmp_path: Path) -> None:
    (tmp_path / "plain.ini").write_text("[supervisord]\n[program:web]\ncommand=true\n")
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from initd.config import load
        assert load({str(tmp_path / "plain.ini")!r}, {{}}, advise=False).config
        print([name for name in sys.modules if name.startswith("initd.config.topics.")])
    """
    shown = subprocess.run([sys.executable, "-ISc", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
