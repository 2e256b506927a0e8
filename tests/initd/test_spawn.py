"""Real children: how they begin, and what is said of those that do not."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from initd import spawn as module
from initd.errors import StartFailed
from initd.spawn import Order, find, spawn
from tests.support.procfs import children
from tests.support.services import need_root

pytestmark = pytest.mark.proc

WAYS = ["posix_spawn", "fork"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test runs both ways; the second by asking for a user that is our own."""
    if request.param == "fork":
        need_root()
        me = module.Identity(os.getuid(), os.getgid(), tuple(os.getgroups()))
        monkeypatch.setattr(module, "resolve", lambda user: me)
    return str(request.param)


@pytest.fixture
def order(way: str) -> Iterator[Any]:
    """Orders whose output can be read, started by the way under test."""
    made: list[int] = []

    def build(*argv: str, **fields: Any) -> tuple[Order, int]:
        reader, writer = os.pipe()
        null = os.open("/dev/null", os.O_RDONLY)
        made.extend((reader, writer, null))
        fields = {"environ": {"PATH": "/bin:/usr/bin"}, **fields}
        if way == "fork":
            fields.setdefault("user", "me")
        return Order(argv, stdin=null, stdout=writer, stderr=writer, **fields), reader

    yield build
    for fd in made:
        os.close(fd)


def output(order: tuple[Order, int]) -> str:
    """Run it to its end; what it wrote."""
    pid = spawn(order[0])
    os.waitpid(pid, 0)
    return os.read(order[1], 65536).decode()


def failure(order: Order) -> StartFailed:
    with pytest.raises(StartFailed) as caught:
        spawn(order)
    return caught.value


def inheritable(fd: int) -> bool:
    """Whether the tests' own caller left it open for everybody; initd.prepare sees to that in initd."""
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


def sets(text: str) -> dict[str, int]:
    """The signal sets of /proc/self/status."""
    pairs = (line.split(":") for line in text.splitlines() if line.startswith(("Sig", "Shd")))
    return {name: int(value, 16) for name, value in pairs if name != "SigQ"}


def test_the_command_runs_with_its_arguments_and_environment(order: Any) -> None:
    assert (
        output(order("sh", "-c", 'echo "$0 $1 $X"', "a b", "c", environ={"PATH": "/bin", "X": "y z"})) == "a b c y z\n"
    )


def test_it_leads_its_own_group_in_our_session(order: Any) -> None:
    pid = spawn(order("sleep", "1000")[0])
    assert (os.getpgid(pid), os.getsid(pid)) == (pid, os.getsid(0))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_dispositions_and_mask_are_clean(order: Any) -> None:
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
    try:
        found = sets(output(order("grep", "^Sig", "/proc/self/status")))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGTERM, handler)
    internal = 1 << 31 | 1 << 32  # glibc's posix_spawn leaves its own two real-time signals ignored
    assert found["SigBlk"] == 0
    assert found["SigCgt"] & ~(1 << signal.SIGSEGV - 1) == found["SigIgn"] & ~internal == 0


def test_what_the_runtime_ignores_beyond_ours_is_passed_on(order: Any) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        found = sets(output(order("grep", "^Sig", "/proc/self/status")))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert found["SigIgn"] & 1 << signal.SIGUSR1 - 1


def test_only_the_standard_descriptors_are_open(order: Any) -> None:
    extra = os.open("/dev/null", os.O_RDONLY)  # close-on-exec, as every descriptor of ours
    listed = output(order("sh", "-c", "ls /proc/$$/fd; true"))
    inherited = {name for name in os.listdir("/proc/self/fd") if inheritable(int(name))}
    os.close(extra)
    assert set(listed.split()) <= {"0", "1", "2"} | inherited


def test_an_extra_descriptor_becomes_3(order: Any) -> None:
    reader, writer = os.pipe()
    spawn(order("sh", "-c", "echo hello >&3", extra=((writer, 3),))[0])
    os.waitpid(-1, 0)
    assert os.read(reader, 100) == b"hello\n"
    os.close(reader)
    os.close(writer)


def test_descriptors_that_swap_places(order: Any) -> None:
    pipes = [os.pipe() for _ in range(3)]
    (r1, w1), (r2, w2), (r3, w3) = pipes
    extra = ((w1, w2), (w2, w3), (w3, w1), (w1, 5 + max(r3, w3)))
    script = f"echo a >/proc/self/fd/{w2}; echo b >/proc/self/fd/{w3}; echo c >/proc/self/fd/{w1}"
    spawn(order("sh", "-c", script, extra=extra)[0])
    os.waitpid(-1, 0)
    assert [os.read(reader, 100) for reader in (r1, r2, r3)] == [b"a\n", b"b\n", b"c\n"]
    for fd in (r1, w1, r2, w2, r3, w3):
        os.close(fd)


def test_the_report_of_a_failure_finds_its_way_past_extra_descriptors(order: Any) -> None:
    reader, writer = os.pipe()
    extra = tuple((writer, number) for number in range(3, 60))
    assert failure(order("/nowhere/x", extra=extra)[0]).errno == errno.ENOENT
    os.close(reader)
    os.close(writer)


def test_directory_and_umask_are_its_own(order: Any, tmp_path: Path) -> None:
    here, mask = os.getcwd(), os.umask(0o22)
    os.umask(mask)
    text = output(order("sh", "-c", "pwd; umask", directory=str(tmp_path), umask=0o27))
    assert text.split() == [str(tmp_path), "0027"]
    assert os.getcwd() == here
    assert os.umask(mask) == mask


def test_a_relative_command_is_found_from_its_directory(order: Any, tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text("#!/bin/sh\necho here\n")
    script.chmod(0o755)
    assert output(order("./run", directory=str(tmp_path))) == "here\n"


def test_a_missing_directory(order: Any) -> None:
    error = failure(order("true", directory="/nowhere/at/all")[0])
    assert (error.step, error.errno) == ("chdir", errno.ENOENT)
    assert "/nowhere/at/all" in str(error)


def test_a_missing_file(order: Any) -> None:
    error = failure(order("/nowhere/x")[0])
    assert (error.step, error.errno, str(error)) == (
        "exec",
        errno.ENOENT,
        "exec: /nowhere/x: No such file or directory",
    )


def test_a_missing_interpreter_is_told_apart(order: Any, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/nowhere/python\n")
    script.chmod(0o755)
    assert "its interpreter or loader does not" in str(failure(order(str(script))[0]))


@pytest.mark.parametrize(("text", "mode", "number"), [("x", 0o644, errno.EACCES), ("no header", 0o755, errno.ENOEXEC)])
def test_what_cannot_be_executed(order: Any, tmp_path: Path, text: str, mode: int, number: int) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    path.chmod(mode)
    error = failure(order(str(path))[0])
    assert (error.step, error.errno) == ("exec", number)


def test_a_file_that_is_being_written(order: Any, tmp_path: Path) -> None:
    path = tmp_path / "busy"
    path.write_bytes(Path("/bin/true").read_bytes())
    path.chmod(0o755)
    with open(path, "ab"):
        assert failure(order(str(path))[0]).errno == errno.ETXTBSY


def test_arguments_too_long(order: Any) -> None:
    assert failure(order("true", "x" * 3_000_000)[0]).errno == errno.E2BIG


def test_a_nul_byte_is_refused_before_anything_happens(order: Any) -> None:
    assert failure(order("true", "a\0b")[0]).step in ("command", "exec")


def test_a_failed_start_leaves_no_child_and_no_descriptor(order: Any) -> None:
    bad = order("/nowhere/x")[0]
    before, others = sorted(os.listdir("/proc/self/fd")), set(children(os.getpid()))
    for _ in range(20):
        failure(bad)
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert set(children(os.getpid())) <= others  # dead or alive; those of other tests are none of this one's business


def test_nothing_to_run() -> None:
    assert failure(Order((), {}, 0, 1, 2)).step == "command"


def test_path_takes_the_first_that_exists_executable_or_not(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tool").write_text("")
    assert find("tool", f"/nowhere:{tmp_path}/a:{tmp_path}/b") == f"{tmp_path}/a/tool"
    assert find("x/tool", "/bin") == "x/tool"
    assert find("sh", None) == "/bin/sh"


def test_another_user_with_all_groups() -> None:
    need_root()
    reader, writer = os.pipe()
    pid = spawn(Order(("/usr/bin/id", "-u"), {}, 0, writer, 2, user="nobody"))
    os.waitpid(pid, 0)
    assert os.read(reader, 100) == b"65534\n"


def test_a_number_without_a_passwd_entry() -> None:
    need_root()
    reader, writer = os.pipe()
    pid = spawn(Order(("/bin/sh", "-c", "id -u; id -G"), {"PATH": "/usr/bin:/bin"}, 0, writer, 2, user="4242424"))
    os.waitpid(pid, 0)
    assert os.read(reader, 100) == b"4242424\n%d\n" % os.getgid()


@pytest.mark.parametrize("user", ["no-such-user", "4294967295"])
def test_an_unknown_user(user: str) -> None:
    error = failure(Order(("true",), {}, 0, 1, 2, user=user))
    assert (error.step, error.errno) == ("user", None)


def test_the_directory_is_entered_as_the_user(tmp_path: Path) -> None:
    need_root()
    (tmp_path / "private").mkdir(mode=0o700)
    error = failure(Order(("/bin/true",), {}, 0, 1, 2, user="nobody", directory=str(tmp_path / "private")))
    assert (error.step, error.errno) == ("chdir", errno.EACCES)


def test_only_root_becomes_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    error = failure(Order(("true",), {}, 0, 1, 2, user="nobody"))
    assert (error.step, error.errno) == ("user", errno.EPERM)


def test_a_signal_during_a_fork_is_kept_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    need_root()
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: got.append(number))
    fork = os.fork

    def fork_in_a_storm() -> int:
        os.kill(os.getpid(), signal.SIGUSR1)
        return fork()

    monkeypatch.setattr(os, "fork", fork_in_a_storm)
    pid = spawn(Order(("/bin/true",), {}, 0, 1, 2, user="nobody"))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert got == [signal.SIGUSR1]
    signal.signal(signal.SIGUSR1, before)
