"""Small files of /proc and /sys; hardly an import, because the reader of private figures is to stay small."""

from __future__ import annotations

import os

FILE_BYTES = 1 << 20
"""mountinfo of a container with 2,000 mounts is about 400 KiB."""

CHUNK = 1 << 16


def read(path: str) -> str:
    """A small file of /proc or /sys; empty where it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return _whole(file).decode("utf-8", "backslashreplace")
    except OSError:
        return ""
    finally:
        os.close(file)


def _whole(file: int) -> bytes:
    """Bare system calls: a file object costs as much again, hundreds of times in a round."""
    data = b""
    while len(data) < FILE_BYTES and (more := os.read(file, CHUNK)):
        data += more
    return data[:FILE_BYTES]


def unescape(path: str) -> str:
    """A path of /proc/*/mounts or mountinfo: a blank in it is written as backslash 040."""
    first, *rest = path.split("\\")
    return first + "".join(_octal(part) for part in rest)


def _octal(part: str) -> str:
    digits = part[:3]
    if len(digits) == 3 and not digits.strip("01234567"):
        return chr(int(digits, 8)) + part[3:]
    return "\\" + part
