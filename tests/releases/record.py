"""Keeps what an earlier release said, out of the history: `python -m tests.releases.record COMMIT NAME [--agent]`.

Writes NAME.json, every message of that release as its own code encoded its own examples, and with --agent NAME.tar.xz,
the code of its initd and link, which a test lets join.  Done once for each release, and committed; it stays for as long
as docs/protocol.md promises that hubs serve it.  The protocol grew before the first release, too: those are kept like
releases.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENCODE = """
import json, sys
sys.path[:0] = [".", "docs"]
from protocol_examples import EXAMPLES
from wire.codec import encode, message_type
print(json.dumps([[message_type(type(one)), encode(one).hex()] for one in EXAMPLES]))
"""


def git(*words: str) -> bytes:
    """What git says in this tree."""
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True).stdout


def frames(commit: str) -> list[list[str]]:
    """Type and bytes (hexadecimal) of each example of that commit."""
    with tempfile.TemporaryDirectory() as folder:
        archive = git("archive", commit, "wire", "docs/protocol_examples.py")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder)
        run = subprocess.run([sys.executable, "-c", ENCODE], cwd=folder, check=True, capture_output=True)
        return [list(pair) for pair in json.loads(run.stdout)]


def record(commit: str, name: str, agent: bool) -> None:
    """Write the files; an old one of the same name is replaced."""
    made = git("show", "-s", "--format=%cs", commit).decode().strip()
    lines = ",\n".join(f"    {json.dumps(pair)}" for pair in frames(commit))
    head = f'  "commit": {json.dumps(commit)},\n  "made": {json.dumps(made)},\n'
    (HERE / f"{name}.json").write_text(f'{{\n{head}  "frames": [\n{lines}\n  ]\n}}\n')
    if agent:
        tree = git("archive", commit, "initd", "wire", "VERSION")
        (HERE / f"{name}.tar.xz").write_bytes(lzma.compress(tree, preset=9))


def main(argv: list[str]) -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.releases.record", description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("name")
    parser.add_argument("--agent", action="store_true", help="keep the code of its initd and link, too")
    chosen = parser.parse_args(argv)
    record(chosen.commit, chosen.name, chosen.agent)


if __name__ == "__main__":
    main(sys.argv[1:])
