"""Cgroups of version 1 on this very machine: a limit on tasks or memory around an initd under test (root)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.services import absent, need_root
from tests.support.waiting import until

ENTER = ("sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"')


class Group:
    """One cgroup of one controller."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def set(self, name: str, value: object) -> None:
        (self.path / name).write_text(f"{value}\n")

    def get(self, name: str) -> str:
        return (self.path / name).read_text()

    @property
    def wrapper(self) -> tuple[str, ...]:
        """argv that puts the command after it into this group."""
        return (*ENTER, str(self.path))


@contextmanager
def group(controller: str) -> Iterator[Group]:
    """A new cgroup below this process's own; skips loudly where version 1 of the controller is not mounted."""
    need_root()
    line = next(
        (line for line in Path("/proc/self/cgroup").read_text().splitlines() if f":{controller}:" in line), None
    )
    root = Path("/sys/fs/cgroup") / controller
    if line is None or not (root / "cgroup.procs").exists():
        absent(f"cgroup version 1 with {controller}", "this machine has version 2: the tests marked vm cover that")
    path = root / line.split(":", 2)[2].lstrip("/") / f"pidone-test-{secrets.token_hex(4)}"
    try:
        path.mkdir()
    except OSError as error:
        absent(f"permission to make a cgroup: {error}", "run script/test as root")
    try:
        yield Group(path)
    finally:
        until(lambda: _removed(path), what=f"{path} to be empty")


def _removed(path: Path) -> bool:
    try:
        for below in [one for one in path.iterdir() if one.is_dir()]:  # those that initd has made for programs
            os.rmdir(below)
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
