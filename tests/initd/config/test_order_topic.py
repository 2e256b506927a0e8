"""depends_on in a file: what is read, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from initd.config import load
from initd.config.records import Loaded

HEAD = "[supervisord]\n"


def read(folder: Path, *programs: str, head: str = HEAD) -> Loaded:
    """A file of programs; each text is `name option=value; option=value`."""
    sections = ""
    for text in programs:
        name, _, options = text.partition(" ")
        lines = "".join(f"{option.strip()}\n" for option in options.split(";") if option.strip())
        sections += f"[program:{name}]\ncommand=sleep 1\n{lines}"
    path = folder / "app.ini"
    path.write_text(head + sections)
    return load(str(path), {}, advise=False)


def errors(folder: Path, *programs: str, head: str = HEAD) -> list[str]:
    return [f"{problem.line}: {problem.message}" for problem in read(folder, *programs, head=head).errors]


def test_conditions_are_read(tmp_path: Path) -> None:
    config = read(tmp_path, "db", "m", "web depends_on=db, m:done ,db:started; dependency_lost=stop").config
    assert config is not None
    found = next(program for program in config.programs if program.name == "web").order
    assert found is not None
    assert found.depends_on == (("db", "ready"), ("m", "done"), ("db", "started"))
    assert found.dependency_lost == "stop"


def test_programs_without_it_have_no_record(tmp_path: Path) -> None:
    config = read(tmp_path, "db", "web depends_on=db").config
    assert config is not None
    assert [program.order is None for program in config.programs] == [True, False]


def test_a_circle_is_shown(tmp_path: Path) -> None:
    assert errors(tmp_path, "a depends_on=b", "b depends_on=c:started", "c depends_on=a:ready") == [
        "4: depends_on goes round in a circle: a -> b -> c -> a: take one of them out"
    ]


def test_unknown_names_are_refused_with_the_nearest(tmp_path: Path) -> None:
    assert errors(tmp_path, "database", "web depends_on=databsae:ready") == [
        "6: depends_on: unknown name 'databsae': did you mean database?"
    ]


@pytest.mark.parametrize("value", ["", "a b", "a:b:c", "/x", ":ready"])
def test_what_is_no_name(tmp_path: Path, value: str) -> None:
    assert len(errors(tmp_path, f"web depends_on={value}")) == 1


def test_numprocs_with_its_own_number_in_a_name(tmp_path: Path) -> None:
    pool = "numprocs=2;process_name=%(program_name)s_%(process_num)d"
    config = read(tmp_path, f"db {pool}", f"web {pool};depends_on=db:db_%(process_num)d").config
    assert config is not None
    assert [program.order.depends_on[0][0] for program in config.programs if program.order] == ["db:db_0", "db:db_1"]
