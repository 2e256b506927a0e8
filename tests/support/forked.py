"""Forked children of a test: whatever happens in one, it never goes on as a second copy of the test runner."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


def forked(work: Callable[[], object]) -> int:
    """The pid of a child that does this and ends: with 0, or with 70 and a traceback where it raised."""
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return pid
