"""The manual's sentences for the topic `limits`."""

from __future__ import annotations

INTRO = """\
Groups, resource limits, priorities, capabilities, a cgroup of its own. All of it is done between fork and exec, before
the program becomes its `user`, so limits may be raised as far as initd itself may. **What initd is not permitted to do
is a warning that names the option, said once, and the program starts without it; with `strict_limits=true` it is a
failed start instead.** A group that does not exist always is a failed start. As with every option, `[initd]` may hold
the defaults of all programs."""
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "groupname": "group name or gid",
    "groupnames": "names or gids with commas between",
    "rlimit": "whole number or unlimited; SOFT:HARD for two",
    "rlimit_size": "bytes, KB, MB, GB or unlimited; SOFT:HARD for two",
    "niceness": "-20 to 19",
    "oom_adjustment": "-1000 to 1000",
    "capabilities": "names with commas between, or none",
    "quantity": "bytes, KB, MB, GB or max",
    "cpus": "cores, with decimals, or max",
    "tasks": "whole number or max",
}
"""What to write, by type that initd.config.manual does not know."""

RLIMIT = "Resource limit RLIMIT_{name} of getrlimit(2): {what}"
WORDS = {
    "as": "address space",
    "core": "size of core dumps; 0 for none",
    "cpu": "CPU time, in seconds",
    "data": "data segment",
    "fsize": "size of files it writes",
    "memlock": "memory locked into RAM",
    "msgqueue": "POSIX message queues",
    "nice": "how far nice may be lowered (20 - value)",
    "nofile": "open files; initd's own `minfds` is where it starts from",
    "nproc": "processes of its user, wherever they run",
    "rss": "resident set; no effect on Linux",
    "rtprio": "real-time priority",
    "rttime": "CPU time under real-time scheduling, in microseconds",
    "sigpending": "queued signals",
    "stack": "stack of the main thread",
}

TEXTS: dict[str, str] = {
    "group": "Primary group instead of the one of `user`; works without `user` too. `user=name:group` is refused as in "
    "supervisord",
    "groups": "Supplementary groups instead of those of `user`; empty for none; with a `+` in front, as "
    "`+audio,video`, on top of them",
    **{"rlimit_" + name: RLIMIT.format(name=name.upper(), what=what) for name, what in WORDS.items()},
    "nice": "CPU priority; below initd's own it needs CAP_SYS_NICE",
    "oom_score_adj": "How soon the OOM killer takes it, see proc(5); below initd's own it needs CAP_SYS_RESOURCE",
    "capabilities": "Capabilities it keeps, also as another user (bounding, inheritable and ambient set); all others "
    "are given up for good. Without this option a program that runs as root keeps all, as another user none",
    "no_new_privs": "Nothing it executes can gain privileges, setuid files included (prctl(2), PR_SET_NO_NEW_PRIVS)",
    "cgroup_memory_max": "Memory it and its children may use; beyond it they meet the OOM killer, whose work is then "
    "told apart exactly. The program gets a cgroup below the container's, which must be writable: version 1, or "
    "version 2 with /sys/fs/cgroup mounted rw (then initd moves the container's processes into a leaf `pidone-init`, "
    "because the kernel allows limits only beside groups without processes)",
    "cgroup_memory_high": "Memory above which it is slowed down and reclaimed; cgroup version 2 only",
    "cgroup_cpu_max": "CPU time per time: 0.5 is half of one core",
    "cgroup_pids_max": "Processes and threads it may have at once",
    "strict_limits": "Whether a limit that cannot be set is a failed start, with step `limits`, rather than a warning",
}
"""By option."""
