"""From a record back to the file's words: what is read again is the same, and nothing is a secret or a Python value."""

from __future__ import annotations

from pathlib import Path

import pytest

from initd.config import load
from initd.config.records import Program
from initd.config.topics import TOPICS
from initd.config.written import number, size, words, written

OPTIONS = """\
essential=true
on_fatal=restart
depends_on=y:started, z:done
dependency_lost=stop
readiness=http://localhost:80/x
readiness_within=2.5
liveness=exec:curl -f 'a b'
liveness_action=signal:HUP
schedule=0 3 * * mon-fri
catch_up=once
pre_start=echo hi
post_stop=sh -c 'echo "a b"' "it's"
post_stop_timeout=7
backoff=1.5
backoff_cap=9
crash_loop=5 in 90s
stop_signals=TERM:5, INT:2.5, QUIT:10
stop_scope=tree
log_prefix={name}>
log_format=json
log_mask=password=*,Bearer *
logfile_rotate=3600
group=1
groups=+1,2
rlimit_nofile=10:20
rlimit_core=unlimited
rlimit_as=1MB:unlimited
nice=3
capabilities=none
no_new_privs=true
cgroup_memory_max=max
cgroup_memory_high=100MB
cgroup_cpu_max=0.5
env_file=-/x,/z
secrets=A=/y,B=/c
env_allow=A*,B
set_home=true
restart_memory=5MB
restart_age=1.5h
restart_on_change=/a /b/*
"""


def read(folder: Path, options: str) -> Program:
    path = folder / "app.ini"
    path.write_text(
        f"[supervisord]\n[program:x]\ncommand=x\nuser=0\n{options}\n[program:y]\ncommand=y\n[program:z]\ncommand=z\n"
    )
    loaded = load(str(path), {})
    assert loaded.config is not None, loaded.errors
    return next(program for program in loaded.config.programs if program.name == "x")


def everything(program: Program) -> dict[str, str]:
    return {option: text for topic in TOPICS for option, text in written(topic, getattr(program, topic)).items()}


def given(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_options_are_those_of_the_file(tmp_path: Path) -> None:
    assert everything(read(tmp_path, OPTIONS)).keys() == given(OPTIONS).keys()


def test_what_is_written_reads_as_the_same(tmp_path: Path) -> None:
    first = read(tmp_path, OPTIONS)
    again = read(tmp_path, "".join(f"{name}={text}\n" for name, text in everything(first).items()))
    assert [getattr(again, topic) for topic in TOPICS] == [getattr(first, topic) for topic in TOPICS]


@pytest.mark.parametrize("line", ["essential=false", "on_exit=ignore", "liveness=tcp:localhost:1\nliveness_failures=3"])
def test_defaults_say_nothing(tmp_path: Path, line: str) -> None:
    assert everything(read(tmp_path, line)).keys() <= {"liveness"}


def test_a_mask_that_is_a_secret_is_not_told(tmp_path: Path) -> None:
    assert everything(read(tmp_path, "log_mask=hunter2,token=*")) == {"log_mask": "***,token=*"}


def test_a_list_that_is_set_and_empty_is_told_apart(tmp_path: Path) -> None:
    assert everything(read(tmp_path, "env_allow=\ngroups=")) == {"env_allow": "(empty)", "groups": "(empty)"}


def test_numbers_sizes_and_words() -> None:
    assert [number(5.0), number(0.25), number(1e6)] == ["5", "0.25", "1000000"]
    assert [size(0), size(1024), size(1536), size(1 << 31)] == ["0", "1KB", "1536", "2GB"]
    assert words(("a", "", "b c", "it's")) == "a '' 'b c' 'it'\\''s'"
