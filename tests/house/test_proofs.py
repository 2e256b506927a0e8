"""Every slow proof: its quick form holds, and breaks when its fault is switched on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.prove.__main__ import claim, load, names

ROOT = Path(__file__).parents[2]


def prove(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "script/prove", *words], capture_output=True, text=True, cwd=ROOT)


def test_the_list_names_each_proof_with_its_claim() -> None:
    listing = prove("--list")
    assert listing.returncode == 0
    assert [line.split()[0] for line in listing.stdout.splitlines()] == names()


def test_an_unknown_proof_is_a_usage_error() -> None:
    run = prove("no-such-proof")
    assert run.returncode == 2
    assert "there are:" in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_quick_form_holds(name: str) -> None:
    run = prove(name, "--quick", "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    answer = json.loads(run.stdout)
    assert answer["holds"] is True
    assert answer["figures"]
    assert answer["claim"] == claim(load(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_fault_is_noticed(name: str) -> None:
    run = prove(name, "--quick", "--json", "--mutate")
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stdout, run.stderr
    assert json.loads(run.stdout)["holds"] is False
