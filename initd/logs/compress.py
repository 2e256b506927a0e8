"""`python -m initd.logs.compress <LOG >LOG.gz`: the child of initd.logs.archive.

Ends with 0, or with the errno of what went wrong, so that its parent can say it.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

CHUNK = 256 * 1024
LEVEL = 6
"""gzip's own default."""
GZIP = 31
"""zlib's window bits that mean the gzip format with the largest window."""


def compress(source: int, target: int) -> None:
    """Everything from one descriptor, compressed, to the other; on the disk when this returns.  Raises OSError."""
    import zlib

    squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    while chunk := os.read(source, CHUNK):
        _put(target, squeeze.compress(chunk))
    _put(target, squeeze.flush())
    os.fsync(target)


def _put(target: int, part: bytes) -> None:
    view = memoryview(part)
    while view:
        view = view[os.write(target, view) :]


def main() -> int:
    """Run on stdin and stdout; returns the exit status."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        os.nice(19)
        compress(0, 1)
    except OSError as error:
        return error.errno or errno.EIO
    except ImportError:  # a Python without zlib
        return errno.ENOSYS
    return 0


if __name__ == "__main__":
    sys.exit(main())
