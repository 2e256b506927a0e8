"""The version of this installation."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def version() -> str:
    """Of the source tree, else of the installed distribution."""
    tree = Path(__file__).resolve().parent.parent / "VERSION"
    with suppress(OSError):
        return tree.read_text(encoding="ascii").strip()
    from importlib import metadata

    try:
        return metadata.version("pidone")
    except metadata.PackageNotFoundError:
        return "unknown"
