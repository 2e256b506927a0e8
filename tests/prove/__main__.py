"""`script/prove`: finds the proofs beside this file, runs one, prints its figures.

A proof is a module `tests/prove/NAME.py` whose docstring's first line is its claim and which has

    main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]

that returns figures and whether the claim held.  With `mutate` it breaks the thing it proves on purpose.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """The proofs there are, as people type them: `drop-in` for drop_in.py."""
    return sorted(path.stem.replace("_", "-") for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def load(name: str):
    """The module of a proof; exits with 2 and the known names where there is none."""
    if name not in names():
        print(f"script/prove: no proof is named {name!r}; there are: {', '.join(names())}", file=sys.stderr)
        raise SystemExit(2)
    return importlib.import_module(f"tests.prove.{name.replace('-', '_')}")


def claim(module) -> str:
    """The first line of the module's docstring."""
    return (module.__doc__ or "").strip().partition("\n")[0]


def report(name: str, text: str, figures: dict[str, object], holds: bool) -> str:
    """What a person reads: the claim, one figure a line, the verdict."""
    width = max(map(len, figures), default=0)
    lines = [f"{name}: {text}", *(f"  {key:<{width}}  {value}" for key, value in figures.items())]
    return "\n".join([*lines, f"{name}: {'holds' if holds else 'DOES NOT HOLD'}"])


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="script/prove",
        description="Run a slow proof; exit 0 only where its claim holds.",
        epilog="examples:\n  script/prove --list\n  script/prove drop-in --quick --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", help="which proof")
    parser.add_argument("--list", action="store_true", help="name the proofs and their claims")
    parser.add_argument("--quick", action="store_true", help="the short form that the tests run")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument("--mutate", action="store_true", help="switch the fault on: the claim must then fail")
    return parser


def main(argv: list[str]) -> int:
    """Run it; 0 the claim holds, 1 it does not, 2 usage."""
    chosen = options().parse_args(argv)
    if chosen.list or not chosen.name:
        for name in names():
            print(f"{name:<16} {claim(load(name))}")
        return 0 if chosen.list else 2
    module, begun = load(chosen.name), time.monotonic()
    figures, holds = module.main(chosen.quick, chosen.mutate)
    figures = {**figures, "seconds": round(time.monotonic() - begun, 1)}
    if chosen.json:
        print(json.dumps({"proof": chosen.name, "claim": claim(module), "holds": holds, "figures": figures}))
    else:
        print(report(chosen.name, claim(module), figures, holds))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
