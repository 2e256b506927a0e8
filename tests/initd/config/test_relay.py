from __future__ import annotations

from pathlib import Path

import pytest

from initd.config import load
from initd.config.records import Loaded

LISTENER = """
[eventlistener:stdout]
command = supervisor_stdout
buffer_size = 100
events = PROCESS_LOG
result_handler = supervisor_stdout:event_handler
"""
WEB = "[program:web]\ncommand=web\nstdout_logfile=NONE\nstdout_events_enabled=true\n"


def loaded(folder: Path, text: str) -> Loaded:
    (folder / "app.ini").write_text(f"[supervisord]\n{text}")
    found = load(str(folder / "app.ini"), {})
    assert found.config is not None, found.errors
    return found


def relayed(found: Loaded) -> dict[str, tuple[str, ...]]:
    assert found.config is not None
    return {program.name: program.logs.relay if program.logs else () for program in found.config.programs}


def test_programs_with_events_are_shown_with_name_and_stream(tmp_path):
    found = loaded(tmp_path, WEB + "[program:db]\ncommand=db\n" + LISTENER)
    assert found.config is not None
    assert {name: streams for name, streams in relayed(found).items() if streams} == {"web": ("stdout",)}
    [web] = [program for program in found.config.programs if program.name == "web"]
    assert web.logs is not None and web.logs.log_prefix == "web {stream} |"


def test_the_listener_stays_down_and_check_says_so(tmp_path):
    found = loaded(tmp_path, WEB + LISTENER)
    assert found.config is not None
    everybody = found.config.programs
    assert [program.autostart for program in everybody if program.group == "stdout"] == [False]
    [warning] = [str(one) for one in found.warnings if "prefixed" in str(one)]
    assert "app.ini:7: stdout (supervisor_stdout) is not started" in warning and "the lines of web" in warning


@pytest.mark.parametrize(
    "listener",
    [
        LISTENER.replace("supervisor_stdout:event_handler", "supervisor.dispatchers:default_handler"),
        LISTENER.replace("= supervisor_stdout\n", "= /usr/local/bin/python -u /opt/supervisor_stdout.py\n"),
    ],
)
def test_it_is_known_by_its_command_or_its_handler(tmp_path, listener):
    assert relayed(loaded(tmp_path, WEB + listener))["web"] == ("stdout",)


def test_only_the_events_it_listens_to_count(tmp_path):
    both = WEB + "stderr_events_enabled=true\n"
    only = LISTENER.replace("PROCESS_LOG", "PROCESS_LOG_STDERR")
    assert relayed(loaded(tmp_path, both + LISTENER))["web"] == ("stderr", "stdout")
    assert relayed(loaded(tmp_path, both + only))["web"] == ("stderr",)


def test_a_prefix_of_its_own_comes_first(tmp_path):
    found = loaded(tmp_path, WEB + "log_prefix=[{name}]\n" + LISTENER)
    assert found.config is not None
    [web] = [program for program in found.config.programs if program.name == "web"]
    assert web.logs is not None and web.logs.log_prefix == "[{name}]"


def test_other_listeners_change_nothing(tmp_path):
    other = LISTENER.replace("supervisor_stdout", "memmon").replace("memmon:event_handler", "")
    found = loaded(tmp_path, WEB + other.replace("result_handler = \n", ""))
    assert relayed(found)["web"] == ()
