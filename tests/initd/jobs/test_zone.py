"""Our reading of time zones, held against the standard library's for every zone of this machine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.jobs.dates import date_of, day_of, shown, weekday
from initd.jobs.zone import Footer, find, parse

ZONES = sorted(available_timezones())
moments = st.integers(-2_000_000_000, 7_000_000_000)


def standard(zone: ZoneInfo, at: float) -> float:
    offset = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


@given(st.sampled_from(ZONES), st.lists(moments, min_size=1, max_size=50))
def test_offsets_are_the_standard_librarys(name: str, at: list[int]) -> None:
    ours, theirs = find(name), ZoneInfo(name)
    assert [(t, ours.offset(t)) for t in at] == [(t, standard(theirs, t)) for t in at]


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
                                  "Asia/Gaza", "America/Sao_Paulo", "Pacific/Apia", "Europe/Dublin"])  # fmt: skip
def test_every_hour_of_three_years(name: str) -> None:
    ours, theirs = find(name), ZoneInfo(name)
    start = int(datetime(2036, 1, 1, tzinfo=UTC).timestamp())
    wrong = [t for t in range(start, start + 3 * 366 * 86400, 3600) if ours.offset(t) != standard(theirs, t)]
    assert wrong == []


@given(st.integers(-700_000, 2_900_000))
def test_dates_are_the_standard_librarys(number: int) -> None:
    day = date(1970, 1, 1) + timedelta(days=number)
    assert date_of(number) == (day.year, day.month, day.day)
    assert day_of(day.year, day.month, day.day) == number
    assert weekday(number) == (day.weekday() + 1) % 7


def test_a_moment_is_shown_with_its_offset() -> None:
    assert shown(0, 0) == "1970-01-01 00:00:00 UTC"
    assert shown(0, 19800) == "1970-01-01 05:30:00 +05:30"
    assert shown(0, -12600) == "1969-12-31 20:30:00 -03:30"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../../etc/passwd", "Nowhere/Else", "Europe", "a\0b"])
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        find(name)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: b"TZif2" + data))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse(data)


@given(st.text("ACSTM<>,./:0123456789-+J", max_size=30))
def test_any_footer_is_read_or_refused(text: str) -> None:
    try:
        footer = Footer(text)
    except (ValueError, IndexError):
        return
    footer.offset(1.7e9)
