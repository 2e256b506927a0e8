"""The manual and the example file are what the table says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from initd.config import load
from initd.config.manual import SECTIONS, default, example, markdown
from initd.config.texts import TEXTS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("path", "text"), [("docs/configuration.md", markdown()), ("conf/initd.ini", example())])
def test_the_generated_file_is_up_to_date(path: str, text: str) -> None:
    assert (ROOT / path).read_text() == text, "generate it anew: see initd/config/manual.py"


def test_every_option_is_explained_and_no_other() -> None:
    options = {(section, name) for section, table in SECTIONS.items() for name in ("", *table)}
    assert set(TEXTS) == options


def test_the_example_file_is_good_and_says_the_defaults() -> None:
    loaded = load(str(ROOT / "conf/initd.ini"), {})
    assert (loaded.errors, loaded.warnings) == ((), ())
    assert loaded.config is not None
    assert [program.name for program in loaded.config.programs] == ["web"]


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    """Taking every option out of its comment changes nothing."""
    lines = [line.removeprefix(";") for line in (ROOT / "conf/initd.ini").read_text().splitlines()[2:]]
    lines = [line for line in lines if not line.partition(" ")[0].endswith("=")]
    (tmp_path / "all.ini").write_text("\n".join(lines).partition("[group")[0])
    whole, plain = load(str(tmp_path / "all.ini"), {}), load(str(ROOT / "conf/initd.ini"), {})
    assert whole.config is not None and plain.config is not None
    assert whole.config.daemon._replace(given=()) == plain.config.daemon
    where = {"file": "", "line": 0, "stopwaitsecs_given": False}
    assert whole.config.programs[0]._replace(**where) == plain.config.programs[0]._replace(**where)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("size", 50 << 20, "50MB"),
        ("size", 0, "0"),
        ("signal", 15, "TERM"),
        ("octal", 0o22, "022"),
        ("boolean", True, "true"),
        ("exitcodes", (0,), "0"),
        ("text", None, ""),
        ("environment", (), ""),
    ],
)
def test_defaults_are_written_as_in_a_file(kind: str, value: object, text: str) -> None:
    assert default(kind, value) == text
