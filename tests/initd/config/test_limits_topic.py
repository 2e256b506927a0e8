"""Options of limits and surroundings: what is accepted, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.records import Loaded, Program
from initd.config.topics import limits, surroundings

Read = Callable[..., Loaded]


def one(read: Read, options: str, shared: str = "") -> Program:
    loaded = read(f"[initd]\n{shared}\n[program:x]\ncommand=y\n{options}\n")
    assert loaded.config is not None, loaded.errors
    return loaded.config.programs[0]


def fault(read: Read, options: str) -> str:
    loaded = read(f"[initd]\n[program:x]\ncommand=y\n{options}\n")
    assert len(loaded.errors) == 1
    return str(loaded.errors[0])


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("group=www-data", "group", "www-data"),
        ("groups=audio, 44", "groups", ("audio", "44")),
        ("groups=+audio", "groups", ("+", "audio")),
        ("groups=", "groups", ()),
        ("rlimit_nofile=100:UNLIMITED", "rlimits", (("nofile", 100, -1),)),
        ("rlimit_core=1 MB", "rlimits", (("core", 1 << 20, 1 << 20),)),
        ("rlimit_cpu=3\nrlimit_as=2GB:3GB", "rlimits", (("as", 2 << 30, 3 << 30), ("cpu", 3, 3))),
        ("nice=-20", "nice", -20),
        ("oom_score_adj=-1000", "oom_score_adj", -1000),
        ("capabilities=CAP_CHOWN, kill chown", "capabilities", ("chown", "kill")),
        ("capabilities=none", "capabilities", ()),
        ("no_new_privs=yes", "no_new_privs", True),
        ("cgroup_memory_max=64MB", "cgroup_memory_max", 64 << 20),
        ("cgroup_memory_max=max", "cgroup_memory_max", -1),
        ("cgroup_cpu_max=1.5", "cgroup_cpu_max", 1.5),
        ("cgroup_pids_max=max", "cgroup_pids_max", -1),
    ],
)
def test_limits(read: Read, text: str, name: str, value: Any) -> None:
    record = one(read, text).limits
    assert record is not None
    assert getattr(record, name) == value


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("group=a,b", "further ones go into groups="),
        ("groups=a,,b", "names or numbers with commas between"),
        ("rlimit_nofile=200:100", "the soft limit is above the hard one"),
        ("rlimit_nofile=unlimited:100", "the soft limit is above the hard one"),
        ("rlimit_nofile=1MB", "write a whole number, or unlimited"),
        ("rlimit_core=-5", "write bytes"),
        ("rlimit_core=1:2:3", "write bytes"),
        ("nice=20", "write a whole number from -20 to 19"),
        ("nice=ten", "write a whole number from -20 to 19"),
        ("oom_score_adj=1001", "from -1000 to 1000"),
        ("capabilities=net_admn", "did you mean net_admin?"),
        ("capabilities=", "or none"),
        ("cgroup_memory_max=0", "write bytes"),
        ("cgroup_cpu_max=0", "write a number of cores from 0.01 up"),
        ("cgroup_cpu_max=nan", "write a number of cores"),
        ("cgroup_pids_max=0", "write a whole number from 1"),
        ("cgroup_memory_max=1MB\ncgroup_memory_high=2MB", "above cgroup_memory_max it has no effect"),
        ("env_file=a,,b", "write paths with commas between"),
        ("secrets=PW=hunter2", "PW: write the path of the file that holds it"),
        ("secrets=hunter2", "not a list of secrets"),
        ("env_allow=A=1", "values belong into environment="),
        ("set_home=true", "needs user="),
        ("user=a:b\nuser=a:b\ngroup=,", "further ones"),
    ],
)
def test_a_fault_is_one_line_with_its_cure(read: Read, text: str, cure: str) -> None:
    said = fault(read, text)
    assert cure in said
    assert "hunter2" not in said


def test_paths_count_from_the_file(read: Read) -> None:
    record = one(read, "env_file=a.env,-b.env,/c\nsecrets=PW=./s").surroundings
    assert record is not None
    here = str(Path(record.env_file[0]).parent)
    assert record.env_file == (f"{here}/a.env", f"-{here}/b.env", "/c")
    assert Path(record.secrets[0][1]).is_absolute()


def test_initd_has_the_defaults_of_all(read: Read) -> None:
    record = one(read, "nice=0", shared="nice=5\nno_new_privs=true").limits
    assert record is not None
    assert (record.nice, record.no_new_privs) == (0, True)


def test_without_them_there_is_no_record(read: Read) -> None:
    program = one(read, "priority=1")
    assert (program.limits, program.surroundings) == (None, None)


@pytest.mark.parametrize("kind", [*limits.TYPES, *surroundings.TYPES])
@given(text=st.text(max_size=30))
def test_any_text_is_a_value_or_a_fault(kind: str, text: str) -> None:
    try:
        ({**limits.TYPES, **surroundings.TYPES})[kind](text)
    except ValueError as failure:
        assert str(failure)
