"""`hubctl agents --outdated`: what counts as older, in which order it is shown, and what a script learns."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ctl.outdated import older, order
from hub.version import version
from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub
from wire.messages import Registered

IN_ORDER = ("unknown", "", "0", "0.0.9", "0.1.0.dev3", "0.1.0a1", "0.1.0b2", "0.1.0rc1", "0.1.0rc10", "0.1.0", "0.1.1",
            "0.9.0", "0.10.0-rc1", "0.10", "1.0.0", "v1.0.1", "2.0+local.7")  # fmt: skip


def test_releases_are_ordered_by_their_numbers_and_what_led_to_them() -> None:
    assert [order(one) for one in IN_ORDER] == sorted(order(one) for one in IN_ORDER)
    assert order("1.0") == order("1") == order("v1.0.0") and len({order(one) for one in IN_ORDER}) == len(IN_ORDER) - 1


@given(st.text(max_size=32))
def test_whatever_an_agent_calls_its_release_can_be_ordered(text: str) -> None:
    assert order(text) <= order(text) and isinstance(order(text) < order("1.0"), bool)


def test_the_oldest_come_first_and_equals_by_name() -> None:
    names = {"d": "0.2", "c": "0.10", "b": "0.9", "a": "0.9", "e": "1.0", "f": "1.1"}
    rows: list[dict[str, Any]] = [{"name": n, "agent": n, "version": v} for n, v in names.items()]
    assert [row["name"] for row in older(rows, "1.0")] == ["d", "a", "b", "c"]
    assert {row["hub_version"] for row in older(rows, "1.0")} == {"1.0"}


def test_a_script_learns_it_by_the_status_and_a_person_by_the_table(
    hub: LiveHub, hubctl: Callable[..., int], shop: LiveAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(shop.register(version=version()), Registered)
    assert hubctl("agents", "--outdated") == 0 and "no agent is older" in capsys.readouterr().out
    old = joined(hub.join(), "attic", "web")
    try:
        old.register(version="0.0.7")
        assert hubctl("agents", "--outdated") == 1
        head, row = capsys.readouterr().out.splitlines()
        assert "VERSION" in head and row.split()[0] == "attic" and {"0.0.7", version()} <= set(row.split())
        assert hubctl("agents", "--outdated", "--json") == 1
        [told] = json.loads(capsys.readouterr().out)
        assert (told["name"], told["version"], told["hub_version"]) == ("attic", "0.0.7", version())
    finally:
        old.close()
