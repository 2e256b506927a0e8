"""The C halves of standard modules, without the Python halves around them.

`signal` wraps its C half to give enumerations, and with them come enum, types, functools, operator, keyword and
reprlib; `collections` brings half of these for a deque that is C, too.  PID 1 uses numbers: without the wrappers an
interpreter is ready in 8.6 instead of 13 ms, and each call is cheaper.  The halves have had these names since Python 2;
what they lack is Signals, Handlers and conversions to them.
"""

from __future__ import annotations

__all__ = ["deque", "heapify", "heappop", "heappush", "signal"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    import signal
    from collections import deque
    from heapq import heapify, heappop, heappush
else:
    import _signal as signal
    from _collections import deque
    from _heapq import heapify, heappop, heappush
