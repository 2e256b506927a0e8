"""Starts atheris on a target in its own environment, and reads what it found."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv/fuzz/bin/python"
ABSENT = "atheris cannot be had here (script/prepare fuzz): inputs were drawn without sight of the coverage"
INPUT_BYTES = 4096
"""Longer inputs are the plain mode's: coverage is reached by short ones."""


def there_is(install: bool) -> bool:
    """Whether atheris can be used; `install`: after an attempt to get it."""
    if install and not PYTHON.exists():
        subprocess.run([ROOT / "script/prepare", "fuzz"], capture_output=True)
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", "import atheris"], capture_output=True).returncode == 0


def guided(name: str, seeds: Sequence[bytes], seconds: float, seed: int) -> tuple[int, int, str]:
    """Inputs tried, branches reached, and the first finding with its file."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number, data in enumerate(seeds):
            (Path(folder) / f"seed-{number}").write_bytes(data)
        kept = tempfile.gettempdir() + f"/pidone-fuzz-{name.strip('!')}-"
        run = subprocess.run(
            [
                *(PYTHON, "-m", "tests.prove._fuzz_guided", name, folder),
                *(f"-max_total_time={max(1, int(seconds))}", f"-seed={seed or 1}", f"-max_len={INPUT_BYTES}"),
                *(f"-artifact_prefix={kept}", "-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048"),
            ],
            cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=seconds + 120,
        )  # fmt: skip
    return understand(run.returncode, run.stdout + run.stderr)


def understand(status: int, said: str) -> tuple[int, int, str]:
    """Inputs, branches and finding, out of what libFuzzer said."""
    counts = [int(one) for one in re.findall(r"^stat::number_of_executed_units:\s+(\d+)", said, re.MULTILINE)]
    cover = [int(one) for one in re.findall(r"\bcov: (\d+)", said)]
    found = ""
    if status != 0:
        error = re.search(r"^\s*(?:\w+(?:Error|Exception)|ALARM|==\d+== ERROR).*$", said, re.MULTILINE)
        place = re.search(r"Test unit written to (\S+)", said)
        words = error[0].strip() if error else f"status {status}: {said[-300:]}"
        found = f"{words}; input in {place[1] if place else '-'}"
    return max(counts, default=0), max(cover, default=0), found
