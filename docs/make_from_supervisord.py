#!/usr/bin/env python3
"""Makes docs/from-supervisord.md of its prose, the example files and what both readers answer.

python docs/make_from_supervisord.py
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.differences import DIFFERENCES, measured  # noqa: E402

TARGET = ROOT / "docs" / "from-supervisord.md"
PROSE = ROOT / "docs" / "from_supervisord_prose.md"
COSTS = ROOT / "docs" / "from_supervisord_costs.md"
STACKS = ROOT / "conf" / "from-supervisord"
WIDTH = 160
"""Longest answer that is shown, characters."""


def differences() -> str:
    """The table of files that the two readers answer differently."""
    rows = ["| what | supervisord 4.3.0 | initd | why |", "|---|---|---|---|"]
    for one in DIFFERENCES:
        first, second = (cell(answer) for answer in measured(one))
        rows.append(f"| {one.what} | {first} | {second} | {one.why} |")
    return "\n".join(rows)


def cell(answer: str) -> str:
    """An answer, short, without what a table would take for its own."""
    short = answer if len(answer) <= WIDTH else answer[: WIDTH - 3] + "..."
    return short.replace("|", "\\|").replace("[", "\\[")


def stacks() -> str:
    """Every pair of files: the title, and the difference between them."""
    return "\n\n".join(stack(folder) for folder in sorted(STACKS.iterdir()))


def stack(folder: Path) -> str:
    """One pair."""
    before, after = ((folder / name).read_text() for name in ("before.ini", "after.ini"))
    title = before.partition(":")[0].removeprefix("; ")
    changed = difflib.unified_diff(
        before.splitlines()[1:], after.splitlines()[1:], "before.ini", "after.ini", lineterm="", n=0
    )
    kept = [line for line in changed if not line.startswith("@@")]
    place = folder.relative_to(ROOT)
    head = f"### {title[0].upper()}{title[1:]}"
    link = f"[{place}/before.ini](../{place}/before.ini), [{place}/after.ini](../{place}/after.ini)"
    return "\n".join([head, "", link, "", "```diff", *kept, "```"])


def render() -> str:
    """The page."""
    text = PROSE.read_text()
    parts = {"{differences}": differences(), "{stacks}": stacks(), "{costs}": COSTS.read_text().strip()}
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


if __name__ == "__main__":
    TARGET.write_text(render())
