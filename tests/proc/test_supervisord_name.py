"""initd called as supervisord: its flags, its pid file, its signals, and who gets the prompt back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pid1 import INITD, NAMESPACE
from tests.support.ports import free_ports
from tests.support.procfs import children
from tests.support.services import need_root
from tests.support.waiting import until

pytestmark = pytest.mark.proc

WEB = "[program:web]\ncommand=sleep 1000\nstartsecs=0\n"


@pytest.fixture
def supervisord(tmp_path: Path) -> Iterator[Path]:
    """The name, beside a configuration; a daemon that is left is ended."""
    name = tmp_path / "supervisord"
    name.symlink_to(INITD)
    (tmp_path / "app.conf").write_text(f"[supervisord]\n[initd]\nsocket={tmp_path}/s\n{WEB}")
    yield name
    for path in (tmp_path / "pid", tmp_path / "supervisord.pid"):
        if path.exists():
            os.kill(int(path.read_text()), signal.SIGKILL)


def run(name: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((str(name), *argv), cwd=name.parent, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("-x",), "Error: invalid option"),
        (("-e", "loud"), "Error: invalid value for --loglevel"),
        (("-l",), "needs a value"),
        (("words",), "positional arguments are not supported: ['words']"),
        (("-c", "/no/such"), "could not find config file /no/such"),
        (("-u", "nobody-here"), "there is no user 'nobody-here' here"),
        (("-y", "1m"), "Error: invalid value for --logfile_maxbytes"),
    ],
)
def test_a_wrong_command_line_is_refused(supervisord: Path, argv: tuple[str, ...], said: str) -> None:
    done = run(supervisord, *argv)
    assert done.returncode == 2 and said in done.stderr and "For help, use" in done.stderr


def test_help_and_version(supervisord: Path) -> None:
    assert "--profile_options" in run(supervisord, "--help").stdout
    assert run(supervisord, "--vers").stdout == "4.3.0\n"


def test_it_leaves_the_foreground_when_all_is_there(supervisord: Path, tmp_path: Path) -> None:
    done = run(supervisord, "-c", str(tmp_path / "app.conf"), "-j", f"{tmp_path}/pid", "-l", f"{tmp_path}/log")
    assert done.returncode == 0, done.stderr
    status = subprocess.run((INITD, "status", "-s", f"{tmp_path}/s"), capture_output=True, text=True, timeout=60)
    assert "RUNNING" in status.stdout
    pid = int((tmp_path / "pid").read_text())
    assert os.getsid(pid) == pid and os.readlink(f"/proc/{pid}/fd/1") == "/dev/null"
    assert "web started" in (tmp_path / "log").read_text()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not (tmp_path / "pid").exists(), 60)


@pytest.mark.parametrize("kind", ["unix", "inet"])
@pytest.mark.parametrize("flags", [(), ("-n",)])
def test_a_second_one_is_refused(supervisord: Path, tmp_path: Path, kind: str, flags: tuple[str, ...]) -> None:
    server = f"[inet_http_server]\nport={free_ports(1)[0]}\n"
    server = server if kind == "inet" else f"[unix_http_server]\nfile={tmp_path}/rpc.sock\n"
    (tmp_path / "app.conf").write_text(f"[supervisord]\n[initd]\nsocket={tmp_path}/s\n{server}{WEB}")
    argv = ("-c", str(tmp_path / "app.conf"), "-l", f"{tmp_path}/log")
    assert run(supervisord, *argv, "-j", f"{tmp_path}/pid").returncode == 0
    second = run(supervisord, *flags, *argv, "-j", f"{tmp_path}/other")
    assert second.returncode == 2 and "listens at" in second.stderr and not (tmp_path / "other").exists()
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    until(lambda: not (tmp_path / "pid").exists(), 60)
    assert run(supervisord, *argv, "-j", f"{tmp_path}/pid").returncode == 0


def test_a_configuration_with_errors_is_told_in_the_foreground(supervisord: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.conf").write_text("[supervisord]\n[program:x]\ncommand=x\nstartsecs=soon\n")
    done = run(supervisord, "-c", str(tmp_path / "bad.conf"))
    assert done.returncode == 2 and "bad.conf:4" in done.stderr


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_as_pid_1_it_stays_whatever_the_file_says(supervisord: Path, tmp_path: Path, signum: int) -> None:
    need_root()
    log = (tmp_path / "err").open("w")
    init = subprocess.Popen((*NAMESPACE, str(supervisord), "-c", "app.conf", "-e", "debug"), cwd=tmp_path, stderr=log)
    until(lambda: "web is RUNNING" in (tmp_path / "err").read_text(), 60)
    assert init.poll() is None and (tmp_path / "supervisord.pid").read_text() == "1\n"
    (tmp_path / "supervisord.pid").unlink()
    os.kill(children(init.pid)[0], signum)
    assert init.wait(60) == 0


def test_flags_beat_the_file_and_outlive_a_reload(supervisord: Path, tmp_path: Path) -> None:
    log = (tmp_path / "err").open("w")
    argv = (str(supervisord), "-n", "-c", "app.conf", "-l", "flag.log", "-j", "pid", "-i", "me")
    init = subprocess.Popen(argv, cwd=tmp_path, stderr=log)
    until(lambda: "web started" in (tmp_path / "err").read_text(), 60)
    (tmp_path / "flag.log").unlink()
    init.send_signal(signal.SIGHUP)
    until(lambda: (tmp_path / "err").read_text().count("web started") == 2, 60)
    init.send_signal(signal.SIGUSR2)
    until(lambda: (tmp_path / "flag.log").exists() and "web" in (tmp_path / "flag.log").read_text(), 60)
    init.terminate()
    assert init.wait(60) == 0 and not (tmp_path / "pid").exists()
