"""The vocabulary all daemons share: states, verbs, causes, and the records that travel or are stored.

Standard library only and cheap to import, because PID 1 imports it.  Conventions, everywhere in pidone:

* `at`, `*_at`: wall-clock time, seconds since the epoch (float).  `mono`: the sender's CLOCK_MONOTONIC, seconds.
* durations in seconds, sizes in bytes, CPU as a fraction of one core (1.0 = one core busy).
* a process is *named* `group:name`, or just `name` where both are equal (supervisorctl's rule); it *is*
  (agent, boot id, pid, start ticks).
* `None` means unknown or none; a number is never faked.
"""

from __future__ import annotations

from wire._record import Record
from wire._words import Words

PROTOCOL = 1
"""Version number in every message; a receiver refuses another major version with a clear error."""


class State(Words):
    """State of one program's process, supervisord's names (subprocess.rst, "Process States")."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    STOPPING = "STOPPING"
    EXITED = "EXITED"
    FATAL = "FATAL"
    UNKNOWN = "UNKNOWN"


class Want(Words):
    """What was asked for, as opposed to the state that is observed."""

    UP = "up"
    DOWN = "down"


class Cause(Words):
    """Why a process ended.  `OOM` is said only where the cgroup's counter proves it; see initd.oom."""

    EXIT = "exit"
    SIGNAL = "signal"
    STOPPED = "stopped"
    START_FAILURE = "start failure"
    OOM = "oom"
    OOM_POSSIBLE = "killed, oom possible"
    PROBE = "probe"
    """A readiness or liveness probe found it wanting, and initd ended it."""
    RENEWAL = "renewal"
    """A rule of its configuration wanted a fresh process: age, memory, a changed file."""
    DEPENDENCY = "dependency"
    """What it depends on went away."""


class Verb(Words):
    """The verbs of the control API (processes) and of the Docker engines (containers)."""

    STATUS = "status"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    SIGNAL = "signal"
    TAIL = "tail"
    EVENTS = "events"
    EXITS = "exits"
    HEALTHY = "healthy"
    SHUTDOWN = "shutdown"
    RESULT = "result"
    KILL = "kill"
    PAUSE = "pause"
    UNPAUSE = "unpause"


class CommandState(Words):
    """Life of a command: accepted by the hub, delivered to the agent or engine, then one of three ends."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class Presence(Words):
    """Where an agent stands: LIVE, LATE and EXPECTED are in the live list, LOST and GONE only in history."""

    EXPECTED = "expected"
    """Known from the store when the hub started, not heard since."""
    LIVE = "live"
    LATE = "late"
    LOST = "lost"
    GONE = "gone"


class FactKind(Words):
    """Kinds of facts: things that happened and may not be lost."""

    STATE = "state"
    EXIT = "exit"
    NOTE = "note"


def full_name(group: str, name: str) -> str:
    """The name people type for a process: `name`, or `group:name` where the group has another name."""
    return name if group == name else f"{group}:{name}"


class Status(Record):
    """One process of one program as `status` shows it."""

    group: str
    name: str
    program: str
    """The [program:x] it comes from; differs from `name` with numprocs."""
    number: int
    """process_num."""
    state: State
    want: Want
    pid: int | None
    start_ticks: int | None
    """Field 22 of /proc/PID/stat: tells a process from a later one with the same pid."""
    since: float
    """Wall time of the last state change."""
    uptime: float | None
    """Seconds since the process was spawned, None while there is none."""
    restarts: int
    """Spawns after the first one."""
    why: str
    """Human text: the last exit, spawn error, or empty."""


class StateChange(Record):
    """Body of a fact of kind `state`."""

    group: str
    name: str
    state: State
    previous: State
    pid: int | None
    why: str
    by: str
    """Actor whose command caused it, "" where nobody asked: `uid=0`, `signal TERM`, `hub:alice`."""


class Rusage(Record):
    """What wait4(2) reported for the process and its waited-for children."""

    user: float
    """CPU seconds in user mode."""
    system: float
    """CPU seconds in the kernel."""
    max_rss: int
    """Largest resident set, bytes."""
    minor_faults: int
    major_faults: int


class Exit(Record):
    """Body of a fact of kind `exit`: everything PID 1 knows about one death."""

    group: str
    name: str
    program: str
    number: int
    pid: int | None
    """None where no process came to be (fork or pipe failure)."""
    start_ticks: int | None
    started_at: float
    ended_at: float
    run_time: float
    """Seconds by the monotonic clock."""
    code: int | None
    """Exit status 0..255, None where a signal ended it."""
    signal: int | None
    core: bool
    """A core was dumped."""
    expected: bool
    """The code is in exitcodes, or somebody asked for the stop."""
    cause: Cause
    by: str
    """Who ended it: an actor for `stopped`, `initd` for `probe`, `renewal` and `dependency`."""
    command: str
    """What was asked for: verb and command id, e.g. `restart 6f1c...`."""
    errno: int | None
    """For `start failure`: the errno of the step that failed."""
    step: str
    """For `start failure`: fork, pipe, chdir, user, exec, limits, pre_start..."""
    rusage: Rusage | None
    last_lines: tuple[str, ...]
    """The last lines it wrote, oldest first, bounded and made printable."""
    escalated: bool = False
    """Its stop signals did not suffice, and initd sent SIGKILL."""
    why: str = ""
    """What the probe or rule said that ended it; for `start failure`, what went wrong."""


class Fact(Record):
    """Something that happened: numbered without gaps within one boot id of one PID 1."""

    seq: int
    at: float
    mono: float
    kind: FactKind
    body: StateChange | Exit | dict[str, object]


class Column(Record):
    """One column of a sample: `code` is the array type code (d = float64 counter, f = float32 gauge)."""

    name: str
    code: str
    unit: str
    doc: str


PROCESS_COLUMNS: tuple[Column, ...] = (
    Column("cpu_seconds", "d", "s", "CPU time used since its start, user and system, cumulative"),
    Column("read_bytes", "d", "B", "bytes read from storage, cumulative"),
    Column("write_bytes", "d", "B", "bytes written to storage, cumulative"),
    Column("cpu", "f", "cores", "CPU as a fraction of one core since the previous sample"),
    Column("rss", "f", "B", "resident set size"),
    Column("memory_share", "f", "1", "rss as a share of the memory limit (of the host where none)"),
    Column("threads", "f", "1", "threads"),
    Column("fds", "f", "1", "open file descriptors"),
    Column("uptime", "f", "s", "seconds since the process started"),
)
"""Columns of every process row, in this order; NaN = unknown."""

CONTAINER_COLUMNS: tuple[Column, ...] = (
    Column("cpu_seconds", "d", "s", "CPU time of the container's cgroup, cumulative"),
    Column("throttled_seconds", "d", "s", "time it was throttled by its CPU quota, cumulative"),
    Column("throttled_periods", "d", "1", "quota periods in which it was throttled, cumulative"),
    Column("oom_kills", "d", "1", "processes killed by the OOM killer, cumulative"),
    Column("net_rx_bytes", "d", "B", "bytes received, cumulative"),
    Column("net_tx_bytes", "d", "B", "bytes sent, cumulative"),
    Column("read_bytes", "d", "B", "bytes read from block devices, cumulative"),
    Column("write_bytes", "d", "B", "bytes written to block devices, cumulative"),
    Column("cpu", "f", "cores", "CPU as a fraction of one core since the previous sample"),
    Column("cpu_limit", "f", "cores", "CPU quota in cores; NaN = no limit"),
    Column("memory", "f", "B", "memory in use less inactive file cache"),
    Column("memory_limit", "f", "B", "memory limit; NaN = none"),
    Column("pids", "f", "1", "tasks in the cgroup"),
    Column("pids_limit", "f", "1", "limit of tasks; NaN = none"),
)
"""Columns of the container's own row, in this order, from whichever source (agent or engine); NaN = unknown."""


class Mount(Record):
    """One mounted file system of the container, by statvfs(3)."""

    path: str
    total: int
    free: int
    files: int
    files_free: int


class RosterRow(Record):
    """One process of the container as the roster names it; samples refer to it by position."""

    pid: int
    start_ticks: int
    parent: int
    kind: str
    """`init` (PID 1), `link`, `program` (leader of a program), `child` (descends from a program), `unmanaged`."""
    program: str
    """Full name of the program it belongs to, "" for unmanaged ones."""
    command: str
    """comm of the process; argv is never sent."""
    uid: int
