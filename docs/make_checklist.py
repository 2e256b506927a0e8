"""Write docs/pid1-checklist.md from tests/checklist.py: python docs/make_checklist.py > docs/pid1-checklist.md."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.checklist import AREAS, Case

HEAD = """# What a PID 1 must get right

Made by docs/make_checklist.py from tests/checklist.py; `tests/house/test_checklist.py` fails where a test named here is
not there. Each case has the tests that hold it, or the reason why none can.
"""


def row(case: Case) -> str:
    """One line of the table."""
    held = [f"`tests/{path.replace('::', '.py::')}`" for path in case.tests]
    return f"| {case.must} | {'<br>'.join([*held, *([case.reason] if case.reason else [])])} |"


def page() -> str:
    """The whole text."""
    parts = [HEAD]
    for area, cases in AREAS.items():
        rows = "\n".join(map(row, cases))
        parts.append(f"\n## {area}\n\n| must hold | held by |\n|---|---|\n{rows}\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
