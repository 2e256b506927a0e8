"""hubctl audit verify: checks the audit's hash chain here, row by row, and so trusts neither hub nor store.

The rows come from the hub (by pages, so that nobody waits for them), from the directory of an embedded store, from
Redis by its address, or from a file that `hubctl audit --json` or an export wrote: a JSON array, or one JSON object a
line.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.ctl.stores import opened
from hub.ctl.tables import print_json
from hub.ctl.text import safe
from hub.store.offline import audit_rows
from hub.store.rows import AuditRow
from hub.trust.chain import Check, Verdict
from wire.client import Client

PAGE = 2000
FILE_BYTES = 1 << 30
"""Largest file that is read: a million rows have 400 MB."""


def online(hub: Client, options: Namespace) -> int:
    """Verifies what the hub answers."""
    return told(verdict(_pages(hub)), options, "the hub's audit")


def alone(options: Namespace) -> int | None:
    """Verifies a directory or a file; None where the hub is meant."""
    if options.action is None or options.place is None:
        return None
    if "://" in options.place:
        return told(verdict(_kept(options.place)), options, options.place)
    place = Path(options.place)
    rows = audit_rows(place) if place.is_dir() else _lines(place)
    return told(verdict(rows), options, str(place))


def verdict(rows: Iterable[AuditRow]) -> Verdict:
    """The finding over these rows, oldest first."""
    check = Check()
    for row in rows:
        check.take(row)
    return check.verdict()


def told(found: Verdict, options: Namespace, what: str) -> int:
    """Prints the finding; 0 where the chain is whole, else 1."""
    sound = found.broken is None
    if options.json:
        print_json({"sound": sound, **found._asdict()})
    elif sound:
        older = f", {found.unchained} older ones were written before there was a chain" if found.unchained else ""
        print(f"{safe(what)}: {found.rows} rows are whole{older}; head {safe(found.head) or '-'}")
    else:
        print(f"hubctl: {safe(what)}: broken at position {found.broken}: {safe(found.reason)}", file=sys.stderr)
    return 0 if sound else 1


def _pages(hub: Client) -> Iterator[AuditRow]:
    after = 0
    while page := hub.query("audit", after=after, limit=PAGE):
        for fields in page:
            yield _row(fields)
        after = page[-1]["position"]


def _kept(address: str) -> Iterator[AuditRow]:
    """Those of a store on Redis; it may be in use."""
    with opened(address) as store:
        after = 0
        while page := store.audit(after, None, PAGE):
            yield from page
            after = page[-1].position


def _lines(path: Path) -> Iterator[AuditRow]:
    with path.open("rb") as file:
        text = file.read(FILE_BYTES)
    try:
        whole = text.lstrip().startswith(b"[")
        found = json.loads(text) if whole else [json.loads(line) for line in text.splitlines() if line.strip()]
        yield from sorted((_row(fields) for fields in found), key=lambda row: row.position)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: no audit rows in JSON: {error} (an exported store: hubctl store check)") from None


def _row(fields: Mapping[str, Any]) -> AuditRow:
    return AuditRow(**{name: fields[name] for name in AuditRow._fields if name in fields})
