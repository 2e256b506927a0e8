"""Schedules against a brute-force oracle that walks through every minute there is."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from initd.jobs.cron import FIELDS, NICKNAMES, Schedule, next_run, schedule
from initd.jobs.dates import DAY, date_of, weekday
from initd.jobs.zone import find

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Sao_Paulo",
         "Pacific/Apia", "Asia/Kathmandu", "America/St_Johns"]  # fmt: skip
CHANGES = [
    datetime.fromisoformat(day + "T00:00:00+00:00")
    for day in (
        "2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2011-12-30", "2018-11-04", "2026-04-05", "2026-10-04",
        "2024-02-28",
    )
]  # fmt: skip
"""Days about which clocks change somewhere, and the end of a February."""


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def matches(plan: Schedule, local: int) -> bool:
    day, second = divmod(local, DAY)
    _, month, of_month = date_of(day)
    dates, names = of_month in plan.days, weekday(day) in plan.weekdays
    return (
        second // 60 in plan.minutes
        and month in plan.months
        and ((dates or names) if plan.either else (dates and names))
    )


def oracle(plan: Schedule, zone: str, start: int, days: int) -> list[int]:
    """Every run after `start`, found minute by minute, beginning two days before it to know what was shown already."""
    offset, seen, found = find(zone).offset, set[int](), []
    begin = start - 2 * DAY
    before = begin + offset(begin)
    for now in range(begin, start + days * DAY, 60):
        local = now + offset(now)
        skipped = range(before + 60, local, 60) if local > before + 60 else ()
        runs = matches(plan, local) and (plan.real or local not in seen)
        if not plan.real:
            runs = runs or any(matches(plan, one) for one in skipped)
            seen.update(skipped)
        if runs and now > start:
            found.append(now)
        seen.add(local)
        before = local
    return found


@st.composite
def expressions(draw: st.DrawFn) -> str:
    words = []
    for _, low, high, _ in FIELDS:
        number = st.integers(low, high)
        span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
        step = st.tuples(span | st.just("*"), st.integers(1, 15)).map(lambda two: f"{two[0]}/{two[1]}")
        listed = st.lists(number.map(str) | span | step, min_size=1, max_size=3).map(",".join)
        words.append(draw(st.just("*") | st.just("*") | listed))
    return " ".join(words)


@settings(max_examples=100, deadline=None)
@given(expressions(), st.sampled_from(ZONES), st.sampled_from(CHANGES), st.integers(0, 1440))
def test_runs_are_those_of_the_oracle(text: str, zone: str, change: datetime, minutes: int) -> None:
    try:
        plan = schedule(text)
    except ValueError as fault:
        assert "never comes" in str(fault)
        return
    start = int(change.timestamp()) - DAY + minutes * 60
    expected = oracle(plan, zone, start, 4)
    found, now = [], float(start)
    for _ in expected[:40]:
        after = next_run(plan, now, find(zone).offset)
        assert after is not None
        found.append(after)
        now = after
    assert found == expected[:40]


@given(expressions(), st.sampled_from(ZONES), st.floats(1.6e9, 1.9e9))
@example("* * */7 1 2", "UTC", 1.6e9)
@example("* * */29 2 0", "UTC", 1.75e9)
def test_the_next_run_is_later_and_nothing_lies_between(text: str, zone: str, now: float) -> None:
    try:
        plan = schedule(text)
    except ValueError:
        return
    found = next_run(plan, now, find(zone).offset)
    assert found is not None
    assert found > now
    assert next_run(plan, (found + now) / 2, find(zone).offset) == found


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("30 2 * * *", "2026-03-29T00:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("0,30 2 * * *", "2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"),
        ("30 2 * * *", "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("30 2 * * *", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"),
        ("30 * * * *", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("30 * * * *", "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("0 0 29 2 *", "2026-01-01T00:00:00+01:00", "2028-02-29T00:00:00+01:00"),
        ("0 0 13 * fri", "2026-11-14T00:00:00+01:00", "2026-11-20T00:00:00+01:00"),
        ("0 0 * * 7", "2026-11-23T00:00:00+01:00", "2026-11-29T00:00:00+01:00"),
    ],
)
def test_days_on_which_clocks_change(text: str, after: str, expected: str) -> None:
    assert next_run(schedule(text), at(after), find("Europe/Berlin").offset) == at(expected)


def test_leap_days_across_a_century() -> None:
    assert next_run(schedule("0 0 29 2 *"), at("2096-03-01T00:00:00+00:00"), lambda _: 0) == at(
        "2104-02-29T00:00:00+00:00"
    )


@pytest.mark.parametrize("text", NICKNAMES)
def test_nicknames(text: str) -> None:
    assert schedule(text)._replace(text="") == schedule(NICKNAMES[text])._replace(text="")


def test_names_and_numbers_are_the_same() -> None:
    assert schedule("0 0 * JAN,mar-may Mon-Fri")._replace(text="") == schedule("0 0 * 1,3-5 1-5")._replace(text="")


def test_an_interval() -> None:
    assert schedule("every 90s").every == 90
    assert next_run(schedule("every 1h30m"), 100.0, lambda _: 0) == 5500.0


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("", "minute hour day"),
        ("* * * *", "minute hour day"),
        ("60 * * * *", "0 to 59"),
        ("* 24 * * *", "0 to 23"),
        ("* * 0 * *", "1 to 31"),
        ("* * * foo *", "jan to dec"),
        ("* * * * fri-mon", "runs backwards"),
        ("*/0 * * * *", "1 to 59"),
        ("1,,2 * * * *", "0 to 59"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6 *", "never comes"),
        ("@reboot", "autostart=true"),
        ("every", "duration"),
        ("every day", "duration"),
        ("0" * 300, "at most"),
    ],
)
def test_what_is_no_schedule(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=cure):
        schedule(text)


@given(st.text(max_size=40) | st.text("0123456789*/,- @", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        schedule(text)
    except ValueError:
        pass
