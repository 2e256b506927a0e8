"""Twelve common stacks and every trap, read as supervisor reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.initd.config.test_advice import NAMES, READING, TRAPS
from tests.support.oracle import Refused, difference, ours, parse

CORPUS = Path(__file__).parent / "corpus"
STACKS = sorted(path.name for path in CORPUS.glob("*.conf"))
ENVIRON = {
    "TRIES": "5",
    "RUN_AS": "nobody",
    "VENV": "/venv",
    "PATH": "/usr/bin:/bin",
    "WORKERS": "4",
    "BEAT": "true",
    "DISPLAY": ":0",
    "GEOMETRY": "1024x768x24",
    "PASSWORD": "secret",
    "HOME": "/root",
}


def test_there_are_twelve() -> None:
    assert len(STACKS) == 12


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_is_accepted_and_read_the_same(name: str) -> None:
    path = str(CORPUS / name)
    assert parse(path, ENVIRON)["groups"]
    assert difference(path, ENVIRON) is None


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("nginx-php.conf", []),
        ("queue-workers.conf", [9]),
        ("apache-cron.conf", []),
        ("lamp.conf", []),
        ("gunicorn.conf", []),
        ("celery.conf", []),
        ("uwsgi.conf", []),
        ("sshd.conf", []),
        ("desktop.conf", []),
        ("mail.conf", [18, 19]),
        ("graphite.conf", []),
        ("gameserver.conf", [23]),
    ],
)
def test_a_stack_is_warned_of_what_matters_and_nothing_else(name: str, lines: list[int]) -> None:
    found = ours(str(CORPUS / name), ENVIRON).warnings
    assert [problem.line for problem in found] == lines, "\n".join(map(str, found))


@pytest.mark.parametrize("text", [text for text, _ in NAMES + READING + TRAPS])
def test_a_trap_is_read_as_supervisor_reads_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "supervisord.conf").write_text("[supervisord]\n" + text)
    assert difference(str(tmp_path / "supervisord.conf"), {}) is None


@pytest.mark.parametrize(
    "text",
    [
        "environment=A=x@y\n",
        "environment=A=1 B=2\n",
        "environment=A=1\n B=2\n",
        "environment=%USER%\n",
        "environment=ENVIRONMENT\n",
        "[unix_http_server]\n",
        "[unix_http_server]\nfile=/tmp/x\npassword=x\n",
        "[program:x]\ncommand=date +%Y\n",
        "[program:x]\ncommand=x\nuser=%(ENV_UNSET)s\n",
        "[program:x]\ncommand\n",
        "[program:x]\ncommand=x\nstdout_logfile_maxbytes=1M\n",
        "[program:x]\ncommand=x\nautorestart=always\n",
        "[program:x]\ncommand=x\nuser=root:root\n",
    ],
)
def test_what_is_refused_in_the_wild_is_refused_here(text: str, tmp_path: Path) -> None:
    path = tmp_path / "supervisord.conf"
    path.write_text("[supervisord]\n" + text)
    with pytest.raises(Refused):
        parse(str(path), {})
    assert ours(str(path), {}).errors
