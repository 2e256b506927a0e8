"""The file of rules and sinks: what it may say, and every problem at once as file:line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts import selector, template
from hub.alerts.rules import Book, Rule, RuleError, load, parse


def book(text: str) -> Book:
    return parse(text, "alerts.ini", exists=lambda path: True)


def rule(text: str) -> Rule:
    return {one.name: one for one in book(f"[alert:x]\n{text}").rules}["x"]


def problems(text: str, there: bool = True) -> list[str]:
    with pytest.raises(RuleError) as error:
        parse(text, "alerts.ini", exists=lambda path: there)
    return str(error.value).splitlines()


def test_five_rules_are_on_without_a_file() -> None:
    built_in = load(None)
    assert [one.name for one in built_in.rules] == [
        "agent-lost", "program-fatal", "oom-kill", "memory-full", "crash-storm",
    ]  # fmt: skip
    assert built_in.sinks == ()


def test_a_built_in_rule_is_changed_option_by_option() -> None:
    changed = book("[alert:memory-full]\nfor = 10m\n").rules[3]
    assert (changed.hold, changed.terms[0].value, changed.clear[0].value) == (600.0, 0.9, 0.8)


def test_a_built_in_rule_can_be_turned_off() -> None:
    assert "oom-kill" not in [one.name for one in book("[alert:oom-kill]\nenabled = no\n").rules]


def test_a_rule_over_events_waits_for_quiet() -> None:
    made = rule("event = exit\ncause = signal, start failure, killed, oom possible\n")
    assert (made.event, made.clear_for) == ("exit", 600.0)
    assert made.causes == {"signal", "start failure", "killed, oom possible"}


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    text = (
        "x\n[alert:a]\non = moon\nif = cpu > 1\n[shop]\n[alert:b]\ncolour = red\nif = cpu >\nfor = soon\n"
        "[alert:c]\nif = cpu > 1\nevent = exit\n[sink:s]\nurl = ftp://x\ntype = fax\n[alert:b]\n"
        "[alert:d]\nif = cpu > 1\nsummary = {colour}\nwhere = a=\ncause = bad luck\n"
    )
    found = problems(text)
    assert [int(line.split(":")[1]) for line in found] == [1, 3, 5, 7, 8, 9, 11, 14, 15, 16, 19, 20, 21]
    assert all(line.startswith("alerts.ini:") for line in found)
    assert "[alert:c] needs either" in found[6]


def test_a_sink_needs_one_address_and_its_files() -> None:
    assert "needs either url or url_file" in problems("[sink:s]\n")[0]
    assert problems("[sink:s]\nurl_file = /none\ntoken_file = /no\n", there=False) == [
        "alerts.ini:2: url_file: no file /none",
        "alerts.ini:3: token_file: no file /no",
    ]
    assert "put a token into token_file" in problems("[sink:s]\nurl = https://eve:pw@x/\n")[0]


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="none:1: cannot be read: No such file"):
        load(str(tmp_path / "none"))
    (tmp_path / "big").write_bytes(b"#" * (1 << 19))
    with pytest.raises(RuleError, match="larger than"):
        load(str(tmp_path / "big"))


@given(st.text(max_size=300))
def test_whatever_a_file_says_is_read_or_refused(text: str) -> None:
    try:
        book("[alert:x]\n" + text)
    except RuleError as error:
        assert str(error).startswith("alerts.ini:")


def test_a_selector_means_names_and_labels() -> None:
    names = {"subject": "shop-1/web", "agent": "shop-1", "program": "web", "service": "shop", "rule": "oom-kill"}
    meant = ("*", "shop-*/web", "shop-1/*", "shop-1/web", "service=shop,program=w*", "rule=oom-*")
    assert all(selector.parse(text).means(names) for text in meant)
    assert not any(selector.parse(text).means(names) for text in ("shop-2/*", "team=*", "service=shop,program=x"))


def test_one_word_means_what_is_called_so_and_all_that_is_in_it() -> None:
    program = {"subject": "shop-1/web", "agent": "shop-1", "program": "web", "host": "east", "hub": "h"}
    assert all(selector.parse(word).means(program) for word in ("shop-1", "shop-*", "east", "h", "*"))
    assert not any(selector.parse(word).means(program) for word in ("shop", "web", "shop-2"))
    assert selector.parse("disk").means({"subject": "disk", "container": "disk"})


@pytest.mark.parametrize("text", ["", "a=", "=b", "a/", "/b", "a\nb", "x" * 600, ",".join(["a=b"] * 20)])
def test_a_bad_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="selector"):
        selector.parse(text)


def test_values_are_made_harmless_and_never_expanded_twice() -> None:
    made = template.fill("{agent}: {detail}", {"agent": "{detail}", "detail": "a\x1b[31m\nb\u202e" + "x" * 999})
    assert made.startswith("{detail}: a\\x1b[31m\\nb\\u202exxx") and len(made) < 150
    assert template.fill("{agent}", {}) == "-"


@pytest.mark.parametrize("text", ["{", "{}", "{colour}", "a}", "{agent", "x" * 500, "a\nb"])
def test_a_bad_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        template.check(text, ())


def test_values_are_shown_with_their_unit() -> None:
    shown = [template.shown(*one) for one in ((0.915, "share"), (3 * 2**29, "bytes"), (None, "count"), ("x", "word"))]
    assert shown == ["91.5 %", "1.5 GiB", "-", "x"]
