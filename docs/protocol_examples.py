"""One example of every message, as docs/protocol.md shows it and tests/wire decodes it."""

from __future__ import annotations

import math
import struct
from typing import Any

from wire import messages as m
from wire import relay as r
from wire.model import (
    PROCESS_COLUMNS,
    Cause,
    CommandState,
    Exit,
    Fact,
    FactKind,
    Mount,
    RosterRow,
    Rusage,
    State,
    StateChange,
    Status,
    Want,
)

BOOT = "9f0c2a6d41e7b835"
AGENT = "a-5mtq3v7k"
KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
HUB = m.HubAddress("hub.example:7401", "hub.example:7402", "hub.example:7403", KEY)
CONTAINER = "3f4e1c" + "0" * 58
AT, MONO = 1767225600.5, 5321.25

EXIT = Exit(
    group="web", name="web", program="web", number=0, pid=17, start_ticks=532001, started_at=AT - 60.0, ended_at=AT,
    run_time=60.0, code=None, signal=9, core=False, expected=False, cause=Cause.OOM, by="", command="", errno=None,
    step="", rusage=Rusage(12.5, 1.25, 268435456, 70000, 3), last_lines=("handling request 4711",),
)  # fmt: skip
CHANGE = StateChange("web", "web", State.BACKOFF, State.STARTING, None, "exited too quickly", "")


def column(code: str, *values: float) -> bytes:
    """A packed column of a sample."""
    return struct.pack(f"<{len(values)}{code}", *values)


def columns() -> dict[str, bytes]:
    """Every process column for two processes."""
    rows = {"cpu_seconds": (12.5, 0.25), "read_bytes": (4096.0, math.nan), "rss": (52428800.0, 8388608.0)}
    return {c.name: column(c.code, *rows.get(c.name, (1.0, 0.0))) for c in PROCESS_COLUMNS}


EXAMPLES: tuple[Any, ...] = (
    m.Register(
        BOOT, CONTAINER, "mountinfo", "web-1", ("172.18.0.3",), AT - 60.0, AT, MONO, "0.1.0", m.Remote.OPERATE,
        {"team": "shop"}, 3, 12, 1, "ipc:///run/initd/command", "web-1",
    ),
    m.Registered(AGENT, "h-1", 3, 2.0, 5.0, 10, AT, True, (KEY,)),
    m.Heartbeat(BOOT, 12, 1, AT, MONO, 4, 0, 0.0021),
    m.Beat(12, AT, False, False, False, 3, (HUB,)),
    m.Roster(
        BOOT, 4, 12, AT, MONO, tuple(c.name for c in PROCESS_COLUMNS),
        (RosterRow(1, 1, 0, "init", "", "python3", 0), RosterRow(17, 532001, 1, "program", "web", "gunicorn", 33)),
        (Status("web", "web", "web", 0, State.RUNNING, Want.UP, 17, 532001, AT - 60.0, 60.0, 1, ""),),
        (Mount("/", 10**10, 6 * 10**9, 655360, 600000),), 0, {"read_bytes": "of another user: permission denied"},
    ),
    m.Facts(BOOT, 1, (
        Fact(11, AT - 1.0, MONO - 1.0, FactKind.STATE, CHANGE), Fact(12, AT, MONO, FactKind.EXIT, EXIT),
    )),
    m.Goodbye(BOOT, "signal TERM", 14),
    m.Ack(12),
    m.Rekey(HUB.key),
    m.Rekeyed(HUB.key),
    m.Hello(BOOT),
    m.Command("c-81f2", "restart", {"names": ("web",)}, 30.0, "alice", 3),
    m.Progress("c-81f2", CommandState.DONE, {"web": "RUNNING"}, None, AT),
    m.Sample(BOOT, 4, AT, MONO, 5.0, columns(), column("d", *range(14))),
    m.Event(BOOT, Fact(13, AT, MONO, FactKind.NOTE, {"note": "clock stepped by 3600.0 s"})),
    m.Enrol("t-invite1", bytes(range(32)), CONTAINER, "web-1", "0.1.0"),
    m.Enrolled(AGENT, (HUB,), {"service": "shop"}),
    m.Query("q1", "ps", {"target": "web-1/*"}),
    m.Answer("q1", ({"agent": "web-1", "name": "web", "state": "RUNNING", "age": 0.4},)),
    m.Refused("q1", "forbidden", "role viewer may not restart", "ask for an operator key"),
    m.Feed(f"fact/{AGENT}", AT, 4711, {"agent": AGENT, "seq": 12}),
    m.RelayBeat(BOOT, "0.1.0", "host-3", ("restart", "start", "stop"), AT, 0.0014, 3, 0),
    m.Relayed("host-3", "h-1", 3, 2.0, 5.0, AT, False, ("c-81f2",)),
    m.RelayState(
        AT, True, "", "26.1.5", "1.45", "host-3", 8, 16 * 2**30, 1, AT, "poll", 0, 0, 0.003, "docker",
    ),
    m.RelayList(7, 0, 1, AT, (r.RelayContainer(
        CONTAINER, "shop-web-1", "shop:3", "running", "Up 3 minutes (healthy)", "healthy", AT - 200.0, AT - 180.0, None,
        None, False, 0, 15333, {"com.docker.compose.service": "web"}, ("172.18.0.3",), 0.5, 4096, 193 * 10**6, AT,
    ),)),
    m.RelayEvent(AT, CONTAINER, "die", {"exitCode": "137", "name": "shop-web-1"}),
    m.RelaySamples((r.RelaySample(CONTAINER, AT, column("d", *range(14))),)),
    m.RelayResult("c-81f2", True, "", "was running already"),
    m.ContainerOrder("c-81f2", "stop", CONTAINER, {"grace": 10.0}, 30.0, 3),
)  # fmt: skip
