"""Time zones as the image has them: what to add to UTC at a moment.

Theory.  A file of /usr/share/zoneinfo is TZif (RFC 8536): moments at which the offset changes, then, for all time after
the last of them, a rule in the words of POSIX's TZ variable (`CET-1CEST,M3.5.0,M10.5.0/3`).  The standard library's
zoneinfo reads them too, but costs PID 1 a megabyte; a test holds both against each other for every zone there is.
"""

from __future__ import annotations

from _bisect import bisect_right

from initd.jobs.dates import DAY, date_of, day_of, weekday

TYPE_CHECKING = False
if TYPE_CHECKING:
    Rule = tuple[str, int, int, int, int]

FOLDERS = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
"""Where zones are, in the order of the standard library."""

ZONE_BYTES = 256 * 1024
"""Largest file of a zone; the largest real one has 4 KiB."""

HOUR = 3600


class Zone:
    """Offsets by time: `times` with the `offsets` from then on, `first` before them, `footer` after them."""

    def __init__(self, first: int, times: list[int], offsets: list[int], footer: str = "") -> None:
        self._first = first
        self._times = times
        self._offsets = offsets
        self._footer = Footer(footer) if footer else None

    def offset(self, at: float) -> int:
        """Seconds to add to UTC at that moment (seconds since the epoch)."""
        if self._footer is not None and (not self._times or at >= self._times[-1]):
            return self._footer.offset(at)
        place = bisect_right(self._times, at)
        return self._offsets[place - 1] if place else self._first


UTC = Zone(0, [], [])


def find(name: str) -> Zone:
    """The zone of that name, as `Europe/Berlin`.  Raises ValueError with the fix."""
    if name in ("UTC", "Etc/UTC", "GMT"):
        return UTC
    if not name or name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise ValueError(f"{name!r} is no time zone: write one as Europe/Berlin, or UTC")
    for folder in FOLDERS:
        try:
            with open(f"{folder}/{name}", "rb") as file:
                return parse(file.read(ZONE_BYTES))
        except OSError:
            continue
        except (ValueError, IndexError) as fault:
            raise ValueError(f"{folder}/{name} is no time zone: {fault}") from None
    raise ValueError(f"there is no time zone {name!r} in this image: install tzdata, or write UTC")


# TZif


def parse(data: bytes) -> Zone:
    """A zone file.  Raises ValueError or IndexError for anything else."""
    if data[:4] != b"TZif":
        raise ValueError("it does not begin with TZif")
    if data[4:5] < b"2":
        return _body(data, 0, 4)
    return _body(data, _length(data, 0, 4), 8)


def _counts(data: bytes, at: int) -> list[int]:
    """isutc, isstd, leap, time, type and char counts of a header."""
    return [int.from_bytes(data[at + 20 + 4 * i : at + 24 + 4 * i], "big") for i in range(6)]


def _length(data: bytes, at: int, width: int) -> int:
    isutc, isstd, leap, times, types, chars = _counts(data, at)
    return 44 + times * (width + 1) + types * 6 + chars + leap * (width + 4) + isstd + isutc


def _body(data: bytes, at: int, width: int) -> Zone:
    _, _, _, count, types, _ = _counts(data, at)
    end = at + _length(data, at, width)
    if end > len(data) or not types:
        raise ValueError("it ends too early")
    start = at + 44
    times = [_signed(data[start + i * width : start + (i + 1) * width]) for i in range(count)]
    kinds = start + count * width
    table = kinds + count
    known = [_signed(data[table + 6 * i : table + 6 * i + 4]) for i in range(types)]
    footer = data[end:].decode("ascii").strip("\n") if width == 8 else ""
    return Zone(known[0], times, [known[kind] for kind in data[kinds:table]], footer)


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


# The rule of the footer


class Footer:
    """A POSIX TZ string: standard and summer offset, and when each begins.  Raises ValueError."""

    def __init__(self, text: str) -> None:
        names, _, rules = text.partition(",")
        rest = _skip_name(names)
        size = _clock_length(rest)
        self._standard = -_clock(rest[:size])
        summer = rest[size:]
        self._summer = self._standard
        self._rules: tuple[Rule, ...] = ()
        if summer:
            ahead = _skip_name(summer)
            self._summer = -_clock(ahead) if ahead else self._standard + HOUR
            begin, end = rules.split(",")
            self._rules = (_rule(begin), _rule(end))
        self._years: dict[int, tuple[int, int]] = {}

    def offset(self, at: float) -> int:
        """Seconds to add to UTC."""
        if not self._rules:
            return self._standard
        year = date_of(int(at + self._standard) // DAY)[0]
        begin, end = self._changes(year)
        inside = begin <= at < end if begin < end else not end <= at < begin
        return self._summer if inside else self._standard

    def _changes(self, year: int) -> tuple[int, int]:
        """The moments at which summer time begins and ends."""
        if year not in self._years:
            if len(self._years) > 8:
                self._years.clear()
            begin, end = (_second(rule, year) for rule in self._rules)
            self._years[year] = (begin - self._standard, end - self._summer)
        return self._years[year]


def _skip_name(text: str) -> str:
    """What stands behind a zone's name: letters, or anything in <>."""
    if text.startswith("<"):
        return text.partition(">")[2]
    rest = text.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    if len(text) - len(rest) < 3:
        raise ValueError(f"{text!r} has no name of a zone")
    return rest


def _clock_length(text: str) -> int:
    size = 1 if text[:1] in "+-" else 0
    while size < len(text) and text[size] in "0123456789:":
        size += 1
    return size


def _clock(text: str) -> int:
    """Seconds of [+-]h[h][:mm[:ss]]."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")] + [0, 0]
    return sign * (parts[0] * HOUR + parts[1] * 60 + parts[2])


def _rule(text: str) -> Rule:
    """Kind (M, J or 0), its numbers, and the second of the day."""
    date, slash, clock = text.partition("/")
    second = _clock(clock) if slash else 2 * HOUR
    if date.startswith("M"):
        month, week, day = (int(part) for part in date[1:].split("."))
        return "M", month, week, day, second
    return ("J", int(date[1:]), 0, 0, second) if date.startswith("J") else ("0", int(date), 0, 0, second)


def _second(rule: Rule, year: int) -> int:
    """Local seconds since the epoch at which a rule applies in a year."""
    kind, number, week, day, second = rule
    if kind == "M":
        first = day_of(year, number, 1)
        found = first + (day - weekday(first)) % 7 + (week - 1) * 7
        if found >= day_of(year, number + 1, 1):
            found -= 7
    elif kind == "J":  # 1 to 365, February 29 is never counted
        found = day_of(year, 1, 1) + number - 1
        found += number >= 60 and day_of(year, 3, 1) - day_of(year, 1, 1) == 60
    else:
        found = day_of(year, 1, 1) + number
    return found * DAY + second
