"""conf/completion/hubctl.bash: made from the declarations, and what bash offers by it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hub.ctl.completion import script
from tests.support.services import absent

FILE = Path(__file__).parents[3] / "conf" / "completion" / "hubctl.bash"
FAKE = r"""
hubctl() {
    case "$3" in
        ps) printf 'AGENT PROCESS STATE\nshop web RUNNING\nshop pool:w_0 RUNNING\nevil $(reboot) RUNNING\n' ;;
        containers) printf 'NAME ID\nshop-1 abc\n' ;;
    esac
}
"""


def complete(line: str) -> list[str]:
    """What bash would offer at the end of the line, which is split as bash does, at colons too."""
    if shutil.which("bash") is None:
        absent("bash", "apt-get install bash")
    words = line.replace(":", " : ").split() + ([""] if line.endswith(" ") else [])
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"""{FAKE}
    source {FILE}
    COMP_LINE='{line}' COMP_POINT={len(line)} COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}
    _hubctl; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stderr == ""
    return done.stdout.split()


def test_the_file_is_what_the_declarations_make() -> None:
    assert FILE.read_text() == script(), "run: python3 -m hub.ctl.completion > conf/completion/hubctl.bash"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("hubctl sta", ["start"]),
        ("hubctl --key a.json pau", ["pause"]),
        ("hubctl --js", ["--json"]),
        ("hubctl restart ", ["shop/pool:w_0", "shop/web"]),
        ("hubctl restart shop/pool:w", ["w_0"]),
        ("hubctl stop --container ", ["shop-1"]),
        ("hubctl pause sh", ["shop-1"]),
        ("hubctl token ", ["create", "list", "revoke"]),
        ("hubctl token create --serv", ["--service"]),
        ("hubctl about ", []),
    ],
)
def test_bash_offers(line: str, offered: list[str]) -> None:
    assert complete(line) == offered
