"""Metric families as text that Prometheus scrapes: OpenMetrics 1.0 (openmetrics.io), and its older text format 0.0.4.

Both say the same; in OpenMetrics a counter's family has no `_total`, a unit is told, and the end is marked.  Standard
library only: `initd metrics` uses it, too.
"""

from __future__ import annotations

__all__ = ["END", "OPEN", "PLAIN", "TYPES", "braces", "escaped", "family", "head", "line", "number"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OPEN, PLAIN = "openmetrics", "plain"
"""The two dialects."""
TYPES = {
    OPEN: "application/openmetrics-text; version=1.0.0; charset=utf-8",
    PLAIN: "text/plain; version=0.0.4; charset=utf-8",
}
"""Dialect -> Content-Type."""
END = {OPEN: "# EOF\n", PLAIN: ""}
"""What a whole exposition ends with."""
SUFFIX = {"counter": "_total", "info": "_info"}
UNITS = ("seconds", "bytes", "cores", "ratio")
"""Units that names end with."""


def family(
    name: str, kind: str, help: str, samples: Iterable[tuple[Mapping[str, str], float]], dialect: str = OPEN
) -> Iterator[str]:
    """The lines of one family; `name` without `_total` or `_info`, `kind` counter, gauge or info."""
    yield from head(name, kind, help, dialect)
    for labels, value in samples:
        yield line(name, kind, labels, value)


def head(name: str, kind: str, help: str, dialect: str = OPEN) -> Iterator[str]:
    """What stands before a family's samples."""
    unit = name.rpartition("_")[2]
    if dialect == PLAIN:
        name, kind = name + SUFFIX.get(kind, ""), "gauge" if kind == "info" else kind
    yield f"# TYPE {name} {kind}"
    if dialect == OPEN and unit in UNITS:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {escaped(help)}"


def line(name: str, kind: str, labels: Mapping[str, str], value: float) -> str:
    """One sample."""
    return f"{name}{SUFFIX.get(kind, '')}{braces(labels)} {number(value)}"


def braces(labels: Mapping[str, str]) -> str:
    """Labels as they stand behind a name."""
    if not labels:
        return ""
    return "{" + ",".join([f'{label}="{escaped(content)}"' for label, content in labels.items()]) + "}"


def escaped(content: object) -> str:
    """A label's value or a help text between its quotes."""
    text = str(content)
    if text.isalnum():
        return text
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def number(value: float) -> str:
    """A value; whole ones without a point."""
    return repr(float(value)) if isinstance(value, float) and not value.is_integer() else str(int(value))
