from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from initd.ctl.completion import script
from tests.support.services import absent

FILE = Path(__file__).parents[3] / "conf" / "completion" / "initd.bash"
FAKE = """
initd() { printf 'NAME STATE\\nweb RUNNING\\npool:w_0 RUNNING\\npool:w_1 STOPPED\\n'; }
"""


def complete(line: str, words: list[str]) -> list[str]:
    """What bash would offer; `words` as bash splits the line, at colons too."""
    if shutil.which("bash") is None:
        absent("bash", "apt-get install bash")
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"""{FAKE}
    source {FILE}
    COMP_LINE='{line}' COMP_POINT={len(line)} COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}
    _initd; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stderr == ""
    return done.stdout.split()


def test_the_file_is_what_the_declarations_make():
    assert FILE.read_text() == script(), "run: python3 -m initd.ctl.completion > conf/completion/initd.bash"


@pytest.mark.parametrize(
    ("line", "words", "offered"),
    [
        ("initd sta", ["initd", "sta"], ["status", "start"]),
        ("initd restart w", ["initd", "restart", "w"], ["web"]),
        ("initd stop po", ["initd", "stop", "po"], ["pool:*", "pool:w_0", "pool:w_1"]),
        ("initd stop pool:w", ["initd", "stop", "pool", ":", "w"], ["w_0", "w_1"]),
        ("initd stop web --w", ["initd", "stop", "web", "--w"], ["--wait"]),
        ("initd tail --f", ["initd", "tail", "--f"], ["--follow"]),
        ("initd healthy ", ["initd", "healthy", ""], []),
    ],
)
def test_bash_offers(line, words, offered):
    assert complete(line, words) == offered
