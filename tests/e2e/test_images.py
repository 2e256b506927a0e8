"""The bundle runs as PID 1 in any image: empty, busybox, glibc, musl, Debian; locked down as far as Docker can."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from images import build
from tests.support import rootfs
from tests.support.containers import ROOT, Container, Yard, docker, interpreter, need_engine, until, yard  # noqa: F401

pytestmark = [pytest.mark.engine, pytest.mark.slow]

LOCKED = ["--read-only", "--user", "65534:65534", "--cap-drop", "ALL", "--network", "none"]
LOCKED += ["--security-opt", "no-new-privileges", "-v", f"{rootfs.BUSYBOX}:/bin/busybox:ro"]
HOSTILE = {
    "PYTHONHOME": "/nonexistent",
    "PYTHONPATH": "/proc/self/cwd",
    "LD_PRELOAD": "/no/such/library.so",
    "LD_LIBRARY_PATH": "/lib:/usr/lib",
    "GLIBC_TUNABLES": "glibc.malloc.check=3",
    "LC_ALL": "xx_YY.nonsense",
    "discovery.type": "single-node",
    "EMPTY": "",
}


@pytest.fixture(scope="module")
def initd() -> str:
    need_engine()
    return build.product("initd")


@pytest.fixture(scope="module", params=["scratch", *rootfs.KINDS, "debian"])
def image(request: pytest.FixtureRequest, initd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image of each kind with the two lines of tests/e2e/images/Dockerfile."""
    kind, place = request.param, Yard()
    bases = {"scratch": lambda: "scratch", "debian": lambda: build.local_base("demo")}
    local = lambda: place.imported(rootfs.make(kind, tmp_path_factory.mktemp(kind) / "root"), kind)  # noqa: E731
    base = bases.get(kind, local)()
    yield build.build(ROOT / "tests" / "e2e" / "images", f"pidone-test/{kind}:e2e", BASE=base, INITD=initd)
    place.clear()


@pytest.fixture(scope="module")
def box(image: str) -> Iterator[Container]:
    """A locked-down container of the image, with a hostile environment and working directory."""
    place = Yard()
    options = [word for name, value in HOSTILE.items() for word in ("-e", f"{name}={value}")]
    yield place.run(image, options=[*LOCKED, *options, "--workdir", "/proc"])
    place.clear()


def test_initd_is_pid_1_and_its_programs_run(box: Container) -> None:
    wanted = {"sleeper": "RUNNING", "environment": "EXITED", "talker": "RUNNING"}
    until(lambda: box.states() == wanted, f"{wanted} (logs: {box.logs()[-500:]})")
    assert box.processes()[1][1] == "initd"


def test_programs_see_exactly_the_containers_environment(box: Container) -> None:
    until(lambda: box.states().get("environment") == "EXITED", "env to end")
    seen = set(box.logs().splitlines())
    assert {f"{name}={value}" for name, value in HOSTILE.items()} <= seen
    assert not [line for line in seen if re.match(r"LC_CTYPE=|PIDONE|PYTHONDONT|PWD=", line)]


def test_orphans_are_reaped(box: Container) -> None:
    box.exec("/bin/busybox", "sh", "-c", "/bin/busybox sleep 0.2 & exit 0")
    until(lambda: [name for _, name in box.processes().values()].count("busybox") <= 3, "the orphan gone")
    assert "Z" not in {state for state, _ in box.processes().values()}


def test_link_dependencies_load_from_the_bundle(box: Container) -> None:
    program = "import sys; sys.path.append('/opt/initd/site'); import zmq, msgpack; print(len(zmq.curve_keypair()))"
    assert box.exec(*interpreter(), "-c", program).stdout.strip() == "2"


def test_bad_configuration_is_one_clear_line(image: str) -> None:
    done = docker("run", "--rm", *LOCKED, "--entrypoint", "/opt/initd/initd", image, "-c", "/no/such.ini", check=False)
    assert done.returncode == 2
    assert "/no/such.ini" in done.stderr and "Traceback" not in done.stderr


def test_single_command_mode_leaves_with_its_status(image: str) -> None:
    command = ["--", "/bin/busybox", "sh", "-c", "exit 42"]
    done = docker("run", "--rm", *LOCKED, "--entrypoint", "/opt/initd/initd", image, *command, check=False)
    assert done.returncode == 42


def test_comes_back_after_a_restart(box: Container) -> None:
    until(lambda: box.states().get("talker") == "RUNNING", "the talker running")
    docker("restart", box.name)
    until(lambda: box.states().get("talker") == "RUNNING", "the talker running again")


def test_works_below_another_init(image: str, yard: Yard) -> None:  # noqa: F811
    box = yard.run(image, options=[*LOCKED, "--init"])
    until(lambda: box.states().get("talker") == "RUNNING", "the talker running")
    assert "initd" not in box.processes()[1][1]
    assert box.stop() < 9
    assert "the talker was told" in box.logs()


def test_stops_in_time_with_its_own_signals(box: Container) -> None:
    until(lambda: box.states().get("talker") == "RUNNING", "the talker running")
    assert box.stop() < 9
    assert box.exit_code() == 0
    assert "the talker was told" in box.logs()


def test_hub_runs_locked_down_and_remembers(yard: Yard) -> None:  # noqa: F811
    options = ["--read-only", "--cap-drop", "ALL", "--network", "none", "--security-opt", "no-new-privileges"]
    hub = yard.run(build.product("hub"), options=options)

    def epoch() -> int:
        done = hub.exec("/opt/hub/hubctl", "about", "--json", check=False)
        return int(json.loads(done.stdout)["epoch"]) if done.returncode == 0 else 0

    first = until(epoch, f"the hub (logs: {hub.logs()})")
    docker("kill", "--signal", "KILL", hub.name)
    docker("start", hub.name)
    assert until(epoch, "the hub again") > first, "it takes a higher epoch, because it knows its last one"


def test_dockerfiles_name_the_present_version() -> None:
    for file in [*ROOT.glob("images/*/Dockerfile"), *ROOT.glob("conf/apps/*.ini")]:
        for version in re.findall(r"pidone/(?:initd|hub):(\d\S*)", file.read_text()):
            assert version == build.VERSION, file


def test_bundle_is_small(initd: str) -> None:
    assert build.image_size(initd) < 30e6


def test_images_are_built_once_for_each_content(tmp_path: Path, yard: Yard) -> None:  # noqa: F811
    yard.images.append(f"{yard.prefix}:once")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY content /\n")
    (tmp_path / "content").write_text("one")
    first = build.image_id(build.build(tmp_path, f"{yard.prefix}:once"))
    assert build.image_id(build.build(tmp_path, f"{yard.prefix}:once")) == first
    (tmp_path / "content").write_text("two")
    assert build.image_id(build.build(tmp_path, f"{yard.prefix}:once")) != first


def test_bundle_refuses_an_existing_directory(tmp_path: Path) -> None:
    import subprocess
    import sys

    argv = [sys.executable, str(ROOT / "images" / "bundle"), "initd", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 1 and "exists" in done.stderr
