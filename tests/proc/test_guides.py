"""The guides for people who come from other inits: each `$` line is run, and must say what stands below it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.proc.conftest import Begin
from tests.support.names import called
from tests.support.pid1 import INITD, ROOT

pytestmark = pytest.mark.proc

Step = tuple[str, str]


def steps(page: str) -> list[Step]:
    """Command lines and what each shall say, in the order of the page."""
    found: list[list[str]] = []
    for line in (ROOT / "docs" / page).read_text().splitlines():
        if line.startswith("    $ "):
            found.append([line[6:], ""])
        elif line.startswith("    ") and found and found[-1] is not None:
            found[-1][1] += line[4:] + "\n"
        else:
            found.append(["", ""])
    return [(command, says) for command, says in found if command]


def neutral(text: str) -> str:
    """Without the pids of this run."""
    return re.sub(r"PID \d+", "PID N", re.sub(r"\[tini \(\d+\)\]", "[tini (PID)]", text))


def say(command: str, folder: Path, **environ: str) -> str:
    """What a command line says on a person's terminal."""
    for name in ("tini", "dumb-init"):
        called(name, folder)
    path = f"{folder}/names:{os.path.dirname(INITD)}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        env={**os.environ, "PATH": path, **environ},
    )  # fmt: skip
    return neutral(done.stdout)


def test_from_tini_and_dumb_init(tmp_path: Path) -> None:
    page = steps("from-tini-and-dumb-init.md")
    assert len(page) > 15
    for command, says in page:
        assert say(command, tmp_path) == says, command


def test_from_s6_overlay(begin: Begin, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "from-s6-overlay.md").read_text()
    example = re.search(r"```ini\n(.*?)```", text, re.DOTALL)
    assert example is not None
    (tmp_path / "example.ini").write_text(example[1])
    init = begin(example[1].replace("[initd]\n", f"[supervisord]\npidfile={tmp_path}/pid\n[initd]\n"))
    init.wait_state("worker", "RUNNING")
    for command, says in steps("from-s6-overlay.md"):
        assert say(command, tmp_path, PIDONE_SOCKET=init.socket) == says, command
    assert init.wait() == 143, "web's own end, as exit_code_from= asks"


def test_every_option_that_the_guide_names_is_one() -> None:
    """As docs/configuration.md lists them, which is generated."""
    known = (ROOT / "docs" / "configuration.md").read_text()
    text = (ROOT / "docs" / "from-s6-overlay.md").read_text()
    right = " ".join(line.split("|")[2] for line in text.splitlines() if line.startswith("|"))
    for option in set(re.findall(r"`([a-z_]+)=", right)):
        assert f"`{option}`" in known, option


def test_every_option_in_the_table_is_understood() -> None:
    table = re.findall(r"^\| .*\| `(-\w)`, `(--[a-z-]+)`", (ROOT / "docs/from-tini-and-dumb-init.md").read_text(), re.M)
    assert len(table) == 7
    values = {"-e": "3", "-p": "TERM", "-r": "TERM:INT"}
    for short, long in table:
        for word in (short, long):
            given = [word, values[short]] if short in values else [word]
            assert subprocess.run([INITD, *given, "--", "true"], capture_output=True).returncode == 0, word
