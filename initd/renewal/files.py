"""Which files a pattern means, and whether any of them changed.

Theory.  The standard library can watch files only by looking at them.  So a look lists the patterns' files and takes of
each what changes when it is written, replaced or removed: inode, size, time of change.  It is bounded: at most
RENEWAL_FILES files, and so many entries of directories; what lies beyond is not watched, and said so once.
`*` and `?` stand for parts of one name, `**` for any number of directories; symbolic links to directories are followed
where they are named, not below `**`, so that circles end.
"""

from __future__ import annotations

import os
import stat

from initd.probes.lines import matches
from wire.limits import RENEWAL_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Marks = dict[str, tuple[int, int, int]]

ENTRIES = 16 * RENEWAL_FILES
"""Entries of directories that one look reads at most."""


class Survey:
    """One look: `marks` by path, and whether something was left out."""

    def __init__(self, patterns: Sequence[str], most: int = RENEWAL_FILES) -> None:
        self.marks: Marks = {}
        self.cut = False
        self._entries = ENTRIES
        for pattern in patterns:
            for path in self._expand("/", [part for part in pattern.split("/") if part]):
                if len(self.marks) >= most:
                    self.cut = True
                    return
                self._mark(path)

    def _mark(self, path: str) -> None:
        try:
            found = os.stat(path)
        except OSError:
            return
        if not stat.S_ISDIR(found.st_mode):
            self.marks[path] = (found.st_ino, found.st_size, found.st_ctime_ns)

    def _expand(self, folder: str, parts: list[str]) -> Iterator[str]:
        """Paths that fit; depth first, without recursion."""
        stack = [(folder, parts)]
        while stack:
            base, rest = stack.pop()
            if not rest:
                yield base
            elif rest[0] == "**":
                stack.append((base, rest[1:] or ["*"]))
                stack += [(path, rest) for path in self._folders(base)]
            elif is_wild(rest[0]):
                pattern = os.fsencode(rest[0])
                names = [name for name in self._names(base) if matches(pattern, os.fsencode(name))]
                stack += [(os.path.join(base, name), rest[1:]) for name in names]
            else:
                stack.append((os.path.join(base, rest[0]), rest[1:]))

    def _names(self, folder: str) -> list[str]:
        return sorted((entry.name for entry in self._entries_of(folder)), reverse=True)

    def _folders(self, folder: str) -> list[str]:
        return sorted(entry.path for entry in self._entries_of(folder) if entry.is_dir(follow_symlinks=False))

    def _entries_of(self, folder: str) -> list[os.DirEntry[str]]:
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self._entries <= 0:
                        self.cut = True
                        break
                    self._entries -= 1
                    found.append(entry)
        except OSError:
            pass  # it is no directory, or not ours to read
        return found


def is_wild(part: str) -> bool:
    """Whether a part of a pattern stands for several names."""
    return "*" in part or "?" in part
