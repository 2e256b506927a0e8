"""atheris in script/prove fuzz: what libFuzzer says is understood, and the planted fault is found by coverage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prove import _fuzz_coverage as coverage
from tests.prove._fuzz_targets import TARGETS

GOOD = "#8 INITED cov: 12 ft: 9\n#900 DONE cov: 159 ft: 300\nstat::number_of_executed_units: 900\n"
BAD = (
    " === Uncaught Python exception: ===\nAssertionError: KeyError: 'x'\nTraceback (most recent call last):\n"
    "==12== ERROR: libFuzzer: fuzz target exited\nartifact_prefix='/tmp/a-'; Test unit written to /tmp/a-crash-1\n"
    "stat::number_of_executed_units: 7\n"
)


def test_counts_and_findings_are_read_out_of_what_libfuzzer_says() -> None:
    assert coverage.understand(0, GOOD) == (900, 159, "")
    assert coverage.understand(77, BAD) == (7, 0, "AssertionError: KeyError: 'x'; input in /tmp/a-crash-1")
    assert coverage.understand(1, "no such module")[2] == "status 1: no such module; input in -"


@pytest.mark.slow
@pytest.mark.skipif(not coverage.PYTHON.exists(), reason="DID NOT RUN: needs atheris; script/prepare fuzz")
def test_the_planted_fault_is_found_and_the_honest_codec_holds() -> None:
    seeds = TARGETS["codec"].seeds
    inputs, branches, found = coverage.guided("codec", seeds, 2, 1)
    assert inputs > 100 and branches > 50 and found == ""
    found = coverage.guided("codec!", seeds, 10, 1)[2]
    assert "KeyError" in found
    Path(found.rpartition("input in ")[2]).unlink()
