"""`initd check` and `initd explain`: the plan as data and as text, exit statuses, usage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initd.config import fields
from initd.config.explain import exits, explain, main_check, main_explain, parse, render, summary
from initd.config.machine import Lack
from initd.config.records import Loaded, Program

TEXT = """[supervisord]
[unix_http_server]
file=/tmp/s
username=u
password=geheim
[program:b]
command=sh -c "sleep 1; true"
stopwaitsecs=30
environment=A="1"
stopsignal=QUIT
exitcodes=0,2
[program:a]
command=cat
priority=1
autostart=false
autorestart=true
user=nobody
umask=022
[eventlistener:e]
command=x
events=TICK
"""


@pytest.fixture
def plan(read: Callable[..., Loaded]) -> dict[str, Any]:
    lack = Lack("command", "cat", "f", 3, "command: there is no cat here")
    return explain(read(TEXT), {}, 31.0, (lack,))


def test_processes_come_in_start_order_with_every_option(plan: dict[str, Any]) -> None:
    assert [(one["name"], one["starts"], one["kind"]) for one in plan["programs"]] == [
        ("e", True, "eventlistener"),
        ("a", False, "program"),
        ("b", True, "program"),
    ]
    assert set(fields.PROGRAM) <= set(plan["programs"][0])


def test_options_have_their_json_types(plan: dict[str, Any]) -> None:
    again = json.loads(json.dumps(plan))
    assert again == plan
    a, b = again["programs"][1:]
    assert (a["autorestart"], b["autorestart"], a["umask"], b["umask"]) == (True, "unexpected", 18, None)
    assert (b["stopsignal"], b["exitcodes"], b["environment"], b["user"]) == (3, [0, 2], {"A": "1"}, None)
    assert b["argv"] == ["sh", "-c", "sleep 1; true"]
    assert (b["stdout_logfile"], b["stdout_logfile_maxbytes"]) == ("AUTO", 50 << 20)


def test_groups_warnings_and_lacks_are_there(plan: dict[str, Any]) -> None:
    assert [group["name"] for group in plan["groups"]] == ["e", "a", "b"]
    assert plan["errors"] == []
    assert {"file", "line", "message"} == set(plan["warnings"][0])
    assert plan["machine"][0]["message"] == "command: there is no cat here"


def test_no_password_is_shown(plan: dict[str, Any]) -> None:
    assert "geheim" not in json.dumps(plan) + render(plan)


def test_the_stop_tells_the_runtime_what_it_must_allow(plan: dict[str, Any]) -> None:
    assert plan["stop"]["stop_grace_period"] == "32s"
    assert plan["stop"]["terminationGracePeriodSeconds"] == 32
    assert [level["processes"] for level in plan["stop"]["levels"]] == [["b"], ["a"], ["e"]]
    assert "stop_grace_period: 32s" in summary(plan)


def test_the_text_shows_each_process_and_its_exits(plan: dict[str, Any]) -> None:
    text = render(plan)
    assert "  1. e  x\n" in text
    assert "  2. a  cat   (autostart=false)" in text
    assert "stop     SIGQUIT, after 30 s SIGKILL" in text
    assert "if it exits with 0, 2: stays down (EXITED)" in text
    assert "environment              A=1" in text


HASTY = "restarted no sooner than 1 s after its start"


@pytest.mark.parametrize(
    ("options", "outcomes"),
    [
        ("", ["tried 4 times, waiting 1, 2, 3 s between, then FATAL", "stays down (EXITED)", "restarted at once"]),
        ("startretries=0", ["tried 1 times, then FATAL", "stays down (EXITED)", "restarted at once"]),
        ("startsecs=0\nautorestart=true", ["restarted at once", "restarted at once", HASTY]),
        ("startsecs=0\nautorestart=false", ["stays down (EXITED)", "stays down (EXITED)"]),
    ],
)
def test_what_each_exit_would_do(program: Callable[..., Program], options: str, outcomes: list[str]) -> None:
    assert [outcome["then"] for outcome in exits(program(options))] == outcomes


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    def written(text: str) -> str:
        (tmp_path / "f.conf").write_text(text)
        return str(tmp_path / "f.conf")

    return written


def test_check_of_a_good_file(file: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main_check(["-c", file("[supervisord]\n[program:x]\ncommand=cat 'a b'\nfoo=1\n")]) == 0
    printed = capsys.readouterr().out
    assert "f.conf:4: warning: foo is ignored" in printed
    assert "1. x  cat 'a b'" in printed
    assert "terminationGracePeriodSeconds: 10" in printed


def test_check_of_a_bad_file_prints_every_problem(
    file: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file("[supervisord]\nminfds=x\n[program:x]\nstartsecs=y\n")
    assert main_check([f"--configuration={path}"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines[:3]] == [f"{path}:2", f"{path}:3", f"{path}:4"]


def test_a_problem_is_one_line_whatever_stands_in_the_file(
    file: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    main_check(["-c", file("[supervisord]\nminfds=1\n  \x1b[31m2\n")])
    assert "\x1b" not in (printed := capsys.readouterr().out)
    assert len(printed.splitlines()) == 2


def test_commands_and_variables_cannot_steer_the_terminal(
    file: Callable[[str], str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAW", "\x1b]0;x\x07\udcff")
    path = file('[initd]\n[program:x]\ncommand=echo "%(ENV_RAW)s\n  next"\nenvironment=A="%(ENV_RAW)s"\n')
    assert (main_check(["-c", path]), main_explain(["-c", path]), main_explain(["-c", path, "--json"])) == (0, 0, 0)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\\nnext" in printed


def test_check_as_json(file: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main_check(["--json", "-c", file("[supervisord]\nminfds=x\n")]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["errors"][0]["line"] == 2
    assert set(answer) == {"file", "errors", "warnings", "machine", "stop"}


def test_explain_as_json(
    file: Callable[[str], str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIDONE_STOP_BUDGET", "40")
    assert main_explain(["-c", file("[initd]\n[program:x]\ncommand=/no/such\n"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["programs"][0]["name"] == "x"
    assert answer["machine"][0]["what"] == "command"
    assert answer["stop"]["budget"] == 40.0


def test_the_file_may_set_the_budget(file: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    main_explain(["-c", file("[initd]\nshutdown_budget=12.5\n[program:x]\ncommand=cat\n")])
    assert "within 12.5 s; the runtime must allow 14 s" in capsys.readouterr().out


def test_a_missing_file_is_a_problem_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_check(["-c", "/no/such/file.conf"]) == 2
    assert "/no/such/file.conf: cannot be read: No such file or directory" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "fault"), [(["-c"], "-c needs a file name"), (["--what"], "unknown argument '--what'")]
)
def test_usage_errors(argv: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_explain(argv) == 2
    assert fault in capsys.readouterr().err
    assert parse(argv).fault == fault


def test_no_file_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("initd.config.explain.find", lambda beside, cwd: None)
    assert main_check([]) == 2
    assert "name one with -c FILE" in capsys.readouterr().err


@pytest.mark.parametrize("main", [main_check, main_explain])
def test_help_has_examples(main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "examples:" in capsys.readouterr().out


TOPICAL = """[supervisord]
[initd]
nice=3
[program:a]
command=x
[program:b]
command=x
user=nobody
nice=0
rlimit_nofile=100:unlimited
capabilities=cap_chown
secrets=PW=/run/secrets/pw
set_home=true
"""


def test_topics_show_what_is_not_at_its_default_and_where_secrets_are(read: Callable[..., Loaded]) -> None:
    one, two = explain(read(TOPICAL), {}, 9.0)["programs"]
    assert one["topics"] == {"limits": {"nice": 3}}
    assert two["topics"] == {
        "limits": {"rlimits": [["nofile", 100, -1]], "nice": 0, "capabilities": ["chown"]},
        "surroundings": {"secrets": [["PW", "/run/secrets/pw"]], "set_home": True},
    }


def test_topics_are_lines_of_the_text(read: Callable[..., Loaded]) -> None:
    text = render(explain(read(TOPICAL), {}, 9.0))
    assert "    capabilities             chown\n" in text
    assert "    rlimit_nofile            100:unlimited\n" in text
    assert "    secrets                  PW=/run/secrets/pw\n" in text


def test_who_sets_home_is_not_warned_of_it(read: Callable[..., Loaded]) -> None:
    assert not [warning for warning in read(TOPICAL).warnings if "HOME" in warning.message]
