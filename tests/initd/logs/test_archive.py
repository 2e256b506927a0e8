from __future__ import annotations

import errno
import gzip
import os
from pathlib import Path

import pytest

from initd.errors import StartFailed
from initd.logs.archive import GROWING, Archive
from initd.logs.compress import compress
from initd.logs.rotation import Keeping
from initd.logs.sink import FileSink, Origin
from initd.reaper import Death
from initd.spawn import Order
from tests.support.estate import at_the_end, owned


class Supervisor:
    """What an Archive needs of one; children compress when the test lets them die."""

    def __init__(self) -> None:
        self.output = self.kernel = self
        self.ending: object | None = None
        self.said: list[str] = []
        self.fault: StartFailed | None = None
        self.children: list[tuple[int, int]] = []
        self.deaths: list[object] = []

    def spawn(self, order: Order) -> int:
        if self.fault is not None:
            raise self.fault
        self.children.append((os.dup(order.stdin), os.dup(order.stdout)))
        owned(*self.children[-1])
        return 4242

    def register(self, pid: int, callback: object) -> None:
        self.deaths.append(callback)

    def note(self, text: str, level: str = "info") -> None:
        self.said.append(text)

    def finish(self, code: int | None = 0, signal: int | None = None) -> None:
        """The child has done its work, or not."""
        source, target = self.children.pop(0)
        if code == 0:
            compress(source, target)
        os.close(source)
        os.close(target)
        self.deaths.pop(0)(Death(4242, code, signal, None, None))


class Place:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.sup = Supervisor()
        self.archive = Archive(self.sup)
        self.sink = FileSink(str(path / "log"), Keeping(4, 3, compress=True), lambda: 0.0, self.sup.said.append)
        self.sink.on_rotated = self.archive.add
        at_the_end(self.sink.close)

    def write(self, *texts: bytes) -> None:
        for text in texts:
            self.sink.write(text, Origin("web"))

    @property
    def files(self) -> dict[str, bytes]:
        found = {path.name: path.read_bytes() for path in self.path.iterdir()}
        return {name: gzip.decompress(text) if name.endswith(".gz") else text for name, text in found.items()}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_old_parts_are_compressed_and_keep_their_owner_and_mode(place):
    place.write(b"fi")
    os.chmod(place.path / "log", 0o640)
    place.write(b"rst")
    place.sup.finish()
    assert place.files == {"log": b"", "log.1.gz": b"first"} and place.sup.said == []
    assert (place.path / "log.1.gz").stat().st_mode & 0o777 == 0o640


def test_a_part_that_moved_on_meanwhile_gets_the_name_it_has_by_then(place):
    place.write(b"first", b"second")
    place.sup.finish()
    assert set(place.files) == {"log", "log.1", "log.2.gz"} | {"log" + GROWING}
    place.sup.finish()
    assert place.files == {"log": b"", "log.1.gz": b"second", "log.2.gz": b"first"}


def test_one_child_at_a_time(place):
    place.write(b"first", b"second", b"third")
    assert len(place.sup.children) == 1
    for _ in range(3):
        place.sup.finish()
    assert set(place.files) == {"log", "log.1.gz", "log.2.gz", "log.3.gz"} and not place.sup.children


def test_a_part_that_is_gone_by_then_leaves_nothing(place):
    place.write(b"first", b"second", b"third", b"fourth")
    for _ in range(4):
        place.sup.finish()
    assert place.files == {"log": b"", "log.1.gz": b"fourth", "log.2.gz": b"third", "log.3.gz": b"second"}


@pytest.mark.parametrize(("code", "signal", "why"), [(errno.ENOSPC, None, "No space left"), (None, 9, "SIGKILL")])
def test_what_fails_is_said_and_tried_again_at_the_next_rotation(place, code, signal, why):
    place.write(b"first")
    place.sup.finish(code, signal)
    assert place.files == {"log": b"", "log.1": b"first"} and why in place.sup.said[0]
    place.write(b"second")
    for _ in range(2):
        place.sup.finish()
    assert set(place.files) == {"log", "log.1.gz", "log.2.gz"}


def test_a_child_that_cannot_be_started_costs_a_line(place):
    place.sup.fault = StartFailed("fork", errno.EAGAIN)
    place.write(b"first")
    assert place.files == {"log": b"", "log.1": b"first"} and "cannot compress" in place.sup.said[0]


def test_during_a_shutdown_nothing_is_begun(place):
    place.sup.ending = object()
    place.write(b"first")
    assert not place.sup.children and place.files["log.1"] == b"first"
