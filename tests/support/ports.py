"""Ports on 127.0.0.1 for servers that tests start.

All lie below the range from which outgoing connections are served (ip_local_port_range: from 32768 on): a connection of
another test cannot take one before its server does, nor while a killed server is away.
"""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Iterator

PART = range(1000)
"""Ports of a test worker; eight workers have theirs between 12000 and 20000, Redis servers have theirs above."""


def _ports() -> Iterator[int]:
    """One after the other, from anywhere, in this worker's part: what was drawn is not soon drawn again."""
    first = 12000 + len(PART) * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
    begin = random.choice(PART)
    for step in itertools.count():
        yield first + PART[(begin + step) % len(PART)]


_drawn = _ports()


def free_ports(count: int) -> list[int]:
    """Ports below the range from which outgoing connections are served, free at this moment.

    What one caller has drawn and not bound yet no other gets, in this process or in another test worker.
    """
    return list(itertools.islice(filter(_is_free, _drawn), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
