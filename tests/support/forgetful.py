"""initd with a fault: its reaper forgets the FORGOTTENth death it collects.  Run as a file, like initd itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FORGOTTEN = 60
"""Which death: the first ones are those of the launcher's children."""

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))
    from initd import reaper
    from initd.main import main

    collected, honest = 0, reaper._next

    def forgetful() -> reaper.Death | None:
        """The next death but the forgotten one."""
        global collected
        death = honest()
        collected += death is not None
        return honest() if death is not None and collected == FORGOTTEN else death

    reaper._next = forgetful
    os._exit(main(sys.argv[1:]))
