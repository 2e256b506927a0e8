"""The verbs that only look: agents, hosts, containers, ps, events, exits, audit, and what they print."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.ctl.anyhub import AnyHub
from hub.ctl.audited import online
from hub.ctl.following import Trail, follow
from hub.ctl.outdated import outdated
from hub.ctl.tables import AGE, Column, Row, field, print_json, render, show, shown
from hub.ctl.text import age, moment, number, safe, share, since, size
from wire.client import Client

AGENTS = (
    Column("NAME", field("name")),
    Column("AGENT", lambda row: str(row["agent"])[:12]),
    Column("PRESENCE", field("presence")),
    Column("PROGRAMS", lambda row: f"{number(row['running'])}/{row['programs']}", True),
    Column("CPU", shown("cpu", share), True),
    Column("MEMORY", shown("memory", size), True),
    Column("UP", shown("uptime", age), True),
    Column("CONTAINER", lambda row: _container(row)),
    Column("ADDRESS", field("peer")),
    AGE,
    Column("REASON", field("reason")),
)
HOSTS = (
    Column("ENGINE", field("engine")),
    Column("STATE", lambda row: "up" if row["up"] else "down"),
    Column("HOST", field("host")),
    Column("VIA", lambda row: "relay" if row.get("via") else "-"),
    Column("VERSION", field("version")),
    Column("CPUS", shown("cpus", number), True),
    Column("MEMORY", shown("memory", size), True),
    Column("CONTAINERS", shown("containers", number), True),
    Column("AGENTS", shown("agents", number), True),
    Column("STATS", field("stats")),
    AGE,
    Column("ERROR", field("error")),
)
CONTAINERS = (
    Column("NAME", field("name")),
    Column("ID", lambda row: str(row["id"])[:12]),
    Column("ENGINE", field("engine")),
    Column("STATE", field("state")),
    Column("HEALTH", field("health")),
    Column("AGENT", lambda row: row.get("presence") or "-"),
    Column("CPU", shown("cpu", share), True),
    Column("MEMORY", shown("memory", size), True),
    Column("LIMIT", shown("memory_limit", size), True),
    Column("NET RX/TX", lambda row: f"{size(row['net_rx_bytes'])}/{size(row['net_tx_bytes'])}", True),
    Column("IO R/W", lambda row: f"{size(row['read_bytes'])}/{size(row['write_bytes'])}", True),
    Column("RW LAYER", shown("rootfs_rw_bytes", size), True),
    Column("PIDS", shown("pids", number), True),
    Column("EXIT", lambda row: _exit_of_container(row), True),
    Column("RESTARTS", shown("restart_count", number), True),
    AGE,
    Column("NOTE", field("disagreement")),
)
PROCESSES = (
    Column("AGENT", field("agent_name")),
    Column("PROCESS", field("process")),
    Column("STATE", lambda row: row.get("state") or row.get("kind") or "-"),
    Column("PID", shown("pid", number), True),
    Column("CPU", shown("cpu", share), True),
    Column("RSS", shown("rss", size), True),
    Column("MEM", shown("memory_share", share), True),
    Column("TREE CPU", lambda row: share((row.get("tree") or {}).get("cpu")), True),
    Column("TREE RSS", lambda row: size((row.get("tree") or {}).get("rss")), True),
    Column("THREADS", shown("threads", number), True),
    Column("FDS", shown("fds", number), True),
    Column("UP", shown("uptime", age), True),
    Column("RESTARTS", shown("restarts", number), True),
    AGE,
    Column("WHY", field("why")),
)
EXITS = (
    Column("WHEN", shown("at", moment)),
    Column("AGENT", field("agent_name")),
    Column("PROCESS", lambda row: process_name(row)),
    Column("PID", shown("pid", number), True),
    Column("RAN", shown("run_time", age), True),
    Column("END", lambda row: ending(row)),
    Column("CAUSE", lambda row: _cause(row)),
    Column("WHO", field("who")),
    Column("EXPECTED", lambda row: "yes" if row.get("expected") else "NO"),
    AGE,
    Column("LAST LINE", lambda row: (row.get("last_lines") or ("-",))[-1]),
)
EVENTS = (
    Column("WHEN", shown("at", moment)),
    Column("AGENT", field("agent_name")),
    Column("KIND", field("kind")),
    Column("WHAT", lambda row: happening(row)),
    AGE,
)
AUDIT = (
    Column("WHEN", shown("at", moment)),
    Column("WHO", field("actor")),
    Column("FROM", field("peer")),
    Column("ACTION", field("action")),
    Column("TARGET", field("target")),
    Column("OUTCOME", field("outcome")),
    Column("COMMAND", field("command")),
    AGE,
    Column("DETAIL", field("detail")),
)


def _container(row: Row) -> str:
    if not row.get("container"):
        return "-"
    doubtful = not row.get("verified") and row.get("presence") not in ("lost", "gone")
    return str(row["container"])[:12] + (" (unverified)" if doubtful else "")


def _exit_of_container(row: Row) -> str:
    code = number(row.get("exit_code"))
    return f"{code} OOM" if row.get("oom_killed") else code


def process_name(row: Row) -> str:
    """`group:name`, or the name alone where both are equal."""
    group, name = row.get("group") or "", row.get("name") or ""
    return str(name) if group in ("", name) else f"{group}:{name}"


def ending(row: Row) -> str:
    """How a process ended: its code, or its signal by name."""
    if row.get("signal"):
        return signal_name(row["signal"])
    return "-" if row.get("code") is None else f"exit {row['code']}"


def signal_name(value: object) -> str:
    """`SIGKILL` for 9."""
    try:
        return signal.Signals(int(str(value))).name
    except ValueError:
        return f"signal {value}"


def _cause(row: Row) -> str:
    cause, why = str(row.get("cause", "-")), row.get("why")
    if cause == "stopped":
        by = f"stopped by {row.get('by') or 'unknown'} {row.get('command') or ''}".strip()
        return by + (", needed SIGKILL" if row.get("escalated") else "")
    if cause == "start failure" and not why:
        return f"{cause} ({row.get('step')}, errno {row.get('errno')})"
    return f"{cause}: {why}" if why else cause


def happening(row: Row) -> str:
    """One fact in words."""
    if row["kind"] == "state":
        by = f", by {row['by']}" if row.get("by") else ""
        why = f" ({row['why']})" if row.get("why") else ""
        return f"{process_name(row)} {row.get('previous')} -> {row.get('state')}{why}{by}"
    if row["kind"] == "exit":
        return f"{process_name(row)} ended: {ending(row)}, {_cause(row)}"
    if row.get("note") == "presence":
        return f"{row.get('previous') or 'new'} -> {row.get('presence')} ({row.get('reason')})"
    known = ("position", "boot", "seq", "at", "agent_at", "kind", "age", "agent_name", "agent", "name", "note")
    details = " ".join(f"{key}={value}" for key, value in row.items() if key not in known and value is not None)
    return f"{row.get('note', '')} {details}".strip()


# -- verbs -----------------------------------------------------------------------------------------------------------


def agents(hub: Client, options: Namespace) -> int:
    """Prints the live list, with --all everyone known, with --outdated who is behind; or asks some for new keys."""
    if options.action == "rekey":
        rows = list(hub.query("agent.rekey", target=options.target))
        words = f"{len(rows)} agents are asked to change their key; hubctl events tells when each has"
        print_json(rows) if options.json else print(words)
        return 0
    if options.outdated:
        return outdated(hub, options)
    show(
        AGENTS,
        hub.agents(options.all),
        options.json,
        "no agents; hubctl token create makes a join string",
    )
    return 0


def hosts(hub: Client, options: Namespace) -> int:
    """Prints the Docker engines."""
    show(HOSTS, hub.hosts(), options.json, "no engines; add [engine:NAME] to the hub's configuration")
    return 0


def containers(hub: Client, options: Namespace) -> int:
    """Prints containers: the running ones, or with --all every one."""
    rows = hub.containers()
    chosen = [row for row in rows if options.all or row["state"] in ("running", "paused", "restarting")]
    show(CONTAINERS, chosen, options.json, "no containers")
    return 0


def ps(hub: Client, options: Namespace) -> int:
    """Prints processes."""
    rows = hub.ps(tuple(options.target) or None, options.all)
    show(PROCESSES, rows, options.json, "no processes")
    return 0


def events(hub: Client, options: Namespace) -> int:
    """Prints facts of all kinds, newest last."""
    return _follow(hub, options) if options.follow else newest(hub, options, "events", EVENTS, {})


def audit(hub: Client, options: Namespace) -> int:
    """Prints who asked for what, or verifies that it is all there."""
    if options.action == "verify":
        return online(hub, options)
    rows = list(hub.query("audit", since=since(options.since), limit=options.number))
    show(AUDIT, rows, options.json, "no audit rows")
    return 0


def about(hub: Client, options: Namespace) -> int:
    """Prints what the hub says of itself."""
    row = hub.about()
    if options.json:
        print_json(row)
    else:
        print("\n".join(f"{safe(key):22} {safe(value)}" for key, value in sorted(_flat(row))))
    return 0


def _flat(row: Row, above: str = "") -> list[tuple[str, object]]:
    """Names and values of nested maps, joined by a point; those in a list by its positions."""
    found: list[tuple[str, object]] = []
    for key, value in row.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{above}{key}.")
        elif isinstance(value, (tuple, list)):
            found += [item for n, one in enumerate(value) for item in _item(one, f"{above}{key}.{n}")]
        else:
            found.append((f"{above}{key}", "-" if value is None else value))
    return found


def _item(value: object, name: str) -> list[tuple[str, object]]:
    return _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]


def metrics(hub: Client, options: Namespace) -> int:
    """Prints the hub's own counters and gauges, as Prometheus reads them."""
    text = hub.metrics()
    print_json(text) if options.json else print(text, end="")
    return 0


def newest(hub: Client, options: Namespace, op: str, columns: Sequence[Column], args: Mapping[str, Any]) -> int:
    """Prints the newest facts."""
    more = {"since": since(options.since), "limit": options.number}
    rows = list(hub.query(op, target=options.target, **args, **more))
    show(columns, rows, options.json, f"no {op}")
    return 0


def _follow(hub: Client, options: Namespace) -> int:
    """Prints the newest facts, and for ever what comes after them."""
    anyhub = AnyHub(hub)
    trail = Trail(anyhub, options.target)
    rows = trail.newest(since(options.since), options.number)
    if options.json:
        _stream(rows)
    else:
        show(EVENTS, rows, False, "no events yet")
    sys.stdout.flush()

    def look() -> None:
        for page in trail.more():
            _more(page, EVENTS, options)

    try:
        follow(anyhub, look)
    finally:
        anyhub.close()


def _more(rows: list[Row], columns: Sequence[Column], options: Namespace) -> None:
    if options.json:
        _stream(rows)
    else:
        print("\n".join(render(columns, rows)[1:]), flush=True)


def _stream(rows: Sequence[Row]) -> None:
    for row in rows:
        print_json(row)
    sys.stdout.flush()


LOOKS: dict[str, Callable[[Client, Namespace], Any]] = {
    "agents": agents,
    "hosts": hosts,
    "containers": containers,
    "ps": ps,
    "events": events,
    "audit": audit,
    "about": about,
    "metrics": metrics,
}
