"""Writes docs/protocol.md from the declared tables: `python docs/make_protocol.py`.

The prose that a client author needs stands in docs/protocol_prose.md and docs/protocol_operations.md; the tables and
examples come from wire.messages, wire.records, wire.model, initd.control and docs/protocol_examples.py.  A test runs
this and compares.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import msgpack  # noqa: E402
from protocol_examples import EXAMPLES  # noqa: E402

from initd.arguments import REQUIRED  # noqa: E402
from initd.control import OPERATE, VERBS  # noqa: E402
from wire import model, records  # noqa: E402
from wire.codec import encode, message_type  # noqa: E402
from wire.frames import PORTS  # noqa: E402
from wire.messages import MESSAGES, HubAddress  # noqa: E402
from wire.relay import RelayContainer, RelaySample  # noqa: E402

RECORDS = (
    (model.Fact, records.FACT), (model.StateChange, records.STATE_CHANGE), (model.Exit, records.EXIT),
    (model.Rusage, records.RUSAGE), (model.Status, records.STATUS), (model.RosterRow, records.ROSTER_ROW),
    (model.Mount, records.MOUNT),
)  # fmt: skip


def diagnostic(plain: Any) -> str:
    """Plain data as text: JSON, with binary as h'..'."""
    if isinstance(plain, bytes):
        return f"h'{plain.hex()}'"
    if isinstance(plain, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {diagnostic(value)}" for key, value in plain.items()) + "}"
    if isinstance(plain, (list, tuple)):
        return "[" + ", ".join(map(diagnostic, plain)) + "]"
    return json.dumps(plain)


def hexadecimal(data: bytes) -> str:
    """Bytes as lines of 40."""
    return "\n".join(data[i : i + 40].hex(" ", 4) for i in range(0, len(data), 40))


def row(*cells: str) -> str:
    """One line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def fields_table(record: Any) -> Iterator[str]:
    """The fields of a message as a table."""
    yield row("field", "type", "unit", "meaning")
    yield "|---|---|---|---|"
    for name in record._fields:
        shape, unit, meaning = record.__annotations__[name].__metadata__
        optional = name in record._field_defaults
        note = f" (optional, default `{diagnostic(record._field_defaults[name])}`)" if optional else ""
        yield row(f"`{name}`", shape.title + note, unit, meaning)


def field_docs(record: Any) -> dict[str, str]:
    """The text under each field of a wire.model record, read from its source."""
    body = ast.parse(inspect.getsource(model)).body
    found = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == record.__name__)
    docs, last = {}, ""
    for part in found.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            last = part.target.id
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and last:
            docs[last] = " ".join(str(part.value.value).split())
    return docs


def record_section(record: Any, shape: Any) -> Iterator[str]:
    """One record that travels inside messages."""
    rows = shape.title.endswith("array")
    yield f"### {record.__name__}\n\n{inspect.getdoc(record)}\n"
    yield f"Travels as {'an array in this order' if rows else 'a map'}.\n"
    yield row("field", "type", "meaning")
    yield "|---|---|---|"
    docs = field_docs(record)
    fields = [(name, inner.title) for name, inner, _ in (shape.head if record is model.Fact else shape).fields]
    for name, title in fields + ([("body", "StateChange, Exit or any map, by `kind`")] if record is model.Fact else []):
        yield row(f"`{name}`", title, docs.get(name, ""))
    yield ""


def message_section(record: Any, example: Any) -> Iterator[str]:
    """One message: meaning, fields, example."""
    data = encode(example)
    yield f'### {record.__name__} — `"t": "{message_type(record)}"`\n\n{inspect.getdoc(record)}\n'
    yield from fields_table(record)
    yield f"\nExample, {len(data)} bytes:\n\n```text\n{diagnostic(msgpack.unpackb(data))}\n```\n"
    yield f"```hex\n{hexadecimal(data)}\n```\n"


def port_rows() -> Iterator[str]:
    """Who says what on which port."""
    yield row("port", "number", "server", "peer", "peer sends", "answer", "server sends unasked")
    yield "|---|---|---|---|---|---|---|"
    for port in PORTS:
        number = str(port.number) if port.number else "socket file"
        first = [port.name, number, port.server, port.peers]
        for message, replies in port.requests:
            yield row(*first, message.__name__, " or ".join(reply.__name__ for reply in replies) or "none", "")
            first = ["", "", "", ""]
        for message in port.pushed:
            yield row(*first, "", "", message.__name__)
    yield ""


def column_rows(columns: Any) -> Iterator[str]:
    """The columns of a sample."""
    yield row("column", "packed as", "unit", "meaning")
    yield "|---|---|---|---|"
    for column in columns:
        yield row(f"`{column.name}`", {"d": "float64", "f": "float32"}[column.code], column.unit, column.doc)
    yield ""


def verb_rows() -> Iterator[str]:
    """What scripts inside a container may ask."""
    for verb, entry in VERBS.items():
        known = [argument for argument in entry.arguments if argument.name != "follow"]
        args = [f"{a.name}: {a.doc}" if a.default is REQUIRED else f"[{a.name}]: {a.doc}" for a in known]
        changes = " (changes something)" if entry.role == OPERATE else ""
        yield row(f"`{verb}`", "<br>".join(args), entry.doc + changes)
    yield ""


def document() -> str:
    """The whole text."""
    parts = ["<!-- made by docs/make_protocol.py: change the tables, not this file -->\n"]
    parts += [(HERE / "protocol_prose.md").read_text(), "## Ports\n", *port_rows()]
    parts += [(HERE / "protocol_operations.md").read_text().rstrip(), *verb_rows(), "## Messages\n"]
    examples = {type(example): example for example in EXAMPLES}
    for record in MESSAGES:
        parts += message_section(record, examples[record])
    parts += ["## Records inside messages\n"]
    for declared in (HubAddress, RelayContainer, RelaySample):
        parts += [f"### {declared.__name__}\n", *fields_table(declared), ""]
    for record, shape in RECORDS:
        parts += record_section(record, shape)
    parts += ["## Columns of a sample\n\n### Processes\n", *column_rows(model.PROCESS_COLUMNS)]
    parts += ["### Container (`container` packs all of them as float64)\n", *column_rows(model.CONTAINER_COLUMNS)]
    return "\n".join(parts)


if __name__ == "__main__":
    (HERE / "protocol.md").write_text(document())
