"""docs/alerts.md is what the tables say, and the example file is one that hubd takes."""

from __future__ import annotations

import runpy
from pathlib import Path

from hub.alerts.rules import load

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "make_alerts.py"))["page"]
    assert page() == (ROOT / "docs" / "alerts.md").read_text(), "run: python docs/make_alerts.py"


def test_every_line_of_the_example_is_sound(tmp_path: Path) -> None:
    lines = (ROOT / "conf" / "alerts.ini").read_text().splitlines()
    text = "\n".join(line if line.startswith("# ") else line.removeprefix("#") for line in lines)
    (tmp_path / "secret").write_text("x")
    for path in ("/run/secrets/oncall_token", "/run/secrets/slack_url"):
        text = text.replace(path, str(tmp_path / "secret"))
    (tmp_path / "alerts.ini").write_text(text.replace("enabled = no\n", ""))
    book = load(str(tmp_path / "alerts.ini"))
    assert len(book.rules) == 11 and [sink.kind for sink in book.sinks] == ["webhook", "alertmanager", "slack"]
