"""Days as numbers: the civil calendar without importing one; pure.

Day 0 is 1970-01-01.  The arithmetic counts years from March, so that the odd day of a leap year is the last of its
year (the usual proleptic Gregorian method).
"""

from __future__ import annotations

DAY = 86400
DAYS_OF_ERA = 146097
"""Days in 400 years."""


def day_of(year: int, month: int, day: int) -> int:
    """The number of a date; months and days beyond their ranges carry over."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month - 3) % 12) + 2) // 5 + day - 1
    return era * DAYS_OF_ERA + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def date_of(number: int) -> tuple[int, int, int]:
    """Year, month and day of a number."""
    era, of_era = divmod(number + 719468, DAYS_OF_ERA)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day


def weekday(number: int) -> int:
    """0 is Sunday."""
    return (number + 4) % 7


def shown(at: float, offset: int) -> str:
    """An instant as people write it: `2026-11-24 03:00:00 +01:00`."""
    day, second = divmod(int(at) + offset, DAY)
    year, month, of_month = date_of(day)
    sign, minutes = ("-", -offset // 60) if offset < 0 else ("+", offset // 60)
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    zone = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" if offset else "UTC"
    return f"{year:04d}-{month:02d}-{of_month:02d} {clock} {zone}"
