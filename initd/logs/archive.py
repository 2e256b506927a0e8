"""Compression of rotated log files: by a child of low priority, one at a time, which sees no name.

Theory.  PID 1 must not compress itself: zlib takes about 20 ms for a megabyte, so a file of 50 MB would stop it for a
second, and in slices it would still compete, at PID 1's priority, with the programs.  The child (initd.logs.compress)
reads its stdin and writes its stdout, both opened here, and lowers its own priority first; it may be killed any time.

The file may be rotated again meanwhile and have another number when the child is done, so names are settled only then,
here, where all renames happen one after the other: the file is found again by its inode.  What was left over (a child
that was killed, a full disk, an initd that ended) is found at the next rotation, since each looks at all old parts.
"""

from __future__ import annotations

import os

from initd.errors import StartFailed
from initd.logs.rotation import ARCHIVED, loose, whereabouts
from initd.prefix import command
from initd.signals import name_of
from initd.spawn import Order
from wire.limits import ARCHIVES_WAITING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.logs.sink import FileSink
    from initd.reaper import Death
    from initd.supervisor import Supervisor

MODULE = "initd.logs.compress"
STDERR = 2
GROWING = ".gz.part"
"""Behind FILE while its archive is being written."""


class Job:
    """A part being compressed."""

    def __init__(self, sink: FileSink, inode: int) -> None:
        self.sink = sink
        self.inode = inode
        self.growing = sink.path + GROWING


class Archive:
    """Waits for rotations and has old parts compressed."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._waiting: dict[str, FileSink] = {}
        self._job: Job | None = None

    def add(self, sink: FileSink) -> None:
        """A file was rotated."""
        if len(self._waiting) < ARCHIVES_WAITING:
            self._waiting[sink.path] = sink
        self._next()

    def _next(self) -> None:
        while self._job is None and self._waiting and self._sup.ending is None:
            sink = self._waiting.pop(next(iter(self._waiting)))
            part = next(loose(sink.path, sink.keeping), None)
            if part is not None:
                self._begin(sink, part)

    def _begin(self, sink: FileSink, part: str) -> None:
        try:
            source = os.open(part, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                self._compress(Job(sink, os.fstat(source).st_ino), source)
            finally:
                os.close(source)
        except Exception as error:  # a log is being written: whatever goes wrong here must not stop that
            self._sup.note(f"cannot compress {part}: {error}", "warn")

    def _compress(self, job: Job, source: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        target = os.open(job.growing, flags, 0o600)
        try:
            _copy_owner(source, target)
            pid = self._sup.kernel.spawn(Order(tuple(command(MODULE)), {}, source, target, STDERR))
        except StartFailed:
            os.unlink(job.growing)
            raise
        finally:
            os.close(target)
        self._job = job
        self._sup.register(pid, self._on_death)

    def _on_death(self, death: Death) -> None:
        job, self._job = self._job, None
        if job is None:
            return
        try:
            if death.code == 0:
                self._settle(job)
            else:
                os.unlink(job.growing)
                how = os.strerror(death.code) if death.code is not None else name_of(death.signal or 0)
                self._sup.note(f"{job.sink.path}: its old part stays uncompressed: {how}", "warn")
        except OSError as error:
            self._sup.note(f"{job.sink.path}: its archive is lost: {error}", "warn")
        self._next()

    def _settle(self, job: Job) -> None:
        """Give the archive its name; the part may be gone, then the archive goes too."""
        part = whereabouts(job.sink.path, job.sink.keeping, job.inode)
        if part is None:
            os.unlink(job.growing)
            return
        os.rename(job.growing, part + ARCHIVED)
        os.unlink(part)
        if next(loose(job.sink.path, job.sink.keeping), None) is not None:
            self._waiting.setdefault(job.sink.path, job.sink)


def _copy_owner(source: int, target: int) -> None:
    """Who may read the log may read its archive; what is not allowed stays as it is."""
    found = os.fstat(source)
    try:
        os.fchown(target, found.st_uid, found.st_gid)
    except OSError:
        pass
    os.fchmod(target, found.st_mode & 0o777)
