"""What differs between two readings, and what each difference needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from initd.config import load
from initd.config.records import Config, Loaded, Program
from initd.config.topics import TOPICS
from initd.reload.diff import NEEDS, NEVER, compare, merge, name_of, without
from initd.reload.tables import Places, table

HEAD = "[supervisord]\n"
WEB = "[program:web]\ncommand=web\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def loaded(folder: Path, text: str) -> Loaded:
    path = folder / "app.ini"
    path.write_text(HEAD + text)
    found = load(str(path), {}, advise=False)
    assert not found.errors
    return found


def read(folder: Path, text: str) -> Config:
    config = loaded(folder, text).config
    assert config is not None
    return config


def rows(folder: Path, before: str, after: str) -> list[tuple[str, str, str]]:
    found = compare(read(folder, before), read(folder, after)).rows
    return [(row.name, row.change, row.need) for row in found]


def test_nothing_differs_but_comments_order_and_place(folder: Path) -> None:
    after = "; a word\n\n[program:web]\n# more\npriority=5\ncommand=web  ; here\n"
    diff = compare(read(folder, WEB + "priority=5\n"), read(folder, after))
    assert diff.rows == () and diff.groups == () and diff.daemon == ()


@pytest.mark.parametrize(
    ("option", "need"),
    [
        ("command=other", "restart"),
        ("directory=/tmp", "restart"),
        ("environment=A=1", "restart"),
        ("redirect_stderr=true", "restart"),
        ("umask=077", "restart"),
        ("priority=1", "live"),
        ("autostart=false", "live"),
        ("startretries=9", "live"),
        ("exitcodes=0,3", "live"),
        ("stopsignal=QUIT", "live"),
        ("stdout_logfile=/tmp/x", "live"),
        ("stdout_events_enabled=true", "live"),
    ],
)
def test_each_option_has_its_need(folder: Path, option: str, need: str) -> None:
    assert rows(folder, WEB, WEB + option + "\n") == [("web", "changed", need)]


def test_the_strongest_need_counts(folder: Path) -> None:
    assert rows(folder, WEB, WEB + "priority=1\numask=077\n") == [("web", "changed", "restart")]


def test_every_field_and_topic_of_a_program_is_declared() -> None:
    assert set(Program._fields) <= NEEDS.keys() | set(NEVER)
    assert TOPICS.keys() <= NEEDS.keys()


def test_programs_come_and_go(folder: Path) -> None:
    found = rows(folder, WEB + "[program:old]\ncommand=old\n", WEB + "[program:new]\ncommand=new\n")
    assert found == [("new", "added", ""), ("old", "removed", "")]


def test_more_processes_are_added_alone(folder: Path) -> None:
    pool = "[program:w]\ncommand=w\nprocess_name=w%(process_num)d\nnumprocs="
    assert rows(folder, pool + "1\n", pool + "2\n") == [("w:w1", "added", "")]


def test_a_program_that_joins_a_group_gets_another_name(folder: Path) -> None:
    found = rows(folder, WEB, WEB + "[group:front]\nprograms=web\n")
    assert found == [("front:web", "added", ""), ("web", "removed", "")]


def test_values_of_the_environment_are_not_told(folder: Path) -> None:
    before, after = WEB + "environment=A=secret1,B=2\n", WEB + "environment=A=secret2,C=3\n"
    [row] = compare(read(folder, before), read(folder, after)).rows
    assert row.options[0].after == "A changed, C added, B removed" and "secret" not in str(row)


def test_the_environment_of_all_is_everybodys(folder: Path) -> None:
    assert rows(folder, WEB, "environment=A=1\n" + WEB) == [("web", "changed", "restart")]


def test_options_of_initd_itself_are_told_apart(folder: Path) -> None:
    diff = compare(read(folder, WEB), read(folder, "loglevel=debug\nminfds=9\n" + WEB))
    assert [(option.name, option.need) for option in diff.daemon] == [
        ("loglevel", "live"),
        ("minfds", "new start of initd"),
    ]


def test_a_groups_priority_is_its_own_difference(folder: Path) -> None:
    group = WEB + "[group:g]\nprograms=web\npriority="
    diff = compare(read(folder, group + "1\n"), read(folder, group + "2\n"))
    assert diff.of("changed") == ("g",) and [row.need for row in diff.rows] == ["live"]


def test_only_the_groups_that_are_named(folder: Path) -> None:
    before, after = read(folder, WEB), read(folder, "loglevel=debug\n[program:a]\ncommand=a\n[program:b]\ncommand=b\n")
    diff = compare(before, after, ["a"])
    assert [row.name for row in diff.rows] == ["a"] and diff.daemon == ()


def test_merging_takes_these_groups_and_nothing_else(folder: Path) -> None:
    before = read(folder, WEB + "[program:b]\ncommand=b\n")
    after = read(folder, "[program:web]\ncommand=new\n[program:a]\ncommand=a\n")
    merged = merge(before, after, ["a", "web"])
    assert [(one.name, one.command) for one in merged.programs] == [("a", "a"), ("b", "b"), ("web", "new")]
    assert compare(merged, after).of("removed") == ("b",)


def test_without_a_group_its_programs_are_gone(folder: Path) -> None:
    config = without(read(folder, WEB + "[program:b]\ncommand=b\n"), "web")
    assert [name_of(one) for one in config.programs] == ["b"] and [group.name for group in config.groups] == ["b"]


def test_a_table_says_where_each_difference_stands(folder: Path) -> None:
    before, after = read(folder, WEB), loaded(folder, WEB + "priority=1\n[program:new]\ncommand=x\n")
    assert after.config is not None
    told = table(compare(before, after.config), Places(before, after))
    lines = {row["name"]: row["line"] for row in told["differences"]}  # type: ignore[attr-defined]
    options = next(row["options"] for row in told["differences"] if row["name"] == "web")  # type: ignore[attr-defined]
    assert lines == {"web": 2, "new": 5} and {one["option"]: one["line"] for one in options}["priority"] == 4
    assert told["groups"] == {"added": ["new"], "changed": ["web"], "removed": []}


def test_an_inherited_option_stands_where_it_is_inherited_from(folder: Path) -> None:
    before, after = read(folder, WEB), loaded(folder, "environment=A=1\n" + WEB)
    assert after.config is not None
    told = table(compare(before, after.config), Places(before, after))
    [row] = told["differences"]  # type: ignore[misc]
    assert row["options"][0]["line"] == 2


def test_options_of_topics_are_told_in_the_words_of_the_file(folder: Path) -> None:
    before = read(folder, WEB + "readiness=tcp:localhost:80\nliveness=exec:check a\n")
    after = read(folder, WEB + "readiness=tcp:localhost:80\nreadiness_within=5m\nstop_signals=TERM:5,INT:1\n")
    [row] = compare(before, after).rows
    told = {option.name: (option.before, option.after) for option in row.options}
    assert told["readiness_within"] == ("", "300")
    assert told["liveness"] == ("exec:check a", "")
    assert told["stop_signals"] == ("", "TERM:5, INT:1")
    assert "(" not in str(told).replace("('", "").replace("')", "")


def test_a_difference_that_no_option_shows_is_still_one(folder: Path) -> None:
    assert rows(folder, WEB, WEB + "essential=false\n") == [("web", "changed", "live")]
