"""What is read without argparse is read as argparse reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.ctl.parser import make_parser
from initd.ctl.plain import plain

WORDS = ["web", "pool:*", "--json", "--jso", "-s", "--", "-", "", "--socket=x", "-h", "--wait", "--essential"]


@given(st.sampled_from(["status", "healthy", "restart", "tail"]), st.lists(st.sampled_from(WORDS), max_size=4))
def test_it_says_what_argparse_says(verb: str, words: list[str]) -> None:
    options = plain([verb, *words])
    if options is not None:
        assert vars(options) == vars(make_parser().parse_args([verb, *words]))


@pytest.mark.parametrize("argv", [["status"], ["status", "web", "--json"], ["healthy"], ["healthy", "--json"]])
def test_the_usual_ones_are_read_here(argv: list[str]) -> None:
    assert plain(argv) is not None


def test_status_imports_neither_argparse_nor_what_it_needs() -> None:
    code = "import sys; sys.path.append(sys.argv[1]); from initd.main import main; main(['status', 'web']);"
    code += "print([n for n in ('argparse', 'typing', 'socket', 'shutil', 'signal', 'gettext') if n in sys.modules])"
    root = str(Path(__file__).parents[3])
    environ = {"PIDONE_SOCKET": "/nonexistent/socket"}
    run = subprocess.run([sys.executable, "-IS", "-c", code, root], capture_output=True, text=True, env=environ)
    assert run.stdout == "[]\n", run.stderr
    assert "nonexistent" in run.stderr
