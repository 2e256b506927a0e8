"""Small files of /proc are read whole, whatever pieces the kernel gives, and never more than their bound."""

from __future__ import annotations

import os
from pathlib import Path

from initd.link.files import CHUNK, FILE_BYTES, read


def test_a_file_is_read_to_its_end_and_no_further_than_its_bound(tmp_path: Path) -> None:
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, FILE_BYTES + 5):
        (tmp_path / "file").write_bytes(b"x" * size)
        assert len(read(str(tmp_path / "file"))) == min(size, FILE_BYTES)


def test_what_cannot_be_read_is_empty_and_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    assert read(str(tmp_path / "none")) == "" and read(str(tmp_path)) == ""
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_the_kernel_gives_in_pieces_is_whole() -> None:
    assert read("/proc/self/maps").endswith("\n") and read("/proc/self/mountinfo") == Path(
        "/proc/self/mountinfo"
    ).read_text(errors="backslashreplace")
