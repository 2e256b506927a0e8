"""The command `initd`: finds its own packages beside this file and leaves everything to initd.main."""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def start() -> int:
    """Run the command line; returns the exit status."""
    # Started as a file (isolated, without site), our own directory is first on the path: its modules would be
    # top-level names.  Our packages' parent takes its place, last: it may be an application's site-packages, whose
    # modules must not stand before the standard library's.
    # Modules make no garbage; looking for it is a tenth of the time to the first program.  Loop.run takes this back.
    gc.set_threshold(100_000)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [*(entry for entry in sys.path if entry != here), os.path.dirname(here)]
    unpack(here)
    from initd.prefix import restore

    restore()
    from initd.main import main

    return main(sys.argv[1:])


def unpack(here: str) -> None:
    """Take our modules out of one file where there is one for this Python; initd.packed explains it."""
    import marshal
    from _frozen_importlib_external import MAGIC_NUMBER

    try:
        fd = os.open(f"{here}/packed.{sys.implementation.cache_tag}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    lead = os.read(fd, 8)
    if lead[:4] != MAGIC_NUMBER:
        os.close(fd)
        return
    size = int.from_bytes(lead[4:], "little")
    reader, tables = marshal.loads(os.read(fd, size))
    space: dict[str, Any] = {"__name__": "initd.packed"}
    exec(reader, space)
    sys.meta_path.insert(0, space["Finder"](fd, 8 + size, tables, os.path.dirname(here)))


def leave(status: int) -> "NoReturn":
    """End at once: freeing one by one what the kernel frees together is half the time of a stop (bench/init.py)."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # nobody reads any more, or it was closed
        status = status or 1
    os._exit(status)


if __name__ == "__main__":
    leave(start())
