"""What the hub exposes of the fleet: one table of families, what each is of, and the labels that name it.

Theory.  A series is named by what it is of: an engine by `host`; a container by `container`, `container_id` and `host`;
an agent by `agent`, `agent_id` and `host`; a program by its agent's and `program`; a process by its program's and
`process` (its command) and `pid`.  Labels of deployments (service, image, version...) stand in the `_info` families
only, to be joined in queries, so that no label of a stranger multiplies series.  What is unknown has no sample.
"""

from __future__ import annotations

from wire._record import Record
from wire.model import CONTAINER_COLUMNS, PROCESS_COLUMNS, Column

__all__ = ["FAMILIES", "LABELS", "NAMES", "Family"]


class Family(Record):
    """One family."""

    name: str
    """Without `_total` or `_info`."""
    kind: str
    """counter, gauge or info."""
    of: str
    """engine, container, agent, program or process."""
    field: str
    """Where its value comes from."""
    help: str


LABELS = {
    "engine": ("host",),
    "container": ("container", "container_id", "host"),
    "agent": ("agent", "agent_id", "host"),
    "program": ("agent", "agent_id", "host", "program"),
    "process": ("agent", "agent_id", "host", "program", "process", "pid"),
}
"""What a family is of -> the labels that name it."""

NAMES = {
    "cpu_seconds": "cpu_seconds", "throttled_seconds": "cpu_throttled_seconds",
    "throttled_periods": "cpu_throttled_periods", "oom_kills": "oom_kills", "net_rx_bytes": "network_receive_bytes",
    "net_tx_bytes": "network_transmit_bytes", "read_bytes": "read_bytes", "write_bytes": "written_bytes",
    "cpu": "cpu_cores", "cpu_limit": "cpu_limit_cores", "memory": "memory_bytes", "memory_limit": "memory_limit_bytes",
    "pids": "pids", "pids_limit": "pids_limit", "rss": "resident_bytes", "memory_share": "memory_ratio",
    "threads": "threads", "fds": "open_fds", "uptime": "uptime_seconds",
}  # fmt: skip
"""Column -> its name here, with the unit at the end."""


def _column(of: str, column: Column) -> Family:
    kind = "counter" if column.code == "d" else "gauge"
    words = column.doc[0].upper() + column.doc[1:].replace(", cumulative", "") + "."
    return Family(f"pidone_{of}_{NAMES[column.name]}", kind, of, column.name, words)


_TREE = ("cpu", "rss", "memory_share", "threads", "fds")

FAMILIES: tuple[Family, ...] = (
    Family("pidone_engine", "info", "engine", "", "A Docker engine: version."),
    Family("pidone_engine_containers", "gauge", "engine", "containers", "Containers of its last list."),
    Family("pidone_engine_age_seconds", "gauge", "engine", "age", "Time since the engine answered a list."),
    Family("pidone_container", "info", "container", "", "A container: image, service."),
    Family("pidone_container_running", "gauge", "container", "running", "1 while its engine says it runs, else 0."),
    Family("pidone_container_restarts", "counter", "container", "restart_count", "Restarts by its engine."),
    *(_column("container", column) for column in CONTAINER_COLUMNS),
    Family("pidone_container_writable_bytes", "gauge", "container", "rootfs_rw_bytes", "Size of its writable layer."),
    Family("pidone_container_age_seconds", "gauge", "container", "age", "Time since these figures were measured."),
    Family("pidone_agent", "info", "agent", "", "An agent: version, container, service."),
    Family("pidone_agent_up", "gauge", "agent", "up", "1 while it is live, else 0."),
    Family("pidone_agent_silence_seconds", "gauge", "agent", "age", "Time since its last sign of life."),
    Family("pidone_agent_skew_seconds", "gauge", "agent", "skew", "Its wall clock less the hub's."),
    Family("pidone_agent_facts_dropped", "counter", "agent", "dropped", "Facts it lost before the hub had them."),
    Family("pidone_agent_start_time_seconds", "gauge", "agent", "started_at", "When its PID 1 was started."),
    Family("pidone_program_state", "gauge", "program", "state", "1 with the present state."),
    Family("pidone_program_running", "gauge", "program", "running", "1 while it is RUNNING, else 0."),
    Family("pidone_program_restarts", "counter", "program", "restarts", "Processes after its first."),
    Family("pidone_program_start_time_seconds", "gauge", "program", "born", "When its process was started."),
    Family("pidone_program_processes", "gauge", "program", "processes", "Its processes."),
    *(
        _column("program", column)._replace(help=f"{column.doc[0].upper()}{column.doc[1:]}, of all its processes.")
        for column in PROCESS_COLUMNS
        if column.name in _TREE
    ),
    *(_column("process", column) for column in PROCESS_COLUMNS),
)
