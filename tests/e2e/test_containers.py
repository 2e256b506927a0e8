"""What docs/containers.md says of containers, each with the real engine: locked down, shared, restarted, renamed."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator

import pytest

from images import build
from tests.support import rootfs
from tests.support.containers import ROOT, Container, Yard, docker, need_engine, until

pytestmark = [pytest.mark.engine, pytest.mark.slow]

BUSYBOX = ["-v", f"{rootfs.BUSYBOX}:/bin/busybox:ro"]
TIGHT = ["--security-opt", f"seccomp={ROOT / 'images' / 'seccomp.json'}", "--security-opt", "no-new-privileges"]
LOCKED = ["--read-only", "--cap-drop", "ALL", "--network", "none", *BUSYBOX]
RUNNING = {"sleeper": "RUNNING", "environment": "EXITED", "talker": "RUNNING"}
PLACE = "/opt/initd"


@pytest.fixture(scope="module", params=["initd", "lean"])
def product(request: pytest.FixtureRequest) -> str:
    """The image that initd is copied from: with link, and without."""
    need_engine()
    return build.product(request.param)


@pytest.fixture(scope="module")
def scratch(product: str) -> str:
    """An empty image with initd and its example file."""
    tag = f"pidone-test/scratch-{product.rpartition('-')[2] if product.endswith('lean') else 'full'}:e2e"
    return build.build(ROOT / "tests" / "e2e" / "images", tag, BASE="scratch", INITD=product)


@pytest.fixture
def place() -> Iterator[Yard]:
    need_engine()
    one = Yard()
    yield one
    one.clear()


def run(
    image: str, *command: str, entry: str = "initd", options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """`docker run` with another file of the bundle as its entry point."""
    given = ["run", "--rm", *LOCKED, *options, "--entrypoint", f"{PLACE}/{entry}", image, *command]
    return docker(*given, check=False)


def running(box: Container) -> None:
    until(lambda: box.states() == RUNNING, f"{RUNNING} (logs: {box.logs()[-800:]})")


# Locked down


@pytest.mark.parametrize("user", ["65534:65534", "1000580000:0"])
@pytest.mark.parametrize("profile", ["docker's", "tight"])
def test_nothing_is_writable_nobody_knows_the_user_and_few_calls_are_allowed(
    scratch: str, place: Yard, profile: str, user: str
) -> None:
    box = place.run(scratch, options=[*LOCKED, "--user", user, *(TIGHT if profile == "tight" else [])])
    running(box)
    assert "warning" not in box.logs()
    assert box.stop() < 9 and box.exit_code() == 0


def test_without_a_writable_directory_the_control_socket_is_abstract(scratch: str, place: Yard) -> None:
    box = place.run(scratch, options=[*LOCKED, "--user", "4711:4711"])
    running(box)
    sockets = box.exec("/bin/busybox", "cat", "/proc/net/unix").stdout
    assert "@initd-4711" in sockets
    assert "/control.sock" not in sockets


@pytest.mark.parametrize("kind", [*rootfs.KINDS, "debian"])
def test_without_link_it_runs_on_every_kind_of_image(
    kind: str, place: Yard, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lean = build.product("lean")
    local = rootfs.make(kind, tmp_path_factory.mktemp(kind) / "root") if kind != "debian" else None
    base = place.imported(local, kind) if local else build.local_base("demo")
    image = build.build(ROOT / "tests" / "e2e" / "images", f"pidone-test/{kind}-lean:e2e", BASE=base, INITD=lean)
    box = place.run(image, options=[*LOCKED, "--user", "65534:65534"])
    running(box)
    assert box.stop() < 9 and box.exit_code() == 0


def test_sizes() -> None:
    need_engine()
    assert build.image_size(build.product("initd")) <= 25e6
    assert build.image_size(build.product("lean")) <= 14e6


def test_initds_own_variables_never_reach_a_program(scratch: str) -> None:
    given = ("-e", "A=b", "-e", "PIDONE_JOIN=secret", "-e", "LD_PRELOAD=/x.so", "-e", "PYTHONHOME=/y")
    done = run(scratch, "--", "/bin/busybox", "env", options=given)
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert {"A", "LD_PRELOAD", "PYTHONHOME", "PATH", "HOSTNAME"} <= names
    assert not {name for name in names if re.match(r"LC_|PYTHON(?!HOME)|GLIBC|PWD|OLDPWD|_$", name)}


def test_without_link_a_join_string_is_answered_in_one_line(place: Yard) -> None:
    lean = build.product("lean")
    image = build.build(ROOT / "tests" / "e2e" / "images", "pidone-test/scratch-lean:e2e", BASE="scratch", INITD=lean)
    done = docker("run", "--rm", "--entrypoint", f"{PLACE}/initd-link", image, check=False)
    assert (done.returncode, done.stderr) == (2, "initd-link: this initd was built without what joins it to a hub\n")


# Not PID 1


def test_below_another_init_it_works_and_does_not_complain(scratch: str, place: Yard) -> None:
    box = place.run(scratch, options=[*LOCKED, "--init"])
    running(box)
    assert processes(box)["1"].startswith("/sbin/docker-init")
    box.exec("/bin/busybox", "sh", "-c", "/bin/busybox sleep 0.2 & exit 0")
    until(lambda: not [name for name in processes(box).values() if "sleep 0.2" in name], "the orphan reaped")
    assert "shared" not in box.logs()
    assert box.stop() < 9 and box.exit_code() == 0


def processes(box: Container) -> dict[str, str]:
    """pid to command line."""
    lines = box.exec("/bin/busybox", "ps", "-o", "pid,args").stdout.splitlines()
    return {pid: args for pid, _, args in (line.strip().partition(" ") for line in lines)}


def test_in_anothers_pid_namespace_it_warns_and_stops_only_its_own(scratch: str, place: Yard) -> None:
    first = place.run(scratch, options=[*LOCKED], name="first")
    running(first)
    second = place.run(scratch, options=[*LOCKED, "--pid", f"container:{first.name}"], name="second")
    running(second)
    assert "this PID namespace is shared, and its PID 1 is 'initd'" in second.logs()
    assert second.stop() < 9 and second.exit_code() == 0
    running(first)


# Restart policies and statuses


def test_on_failure_starts_a_failed_command_again_and_keeps_its_status(scratch: str, place: Yard) -> None:
    entry = ["--restart", "on-failure:2", "--entrypoint", f"{PLACE}/initd", *LOCKED]
    box = place.run(scratch, "--", "/bin/busybox", "sh", "-c", "exit 3", options=entry)
    until(lambda: box.inspect()["RestartCount"] == 2 and box.inspect()["State"]["Status"] == "exited", "two restarts")
    assert box.exit_code() == 3


def test_on_failure_does_not_restart_what_was_stopped(scratch: str, place: Yard) -> None:
    box = place.run(scratch, options=["--restart", "on-failure", *LOCKED])
    running(box)
    box.exec(f"{PLACE}/initd", "shutdown")
    until(lambda: box.inspect()["State"]["Status"] == "exited", "the end")
    assert box.exit_code() == 0 and box.inspect()["RestartCount"] == 0


def test_always_brings_back_a_killed_init_and_its_programs(scratch: str, place: Yard) -> None:
    box = place.run(scratch, options=["--restart", "always", *LOCKED])
    running(box)
    subprocess.run(["kill", "-9", str(box.inspect()["State"]["Pid"])], check=True)
    until(lambda: box.inspect()["RestartCount"] == 1, "the restart")
    running(box)


def test_a_bad_file_is_status_2_at_once(scratch: str) -> None:
    begun = time.monotonic()
    done = run(scratch, "-c", "/none.ini")
    assert done.returncode == 2 and "/none.ini" in done.stderr
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(("signal", "status"), [("TERM", 143), ("USR1", 138), ("USR2", 140), ("KILL", 137)])
def test_docker_kill_shows_the_commands_death(scratch: str, place: Yard, signal: str, status: int) -> None:
    entry = ["--entrypoint", f"{PLACE}/names/tini", *LOCKED]
    box = place.run(scratch, "--", "/bin/busybox", "sh", "-c", "echo up; exec /bin/busybox sleep 1000", options=entry)
    until(lambda: "up" in box.logs(), "the command")
    docker("kill", "--signal", signal, box.name)
    until(lambda: box.inspect()["State"]["Status"] == "exited", "the end")
    assert box.exit_code() == status


# Names


@pytest.mark.parametrize("name", ["tini", "dumb-init", "catatonit"])
def test_called_by_another_name(scratch: str, name: str) -> None:
    done = run(scratch, "--", "/bin/busybox", "sh", "-c", "exit 9", entry=f"names/{name}")
    assert (done.returncode, done.stderr) == (9, "")


def test_a_pause_disturbs_nothing(scratch: str, place: Yard) -> None:
    box = place.run(scratch, options=[*LOCKED])
    running(box)
    docker("pause", box.name)
    until(lambda: box.inspect()["State"]["Paused"], "the pause")
    docker("unpause", box.name)
    running(box)
    assert "killed" not in box.logs()
    assert box.stop() < 9 and box.exit_code() == 0
