from __future__ import annotations

import pytest

from initd.ctl import history


def test_a_note_is_shown_as_its_fields():
    fact = {"seq": 3, "at": 0.0, "kind": "note", "body": {"text": "a\nb"}}
    assert history.fact_line(fact).endswith("    3  text=a\\nb")


def test_a_core_dump_is_mentioned():
    record = {"cause": "signal", "signal": 11, "code": None, "core": True}
    assert history.ending(record) == "SIGSEGV, core dumped"


@pytest.mark.parametrize("cause", ["oom", "killed, oom possible"])
def test_an_oom_kill_is_the_reason(cause):
    assert history.reason({"cause": cause, "expected": False}) == cause


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"cause": "probe", "why": "port 80 is closed", "expected": False}, "probe: port 80 is closed"),
        ({"cause": "renewal", "why": "old", "expected": True, "escalated": True}, "renewal: old, needed SIGKILL"),
        ({"cause": "stopped", "by": "uid=0", "command": "", "escalated": True}, "stopped by uid=0, needed SIGKILL"),
    ],
)
def test_who_ended_it_and_whether_that_took_force(record, told):
    assert history.reason(record) == told
