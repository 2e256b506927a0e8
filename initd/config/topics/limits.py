"""Options of the topic `limits`: groups, resource limits, priorities, capabilities, a cgroup of its own.

What the file says, checked as far as text can be; initd.limits carries it out.  -1 stands for "no limit" everywhere.
"""

from __future__ import annotations

from initd.config.fields import PROCESS
from initd.config.values import size
from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from initd.config.fields import Fields

RLIMITS = {
    "as": "rlimit_size", "core": "rlimit_size", "cpu": "rlimit", "data": "rlimit_size", "fsize": "rlimit_size",
    "memlock": "rlimit_size", "msgqueue": "rlimit_size", "nice": "rlimit", "nofile": "rlimit", "nproc": "rlimit",
    "rss": "rlimit_size", "rtprio": "rlimit", "rttime": "rlimit", "sigpending": "rlimit", "stack": "rlimit_size",
}  # fmt: skip
"""Resource limits of Linux, as getrlimit(2) names them, and the type of their values."""

CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
"""By number (linux/capability.h)."""

NO_LIMIT = -1
UNLIMITED = ("unlimited", "infinity", "max", "-1")
LEAST_CPU = 0.01
"""The kernel's smallest quota is 1 ms, of periods of 100 ms (kernel/sched/core.c)."""

FIELDS: Fields = {
    "group": ("groupname", None, PROCESS),
    "groups": ("groupnames", None, PROCESS),
    **{"rlimit_" + name: (kind, None, PROCESS) for name, kind in RLIMITS.items()},
    "nice": ("niceness", None, PROCESS),
    "oom_score_adj": ("oom_adjustment", None, PROCESS),
    "capabilities": ("capabilities", None, PROCESS),
    "no_new_privs": ("boolean", False, PROCESS),
    "cgroup_memory_max": ("quantity", None, PROCESS),
    "cgroup_memory_high": ("quantity", None, PROCESS),
    "cgroup_cpu_max": ("cpus", None, PROCESS),
    "cgroup_pids_max": ("tasks", None, PROCESS),
    "strict_limits": ("boolean", False, PROCESS),
}


class Limits(Record):
    """Groups, resource limits, priorities, capabilities, a cgroup of its own; None is "not set"."""

    group: str | None = None
    groups: tuple[str, ...] | None = None
    """Supplementary groups; with a leading "+" they come on top of the user's own."""
    rlimits: tuple[tuple[str, int, int], ...] = ()
    """(name, soft, hard)."""
    nice: int | None = None
    oom_score_adj: int | None = None
    capabilities: tuple[str, ...] | None = None
    """Those to keep."""
    no_new_privs: bool = False
    cgroup_memory_max: int | None = None
    """Bytes."""
    cgroup_memory_high: int | None = None
    cgroup_cpu_max: float | None = None
    """In cores: 0.5 is half of one."""
    cgroup_pids_max: int | None = None
    strict_limits: bool = False


def build(
    values: dict[str, Any], program: dict[str, Any], given: Collection[str], blame: Callable[[str, str], None]
) -> Limits:
    """The record of one program."""
    high, most = values["cgroup_memory_high"], values["cgroup_memory_max"]
    if high is not None and most is not None and 0 <= most < high:
        blame("cgroup_memory_high", "cgroup_memory_high: above cgroup_memory_max it has no effect; write a smaller one")
    rlimits = [(name, values["rlimit_" + name]) for name in RLIMITS]
    kept = {name: value for name, value in values.items() if not name.startswith("rlimit_")}
    return Limits(**kept, rlimits=tuple((name, *value) for name, value in rlimits if value is not None))


def group_name(text: str) -> str:
    """A group by name or number."""
    if not text or "," in text:
        raise ValueError(f"{text!r} is not one group: write its name or number; further ones go into groups=")
    return text


def group_names(text: str) -> tuple[str, ...]:
    """Groups with commas between; none at all is a list too, and so is one after a plus sign."""
    names = tuple(name.strip() for name in text.removeprefix("+").split(",")) if text.strip("+ ") else ()
    if "" in names:
        raise ValueError(
            f"{text!r} is not a list of groups: write names or numbers with commas between, as audio,video"
        )
    return ("+", *names) if text.startswith("+") else names


def rlimit(text: str) -> tuple[int, int]:
    """SOFT or SOFT:HARD in whole numbers."""
    return _pair(text, int, "a whole number")


def rlimit_size(text: str) -> tuple[int, int]:
    """SOFT or SOFT:HARD in bytes, KB, MB or GB."""
    return _pair(text, size, "bytes, or a number with KB, MB or GB")


def _pair(text: str, number: Callable[[str], int], what: str) -> tuple[int, int]:
    soft, colon, hard = text.lower().replace(" ", "").partition(":")
    try:
        found = [NO_LIMIT if word in UNLIMITED else number(word) for word in (soft, hard if colon else soft)]
    except ValueError:
        found = [-2]
    if min(found) < NO_LIMIT or max(found) > 1 << 62:
        raise ValueError(f"{text!r} is no limit: write {what}, or unlimited; SOFT:HARD for two")
    if found[1] != NO_LIMIT and (found[0] == NO_LIMIT or found[0] > found[1]):
        raise ValueError(f"{text!r}: the soft limit is above the hard one; write SOFT:HARD")
    return found[0], found[1]


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = most + 1
        if not least <= value <= most:
            raise ValueError(f"{text!r}: write a whole number from {least} to {most}")
        return value

    return number


def capabilities(text: str) -> tuple[str, ...]:
    """Capabilities by name, with or without CAP_; `none` for none."""
    words = [word.removeprefix("cap_") for word in text.lower().replace(",", " ").split()]
    if words == ["none"]:
        return ()
    strange = [word for word in words if word not in CAPABILITIES]
    if not words or strange:
        from initd.config.diagnose import nearest

        close = nearest(strange[0], CAPABILITIES) if strange else None
        hint = (
            f"did you mean {close}?"
            if close
            else "write names as in capabilities(7), as net_bind_service,chown, or none"
        )
        raise ValueError(f"{strange[0] if strange else text!r} is no capability: {hint}")
    return tuple(dict.fromkeys(words))


def quantity(text: str) -> int:
    """Bytes, or `max`."""
    value = NO_LIMIT if text.lower() in UNLIMITED else size(text)
    if value == 0 or value < NO_LIMIT:
        raise ValueError(f"{text!r} is no amount of memory: write bytes, or a number with KB, MB or GB, or max")
    return value


def cpus(text: str) -> float:
    """Cores, with decimals if wanted, or `max`."""
    try:
        value = NO_LIMIT if text.lower() in UNLIMITED else float(text)
    except ValueError:
        value = 0.0
    if value != NO_LIMIT and not LEAST_CPU <= value <= 1e5:
        raise ValueError(f"{text!r}: write a number of cores from {LEAST_CPU:g} up, as 0.5 or 2, or max")
    return float(value)


def tasks(text: str) -> int:
    """A number of processes and threads, or `max`."""
    return NO_LIMIT if text.lower() in UNLIMITED else _between(1, 1 << 22)(text)


TYPES: dict[str, Callable[[str], object]] = {
    "groupname": group_name,
    "groupnames": group_names,
    "rlimit": rlimit,
    "rlimit_size": rlimit_size,
    "niceness": _between(-20, 19),
    "oom_adjustment": _between(-1000, 1000),
    "capabilities": capabilities,
    "quantity": quantity,
    "cpus": cpus,
    "tasks": tasks,
}
