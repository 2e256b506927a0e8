"""The command line: which verb, which options, which exit status."""

from __future__ import annotations

import pytest

from initd import daemon, main
from initd.config import explain
from initd.ctl import verbs
from initd.errors import OperatorError
from initd.options import Options, parse
from initd.single import errand


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What would have been run."""
    made: list[tuple[str, object]] = []

    def record(name: str) -> object:
        return lambda argument: made.append((name, argument)) or 0

    monkeypatch.setattr(daemon, "run", record("daemon"))
    monkeypatch.setattr(errand, "run", lambda manner: made.append(("command", manner.argv)) or 0)
    monkeypatch.setattr(verbs, "main", record("ctl"))
    monkeypatch.setattr(explain, "main_check", record("check"))
    monkeypatch.setattr(explain, "main_explain", record("explain"))
    return made


@pytest.mark.parametrize(
    ("argv", "call"),
    [
        ([], ("daemon", Options())),
        (["-c", "a.ini"], ("daemon", Options("a.ini"))),
        (["-ca.ini", "-n"], ("daemon", Options("a.ini"))),
        (["--configuration=a.ini", "--loglevel", "debug", "--nodaemon"], ("daemon", Options("a.ini", "debug"))),
        (["--", "nginx", "-g", "daemon off;"], ("command", ("nginx", "-g", "daemon off;"))),
        (["--", "--help"], ("command", ("--help",))),
        (["check", "-c", "x"], ("check", ["-c", "x"])),
        (["explain", "--json"], ("explain", ["--json"])),
        (["restart", "web", "--wait", "5"], ("ctl", ["restart", "web", "--wait", "5"])),
        (["status", "--help"], ("ctl", ["status", "--help"])),
    ],
)
def test_who_gets_the_command_line(calls: list[tuple[str, object]], argv: list[str], call: tuple[str, object]) -> None:
    assert main.main(argv) == 0
    assert calls == [call]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-x"], "unknown option '-x'"),
        (["-c"], "-c needs a value"),
        (["--configuration="], "--configuration needs a value"),
        (["-c", "a", "extra"], "unknown option 'extra'"),
        (["--"], "nothing to run after --"),
        (["nginx", "-t"], "no verb 'nginx'; to run a command: initd -- nginx -t"),
    ],
)
def test_a_line_that_makes_no_sense_is_2_with_the_cure(
    calls: list[tuple[str, object]], capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    assert main.main(argv) == 2
    assert said in capsys.readouterr().err
    assert calls == []


def test_help_has_examples_and_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert all(verb in text for verb in (*main.OFFLINE, *verbs.HANDLERS))


def test_the_version_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == main.version() != "unknown"


def test_parse_raises_operator_error() -> None:
    with pytest.raises(OperatorError):
        parse(["--what"])


@pytest.mark.parametrize(("argv", "status"), [(["--help"], 1), (["--version"], 1), (["--no-such"], 2)])
def test_closed_streams_are_no_traceback(monkeypatch: pytest.MonkeyPatch, argv: list[str], status: int) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    assert main.main(argv) == status
