"""The configuration in force with another number of processes of one program."""

from __future__ import annotations

from pathlib import Path

from initd.config import load
from initd.config.records import Config
from initd.reload.diff import compare, name_of
from initd.reload.scale import scaled

TEXT = """[supervisord]
[program:a]
command=a
[program:w]
command=w %(numprocs)s
process_name=w%(process_num)d
numprocs=2
"""


def read(folder: Path, count: int | None = None, text: str = TEXT) -> Config:
    path = folder / "app.ini"
    path.write_text(text)
    config = load(str(path), {}, scales=None if count is None else {"w": count}).config
    assert config is not None
    return config


def names(config: Config) -> list[str]:
    return [name_of(one) for one in config.programs]


def test_more_are_added_as_the_file_defines_them(tmp_path: Path) -> None:
    old = read(tmp_path)
    new = scaled(old, read(tmp_path, 4), "w")
    assert names(new) == ["a", "w:w0", "w:w1", "w:w2", "w:w3"]
    assert [row.change for row in compare(old, new).rows] == ["added", "added"]


def test_those_beyond_are_taken_out_and_the_others_stay_as_they_are(tmp_path: Path) -> None:
    old = read(tmp_path)
    new = scaled(old, read(tmp_path, 1), "w")
    assert [(row.name, row.change) for row in compare(old, new).rows] == [("w:w1", "removed")]
    assert new.groups[1].processes == ("w0",)


def test_none_at_all_and_back(tmp_path: Path) -> None:
    old = read(tmp_path)
    none = scaled(old, read(tmp_path, 0), "w")
    assert names(none) == ["a"] and [group.name for group in none.groups] == ["a", "w"]
    assert names(scaled(none, read(tmp_path, 2), "w")) == names(old)


def test_what_else_changed_in_the_file_is_left_alone(tmp_path: Path) -> None:
    old = read(tmp_path)
    text = TEXT.replace("command=a", "command=other") + "[program:z]\ncommand=z\n"
    new = scaled(old, read(tmp_path, 3, text), "w")
    assert [row.name for row in compare(old, new).rows] == ["w:w2"]


def test_the_place_inside_a_group_is_kept(tmp_path: Path) -> None:
    text = TEXT + "[program:z]\ncommand=z\n[group:g]\nprograms=a,w,z\n"
    new = scaled(read(tmp_path, text=text), read(tmp_path, 3, text), "w")
    assert names(new) == ["g:a", "g:w0", "g:w1", "g:w2", "g:z"]
