"""Makes the files of the present format that later releases must open: python -m tests.support.formats

Run it once before `hub.store.sqlite.VERSION` is raised, never again for that format.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hub.store.embedded import Embedded
from hub.store.sqlite import VERSION
from tests.support import rows

HERE = Path(__file__).parents[1] / "hub" / "store" / "formats"


def fill(directory: Path) -> None:
    """One row of each kind at least, closed in order."""
    store = Embedded(str(directory))
    store.put_agent(rows.agent("a1"))
    store.append_facts("a1", "boot", [*rows.facts(1, 4), rows.fact(5, rows.death())])
    store.claim_command(rows.command())
    store.append_audit(rows.audit())
    store.put_token(rows.token())
    store.put_key(rows.key())
    store.next_epoch(6)
    store.close(rows.T0)


if __name__ == "__main__":
    target = HERE / f"format-{VERSION}"
    if target.exists():
        sys.exit(f"{target} exists; a format's files are made once")
    fill(target)
    (target / "lock").unlink()
