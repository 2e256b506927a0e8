"""Answers of real engines, recorded and shortened: 20.10 on cgroup v1 and v2, 26 on cgroup v1."""

from __future__ import annotations

import copy
from typing import Any

ID = "07abcfcf9694f0f7e16e18e055a5a0093ca5f0adbc2b0ce23d608205c78b4b1b"

NO_BLOCKS = {"io_service_bytes_recursive": None, "io_serviced_recursive": None}
ZEROS: dict[str, Any] = {
    "read": "0001-01-01T00:00:00Z",
    "preread": "0001-01-01T00:00:00Z",
    "pids_stats": {},
    "blkio_stats": NO_BLOCKS,
    "cpu_stats": {"cpu_usage": {"total_usage": 0}, "throttling_data": {"throttled_periods": 0, "throttled_time": 0}},
    "precpu_stats": {"cpu_usage": {"total_usage": 0}},
    "memory_stats": {},
    "name": "/exited",
    "id": ID,
}
"""Statistics of a container that has exited (20.10)."""

V1: dict[str, Any] = {
    "read": "2026-11-23T08:06:15.736556658Z",
    "preread": "0001-01-01T00:00:00Z",
    "pids_stats": {"current": 2, "limit": 50},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 254, "minor": 0, "op": "Read", "value": 4096},
            {"major": 254, "minor": 0, "op": "Write", "value": 8192},
            {"major": 254, "minor": 0, "op": "Total", "value": 12288},
            {"major": 7, "minor": 1, "op": "Read", "value": 1000},
        ]
    },
    "cpu_stats": {
        "cpu_usage": {"total_usage": 132515376, "percpu_usage": [56763636, 75751740]},
        "system_cpu_usage": 2219890000000,
        "online_cpus": 2,
        "throttling_data": {"periods": 25, "throttled_periods": 3, "throttled_time": 1500000000},
    },
    "precpu_stats": {"cpu_usage": {"total_usage": 0}},
    "memory_stats": {
        "usage": 774144,
        "stats": {"inactive_file": 1, "total_inactive_file": 4096, "rss": 114688},
        "limit": 67108864,
    },
    "networks": {"eth0": {"rx_bytes": 1112, "tx_bytes": 70}, "eth1": {"rx_bytes": 8, "tx_bytes": 2}},
}
"""The first sample of a stream (20.10, cgroup v1); a one-shot answer of 20.10 and 26 looks the same."""

V2: dict[str, Any] = {
    "read": "2026-11-23T08:23:30.171853014Z",
    "preread": "2026-11-23T08:23:29.018894806Z",
    "pids_stats": {"current": 1, "limit": 18446744073709551615},
    "blkio_stats": NO_BLOCKS,
    "cpu_stats": {
        "cpu_usage": {"total_usage": 2460000000},
        "throttling_data": {"periods": 112, "throttled_periods": 107, "throttled_time": 7460000000},
    },
    "precpu_stats": {"cpu_usage": {"total_usage": 2240000000}},
    "memory_stats": {"usage": 5718016, "stats": {"inactive_file": 94208, "file": 5459968}, "limit": 1037160448},
}
"""A later sample of a stream (20.10, cgroup v2, no memory or task limit, `--network none`, no block controller)."""
V2_HOST_MEMORY = 1037160448

BRIEF: dict[str, Any] = {
    "Id": ID,
    "Names": ["/other/alias", "/shop-1"],
    "Image": "shop:3",
    "Created": 1795421167,
    "Labels": {"com.docker.compose.service": "shop"},
    "State": "running",
    "Status": "Up 3 seconds (healthy)",
    "NetworkSettings": {
        "Networks": {
            "bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": ""},
            "inner": {"IPAddress": "10.0.0.7", "GlobalIPv6Address": "fd00::0007"},
        }
    },
}
EXITED: dict[str, Any] = {**BRIEF, "State": "exited", "Status": "Exited (137) 2 minutes ago", "NetworkSettings": {}}

RUNNING_DETAIL: dict[str, Any] = {
    "Id": ID,
    "Created": "2026-11-23T08:06:07.344525686Z",
    "State": {
        "Status": "running",
        "Running": True,
        "OOMKilled": False,
        "Pid": 15333,
        "ExitCode": 0,
        "StartedAt": "2026-11-23T08:06:07.868414433Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "healthy", "FailingStreak": 0},
    },
    "RestartCount": 0,
    "HostConfig": {"NanoCpus": 500000000, "CpuQuota": 0, "CpuPeriod": 0},
    "NetworkSettings": BRIEF["NetworkSettings"],
}
EXITED_DETAIL: dict[str, Any] = {
    **RUNNING_DETAIL,
    "State": {
        "Status": "exited",
        "Running": False,
        "OOMKilled": True,
        "Pid": 0,
        "ExitCode": 137,
        "StartedAt": "2026-11-23T08:06:32.312947312Z",
        "FinishedAt": "2026-11-23T08:06:32.344092266Z",
    },
    "RestartCount": 2,
    "HostConfig": {"NanoCpus": 0, "CpuQuota": 25000, "CpuPeriod": 50000},
}

DIE: dict[str, Any] = {
    "status": "die",
    "id": ID,
    "Type": "container",
    "Action": "die",
    "Actor": {"ID": ID, "Attributes": {"exitCode": "137", "image": "shop:3", "name": "shop-1"}},
    "time": 1795421191,
    "timeNano": 1795421191335850323,
}
HEALTH: dict[str, Any] = {**DIE, "status": "health_status: healthy", "Action": "health_status: healthy"}
EXEC: dict[str, Any] = {**DIE, "status": "exec_create: /bin/sh -c true", "Action": "exec_create: /bin/sh -c true"}


def changed(answer: dict[str, Any], *path: str, to: object) -> dict[str, Any]:
    """A copy of an answer with one value changed."""
    copied = copy.deepcopy(answer)
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return copied
