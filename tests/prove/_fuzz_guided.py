"""One target under atheris (libFuzzer): `python -m tests.prove._fuzz_guided TARGET [libFuzzer's options]`.

Runs in a virtual environment of its own, `.venv/fuzz`, because atheris is no dependency of anything else here.  What
our code does with an input is instrumented, so that inputs which reach new branches are kept and changed further; the
C parser of msgpack is not.  `TARGET!` has the planted fault in the codec's place.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["wire", "hub", "tests.prove._fuzz_targets"]):
    from tests.prove import _fuzz_targets
    from tests.prove.fuzz import broken


def main(argv: list[str]) -> None:
    """Fuzz until the time is over; libFuzzer ends the process, with 77 at a finding."""
    name = argv[1].removesuffix("!")
    feed = _fuzz_targets.careless if argv[1].endswith("!") else _fuzz_targets.TARGETS[name].feed

    def one(data: bytes) -> None:
        if found := broken(feed, data):
            raise AssertionError(found)

    atheris.Setup([argv[0], *argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
