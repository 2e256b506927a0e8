"""A very small file system that a test can fill."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.services import absent, need_root


@contextmanager
def tiny_tmpfs(where: Path, size: int) -> Iterator[Path]:
    """Mount a tmpfs of `size` bytes at `where`; skips loudly where that is not allowed."""
    need_root()
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where], capture_output=True)
    if done.returncode:
        absent("permission to mount a tmpfs", done.stderr.decode(errors="replace").strip())
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", where], check=True)
