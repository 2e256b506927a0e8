"""A few hundred generated configurations, read by initd and by supervisor: the quick form of `script/prove drop-in`."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, seed, settings

from initd.config import ini
from tests.prove.drop_in import Tally, only_semicolons, run
from tests.support.configs import Case, build, configs
from tests.support.oracle import compare, smallest


@seed(4)
@settings(
    max_examples=300, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(configs())
def test_no_difference_in_any_field(case: Case) -> None:
    difference = compare(case)
    assert difference is None, f"{difference}\n{smallest(case, compare).files}"


def test_most_are_accepted_and_many_are_refused() -> None:
    tally = Tally()
    run(tally, 200)
    assert tally.examples == 200
    assert 0.5 < tally.accepted / tally.examples < 0.9


def test_a_broken_rule_is_noticed_and_reduced_to_the_line_that_shows_it() -> None:
    case = Case({"supervisord.conf": "[supervisord]\nminfds=5\nnodaemon=true # x\nuser=root\n"}, {}, frozenset())
    assert compare(case) is None
    with patch.object(ini, "comment_start", only_semicolons):
        assert compare(case) is not None
        small = smallest(case, compare).files["supervisord.conf"]
    assert small.split("\n") == ["[supervisord]", "nodaemon=true # x"]


def test_the_generator_says_what_it_put_in() -> None:
    seen: Counter[str] = Counter()
    for number in range(300):
        seen.update(
            tag.split()[0] for tag in build(bytes([number % 256, number // 256]) + number.to_bytes(2, "big") * 400).tags
        )
    assert {"option", "name", "fault", "damage"} <= set(seen)
