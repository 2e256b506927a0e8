"""What a user gets from pip: the commands, and an initd that needs nothing else."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ("initd", "hubd", "hubctl", "initd-link", "consoled")


@pytest.fixture(scope="module", params=["compiled", "shell"])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a source distribution of a copy of the tree, so that nothing is left in it.

    Once with the machine's compiler, once without any.
    """
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]
    subprocess.run(["tar", "-cf", copy / "t.tar", *names], cwd=ROOT, check=True)
    subprocess.run(["tar", "-xf", "t.tar"], cwd=copy, check=True)
    pack = [sys.executable, "setup.py", "-q", "sdist", "-d", "source"]
    subprocess.run(pack, cwd=copy, check=True, capture_output=True)
    (source,) = (copy / "source").iterdir()
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", out, source]
    path = os.environ["PATH"] if request.param == "compiled" else str(Path(sys.executable).parent)
    subprocess.run(build, cwd=copy, env={**os.environ, "PATH": path}, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but the wheel."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run(
        [home / "bin/pip", "install", "-q", "--no-deps", "--no-index", wheel], check=True, capture_output=True
    )
    return home


def test_the_wheel_carries_packages_and_commands_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".data/" not in name and ".dist-info/" not in name}
    assert tops == {"wire", "initd", "hub", "console"}
    assert {name.rsplit("/", 1)[1] for name in names if "/scripts/" in name} == set(COMMANDS)
    completions = {name.rsplit("/", 1)[1] for name in names if "/share/bash-completion/completions/" in name}
    assert completions == {"initd.bash", "hubctl.bash"}


def test_its_tag_says_whether_any_machine_can_run_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (command,) = [name for name in archive.namelist() if name.endswith("/scripts/initd")]
        is_compiled = archive.read(command)[:4] == b"\x7fELF"
    assert wheel.stem.endswith("-py3-none-any") is not is_compiled
    assert not is_compiled or wheel.stem.rsplit("-", 1)[1].startswith("linux_")


def test_there_is_a_compiled_one_wherever_there_is_a_compiler(wheel: Path, request: pytest.FixtureRequest) -> None:
    wanted = "shell" not in request.node.name and any(map(shutil.which, ("cc", "gcc", "musl-gcc")))
    assert ("linux" in wheel.name) == wanted


@pytest.mark.parametrize("command", ["initd", "hubctl", "consoled"])
def test_help_works(bare: Path, command: str) -> None:
    if command != "initd":
        pytest.importorskip("zmq")
        bare = Path(sys.executable).parents[1]
    run = subprocess.run([bare / "bin" / command, "--help"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert f"\n  {command} " in run.stdout, "no example"


def test_initd_knows_its_version(bare: Path) -> None:
    run = subprocess.run([bare / "bin/initd", "--version"], capture_output=True, text=True)
    assert run.stdout.strip() == (ROOT / "VERSION").read_text().strip()


@pytest.mark.parametrize("command", ["hubd", "hubctl", "initd-link", "consoled"])
def test_what_is_missing_is_named_with_its_cure(bare: Path, command: str) -> None:
    ours, theirs = socket.socketpair()  # initd-link wants one as descriptor 3
    with ours, theirs:
        prepared = ["sh", "-c", 'exec "$@" 3<&0', "sh", bare / "bin" / command]
        run = subprocess.run(prepared, stdin=theirs, capture_output=True, text=True)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    assert re.fullmatch(
        rf"{command}: Python has no module \w+: pip install 'pidone\[(hub|link|console)\]'\n", run.stderr
    )


def hostile_environment(folder: Path) -> dict[str, str]:
    """An application's settings that would break any Python that obeys them."""
    for name in ("wire", "hub", "initd", "json", "os", "signal", "zmq"):
        (folder / f"{name}.py").write_text("raise SystemExit(77)\n")
    return {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONHOME": "/nonexistent",
        "PYTHONSTARTUP": str(folder / "os.py"),
        "PYTHONINSPECT": "",
        "PYTHONUSERBASE": str(folder),
    }


def test_a_hostile_python_environment_changes_nothing_and_reaches_the_program(bare: Path, tmp_path: Path) -> None:
    hostile = hostile_environment(tmp_path)
    run = subprocess.run(
        [bare / "bin/initd", "--", "/usr/bin/env"], cwd=tmp_path, env=hostile, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    seen = dict(line.split("=", 1) for line in run.stdout.splitlines() if "=" in line)
    assert {key: seen.get(key) for key in hostile if key.startswith("PYTHON")} == {
        k: v for k, v in hostile.items() if k.startswith("PYTHON")
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_starts_under_hostile_settings(command: str, tmp_path: Path) -> None:
    here = Path(sys.executable).parents[1]
    run = subprocess.run(
        [here / "bin" / command, "--help"],
        cwd=tmp_path,
        env=hostile_environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
