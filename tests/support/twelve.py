"""Rows of twelve columns, as wide as figures may become: the table of wire.model and three more of its kinds."""

from __future__ import annotations

from wire import model
from wire.model import Column

MORE = (
    Column("minor_faults", "d", "1", "page faults that needed no disk, cumulative"),
    Column("swap", "f", "B", "swapped out"),
    Column("open_sockets", "f", "1", "sockets"),
)
COUNTERS = [column for column in (*model.PROCESS_COLUMNS, *MORE) if column.code == "d"]
GAUGES = [column for column in (*model.PROCESS_COLUMNS, *MORE) if column.code == "f"]
TWELVE = (*COUNTERS, *GAUGES)


def widen() -> None:
    """From now on, in modules that are imported after this, rows have twelve columns."""
    model.PROCESS_COLUMNS = TWELVE
