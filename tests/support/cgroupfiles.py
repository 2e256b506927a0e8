"""What real containers' /proc and /sys/fs/cgroup said, recorded: version 1 under an engine, version 2 on a guest."""

from __future__ import annotations

ID = "bffad6d49373b5db2dc33238e1087d14c70f89041212f214f739f97ab2ff4b13"

V1_CGROUP = "".join(
    f"{number}:{name}:/docker/{ID}\n"
    for number, name in (
        (9, "name=systemd"), (8, "pids"), (7, "blkio"), (6, "freezer"), (5, "devices"), (4, "memory"), (3, "cpuset"),
        (2, "cpuacct"), (1, "cpu"), (0, ""),
    )
)  # fmt: skip

V1_MOUNTS = "400 399 0:137 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755\n" + "".join(
    f"40{number} 400 0:{28 + number} /docker/{ID} /sys/fs/cgroup/{name} ro,nosuid,nodev - cgroup cgroup rw,{name}\n"
    for number, name in enumerate(("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"), 1)
) + (
    f"413 395 254:0 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw,discard\n"
    f"414 395 254:0 /var/lib/docker/containers/{ID}/hosts /etc/hosts rw,relatime - ext4 /dev/vda rw,discard\n"
)  # fmt: skip

V1_FILES = {
    "/sys/fs/cgroup/cpuacct/cpuacct.usage": "43643050\n",
    "/sys/fs/cgroup/cpu/cpu.stat": "nr_periods 3\nnr_throttled 2\nthrottled_time 1500000000\nnr_bursts 0\n",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes": "1216512\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "67108864\n",
    "/sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
    "/sys/fs/cgroup/memory/memory.stat": "cache 200704\ninactive_file 4096\ntotal_inactive_file 172032\n",
    "/sys/fs/cgroup/pids/pids.current": "2\n",
    "/sys/fs/cgroup/pids/pids.max": "50\n",
    "/sys/fs/cgroup/blkio/blkio.throttle.io_service_bytes": "254:0 Read 8192\n254:0 Write 4096\nTotal 12288\n",
}

V2_CGROUP = "0::/\n"
V2_MOUNTS = "36 35 0:26 / /sys/fs/cgroup rw,relatime - cgroup2 none rw,nsdelegate\n"
V2_FILES = {
    "/sys/fs/cgroup/cpu.stat": (
        "usage_usec 3240000\nuser_usec 3210941\nsystem_usec 29058\nnr_periods 64\nnr_throttled 61\n"
        "throttled_usec 3150000\nnr_bursts 0\nburst_usec 0\n"
    ),
    "/sys/fs/cgroup/cpu.max": "50000 100000\n",
    "/sys/fs/cgroup/memory.current": "4849664\n",
    "/sys/fs/cgroup/memory.max": "67108864\n",
    "/sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 3\noom_group_kill 0\n",
    "/sys/fs/cgroup/memory.stat": "anon 126976\ninactive_file 1507328\nactive_file 0\n",
    "/sys/fs/cgroup/pids.current": "3\n",
    "/sys/fs/cgroup/pids.max": "max\n",
    "/sys/fs/cgroup/io.stat": "254:0 rbytes=8192 wbytes=4096 rios=2 wios=1 dbytes=0 dios=0\n",
}
