"""How long until the next try."""

from __future__ import annotations

import pytest

from initd.backoff import is_exhausted, program_wait


def test_programs_wait_a_second_more_each_time() -> None:
    assert [program_wait(tries) for tries in (1, 2, 3)] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (3, 4), (-1, 1)])
def test_attempts(retries: int, attempts: int) -> None:
    assert next(tries for tries in range(1, 100) if is_exhausted(tries, retries)) == attempts
