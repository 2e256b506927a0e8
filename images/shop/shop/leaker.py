"""A worker that leaks: it fills what the container may use in LEAK_SECONDS (default 60), until the OOM killer comes.

Without a memory limit, or with one that is not ours to reach, it stops at 256 MiB and begins anew.
"""

import os
import time

MIB = 1 << 20
PAUSE = 0.2
UNLIMITED = 1 << 40  # v1 says "no limit" with a number near 2**63
FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def limit() -> int:
    """The container's memory limit in bytes, 0 if it has none."""
    for name in FILES:
        try:
            with open(name) as file:
                value = file.read().strip()
        except OSError:
            continue
        return int(value) if value.isdigit() and int(value) < UNLIMITED else 0
    return 0


def main() -> None:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if somebody must go, it is this one
    target = limit() or 256 * MIB
    step = max(MIB, int(target * PAUSE / float(os.environ.get("LEAK_SECONDS", "60"))))
    print(f"leaking {step / MIB:.1f} MiB each {PAUSE} s of {target / MIB:.0f} MiB", flush=True)
    held: list[bytes] = []
    while True:
        held.append(os.urandom(1) * step)
        if not limit() and len(held) * step > target:
            held.clear()
        time.sleep(PAUSE)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("the leaker was interrupted", flush=True)
