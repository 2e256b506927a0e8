"""Small files of /proc and /sys; without imports, because the reader of private figures is to stay small."""

from __future__ import annotations

FILE_BYTES = 1 << 20
"""mountinfo of a container with 2,000 mounts is about 400 KiB."""


def read(path: str) -> str:
    """A small file of /proc or /sys; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(FILE_BYTES).decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def unescape(path: str) -> str:
    """A path of /proc/*/mounts or mountinfo: a blank in it is written as backslash 040."""
    first, *rest = path.split("\\")
    return first + "".join(_octal(part) for part in rest)


def _octal(part: str) -> str:
    digits = part[:3]
    if len(digits) == 3 and not digits.strip("01234567"):
        return chr(int(digits, 8)) + part[3:]
    return "\\" + part
