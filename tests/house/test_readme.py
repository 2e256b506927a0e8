"""The README, executed: every block, verbatim, in a fresh copy of the tree.

`sh` blocks run in order in the copy's folder; the `dockerfile` and `ini` blocks become my-app/, behind a FROM line (the
reader's own image).  Two blocks need company: `script/demo` runs until ctrl-C, so it gets one when it has shown the
fleet; `script/test` would run this test again, so it is told by environment to run one test only.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.services import need_root

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
BLOCKS = [(kind, text) for kind, text in BLOCK.findall((ROOT / "README.md").read_text()) if kind]
SHELL = [text for kind, text in BLOCKS if kind == "sh"]
CONTAINERS, NETWORK, VOLUME = ("my-app", "my-shop", "hub"), "fleet", "hub"
PATIENCE = 240.0

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(900)]


def block(language: str) -> str:
    """The only block of that language."""
    (text,) = [text for kind, text in BLOCKS if kind == language]
    return text


def clean() -> None:
    """Remove what the README's commands make."""
    subprocess.run(["docker", "rm", "-f", "-v", *CONTAINERS], capture_output=True)
    subprocess.run(["docker", "network", "rm", NETWORK], capture_output=True)
    subprocess.run(["docker", "volume", "rm", VOLUME], capture_output=True)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh copy of the tree with my-app/ beside it, as the README asks for."""
    need_root()
    copy = tmp_path_factory.mktemp("readme") / "pidone"
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listing.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    base = subprocess.run([ROOT / "images/base", "demo"], capture_output=True, text=True, check=True).stdout.strip()
    (copy / "my-app").mkdir()
    (copy / "my-app/Dockerfile").write_text(f"FROM {base}\nCOPY supervisord.conf /etc/\n{block('dockerfile')}")
    (copy / "my-app/supervisord.conf").write_text(block("ini"))
    clean()
    yield copy
    clean()


def attempt(text: str, tree: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A block as a person would paste it; it ends at the first failing line."""
    environment = {**os.environ, **settings}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], cwd=tree, env=environment, capture_output=True, text=True
    )


def run(text: str, tree: Path, **settings: str) -> str:
    """A block that must succeed: its output."""
    done = attempt(text, tree, **settings)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_until(text: str, tree: Path, wanted: str) -> str:
    """The block again and again until its output shows `wanted`: a container is not up the moment it is made."""
    deadline = time.monotonic() + PATIENCE
    while True:
        done = attempt(text, tree)
        if re.search(wanted, done.stdout):
            return done.stdout
        assert time.monotonic() < deadline, f"{wanted!r} never showed:\n{done.stdout}\n{done.stderr}"
        time.sleep(0.2)


def shell_block(first: str) -> str:
    """The sh block that begins with `first`."""
    (text,) = [text for text in SHELL if text.startswith(first)]
    return text


def test_every_block_is_run_below() -> None:
    begins = ("script/demo", "script/test", "script/image initd", "docker exec my-app", "script/image hub",
              "docker run", "docker exec hub hubctl ps", "docker exec hub hubctl agents")  # fmt: skip
    assert len(SHELL) == len(begins)
    assert all(shell_block(begin) for begin in begins)
    assert {kind for kind, _ in BLOCKS} == {"sh", "dockerfile", "ini"}


def test_script_test(tree: Path) -> None:
    known = str(ROOT / ".mypy_cache")  # of the same files; finding it out anew takes half a minute
    output = run(shell_block("script/test"), tree, PYTEST_ADDOPTS="tests/house/test_imports.py", MYPY_CACHE_DIR=known)
    assert re.search(r"= [1-9]\d* passed", output)


def test_script_demo(tree: Path) -> None:
    demo = subprocess.Popen(
        ["bash", "-c", shell_block("script/demo")],
        cwd=tree,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    shown: list[str] = []
    assert demo.stdout is not None
    for line in demo.stdout:
        shown.append(line)
        if "gunicorn" in line and "RUNNING" in line:
            break
    os.killpg(demo.pid, signal.SIGINT)
    rest = demo.communicate(timeout=PATIENCE)[0]
    assert any("gunicorn" in line for line in shown), "".join(shown)
    assert demo.returncode in (0, 130), "".join(shown) + rest


def test_the_init_alone(tree: Path) -> None:
    run(shell_block("script/image initd"), tree)
    run_until("docker exec my-app /opt/initd/initd status", tree, r"web\s+RUNNING")
    output = run(shell_block("docker exec my-app"), tree)
    assert "worker" in output
    state = run("docker inspect -f '{{.State.ExitCode}}' my-app", tree)
    assert state.strip() == "0"


def test_the_fleet(tree: Path) -> None:
    run(shell_block("script/image hub"), tree)
    run(shell_block("docker run"), tree)
    run_until(shell_block("docker exec hub hubctl ps"), tree, r"my-shop\S*\s.*RUNNING")
    output = run(shell_block("docker exec hub hubctl agents"), tree)
    assert re.search(r"restart.*my-shop/web.*done", output), output
    assert re.search(r"stop.*my-shop.*done", output), output
