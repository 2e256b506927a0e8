"""The manual's sentences for the topic `renewal`."""

from __future__ import annotations

INTRO = (
    "When a healthy process is replaced all the same: stopped as its options say, and started again. The exit "
    "record's cause is `renewal`."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "memory": "bytes, or a whole number with KB, MB or GB",
    "scope": "leader or family",
    "duration": "seconds, or with units: 90s, 5m, 1h30m, 2d",
    "share": "0 to 0.5, or percent as `10%%`",
    "globs": "absolute paths with blanks between; `*`, `?` and `**` stand for names",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "restart_memory": "resident memory above which it is restarted",
    "restart_memory_of": "whose memory that is: the process itself, or it and its descendants",
    "restart_age": "age at which it is restarted",
    "restart_age_jitter": (
        "share of the age by which it may come sooner, by chance, so that several processes do not restart together"
    ),
    "restart_on_change": (
        "files whose change restarts it: made, changed or removed, and then unchanged for one look; at most 1024 "
        "files are watched"
    ),
    "restart_look": "seconds between two looks at memory and files",
}
"""By option."""
