"""Pictures and patches: patches lead from any picture to any other."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from console.live.picture import TABLES, Picture, applied, difference, picture

ROWS = st.dictionaries(
    st.sampled_from("abcdef"), st.fixed_dictionaries({"state": st.sampled_from(["up", "down", "\u202e<b>"])})
)
PICTURES = st.fixed_dictionaries(dict.fromkeys(TABLES, ROWS))


@given(PICTURES, PICTURES)
def test_a_patch_leads_from_one_picture_to_the_other(before: Picture, after: Picture) -> None:
    assert applied(before, json.loads(json.dumps(difference(before, after)))) == after


@given(PICTURES)
def test_where_nothing_changed_there_is_no_patch(one: Picture) -> None:
    assert difference(one, one) == {}


def test_rows_hold_what_is_shown_and_no_age() -> None:
    row = {
        "agent": "a1",
        "process": "web",
        "state": "RUNNING",
        "age": 0.3,
        "at": 1000.4,
        "uptime": 40.2,
        "uid": 0,
        "cpu": None,
    }
    found = picture({"programs": [row]})["programs"]
    assert found == {"a1/web": {"agent": "a1", "process": "web", "state": "RUNNING", "born": 960}}


def test_time_alone_changes_nothing() -> None:
    row = {"agent": "a1", "process": "web", "state": "RUNNING", "at": 1000.0, "uptime": 40.0}
    later = {**row, "at": 1002.0, "uptime": 42.0}
    assert difference(picture({"programs": [row]}), picture({"programs": [later]})) == {}
