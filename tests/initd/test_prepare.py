"""What initd does to itself; each in a process of its own, since it cannot be undone."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from initd import prepare
from initd.errors import OperatorError
from tests.support.pid1 import ROOT
from tests.support.services import need_root

START = "import os, sys; sys.path.insert(0, {root!r}); from initd import prepare\n"


def run(code: str, **options: object) -> str:
    """What `code` prints in a fresh interpreter."""
    program = START.format(root=str(ROOT)) + code
    done = subprocess.run(  # type: ignore[call-overload]
        [sys.executable, "-IS", "-c", program], capture_output=True, text=True, timeout=60, **options
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout.strip())


def test_missing_standard_streams_become_null() -> None:
    code = "os.close(0); os.close(2); prepare.secure_standard_streams()\n"
    assert run(code + "print(os.readlink('/proc/self/fd/0'), os.readlink('/proc/self/fd/2'))") == "/dev/null /dev/null"


def test_inherited_descriptors_end_at_exec() -> None:
    r, w = os.pipe()
    code = f"prepare.close_on_exec(); print(os.get_inheritable({w}), os.get_inheritable(1))"
    assert run(code, pass_fds=(w,)) == "False True"
    os.close(r)
    os.close(w)


def test_an_orphan_comes_to_its_subreaper() -> None:
    code = (
        "prepare.become_subreaper()\n"
        "r, w = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        os.read(r, 1); os._exit(7)\n"
        "    os._exit(3)\n"
        "first = os.wait()[1] >> 8; os.write(w, b'x'); print(first, os.wait()[1] >> 8)"
    )
    assert run(code) == "3 7"


def test_soft_limits_are_raised_never_lowered() -> None:
    code = (
        "from resource import RLIMIT_NOFILE as N, getrlimit, setrlimit; setrlimit(N, (100, 2000))\n"
        "prepare._raise_to(1024, 'SC_OPEN_MAX', 'RLIMIT_NOFILE', 'minfds', 'x'); print(getrlimit(N)[0])\n"
        "prepare._raise_to(50, 'SC_OPEN_MAX', 'RLIMIT_NOFILE', 'minfds', 'x'); print(getrlimit(N)[0])"
    )
    assert run(code) == "1024\n1024"


def test_an_impossible_limit_is_the_operators_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(limit: int, values: tuple[int, int]) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    with pytest.raises(OperatorError, match=r"minfds=1000000000: only .* file descriptors are allowed"):
        prepare._raise_to(1_000_000_000, "SC_OPEN_MAX", "RLIMIT_NOFILE", "minfds", "file descriptors")


def test_dropping_root() -> None:
    need_root()
    assert run("prepare.become('nobody'); print(os.getuid(), os.geteuid(), os.getgid())") == "65534 65534 65534"


def test_an_unknown_user_is_the_operators_to_mend() -> None:
    with pytest.raises(OperatorError, match="user=no-such: no such user"):
        prepare.become("no-such")


def test_the_pidfile_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    prepare.write_pidfile(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    prepare.remove_pidfile(str(path))
    assert not path.exists()
    prepare.remove_pidfile(str(path))


def test_somebody_elses_pidfile_stays(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1234567\n")
    prepare.remove_pidfile(str(path))
    assert path.exists()


def test_silent_stdin_neither_speaks_nor_ends() -> None:
    fd = prepare.silent_stdin()
    os.set_blocking(fd, False)
    with pytest.raises(BlockingIOError):
        os.read(fd, 1)


def test_a_reserve_takes_what_there_is() -> None:
    assert (
        run("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)); print(len(prepare.reserve(20)) < 8)")
        == "True"
    )
