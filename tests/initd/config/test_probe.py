"""Probes as they are written: what each form means, and what is refused with which cure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.config.durations import duration, pause, phrase
from initd.config.probe import Probe, liveness, probe, readiness

GOOD = {
    "tcp:127.0.0.1:5432": Probe("tcp", "", "127.0.0.1", 5432),
    "tcp:localhost:80": Probe("tcp", "", "127.0.0.1", 80),
    "tcp:[::1]:80": Probe("tcp", "", "::1", 80),
    "tcp:::1:80": Probe("tcp", "", "::1", 80),
    "unix:/run/app.sock": Probe("tcp", "", path="/run/app.sock"),
    "http://localhost/health": Probe("http", "", "127.0.0.1", 80, target="/health"),
    "http://10.0.0.1:8080": Probe("http", "", "10.0.0.1", 8080, target="/"),
    "http://[fe80::1]:81/a?b=c#d": Probe("http", "", "fe80::1", 81, target="/a?b=c"),
    "http+unix:/run/a.sock:/x": Probe("http", "", path="/run/a.sock", target="/x"),
    "exec:pg_isready -h 'a b'": Probe("exec", "", argv=("pg_isready", "-h", "a b")),
    "file:/run/a.pid": Probe("file", "", path="/run/a.pid"),
    "exists:/run/a": Probe("exists", "", path="/run/a"),
    "log:listening on *": Probe("log", "", path="listening on *"),
    "fd:3": Probe("fd", "", fd=3),
    "sd_notify": Probe("sd_notify", ""),
    "watchdog": Probe("watchdog", ""),
}
BAD = {
    "": "is no probe",
    "tcp": "is no probe",
    "ftp://x": "is no probe",
    "tcp:db:5432": "no name server",
    "tcp:127.0.0.1": "write a port",
    "tcp:127.0.0.1:0": "write a port",
    "tcp:127.0.0.1:99999999999": "write a port",
    "tcp:256.0.0.1:1": "is no address",
    "tcp:1::2::3:80": "is no address",
    "http://example.org/": "no name server",
    "http://user:pw@127.0.0.1/": "without user and password",
    "http:/127.0.0.1/": "write http://",
    "http://127.0.0.1/a b": "without blanks",
    "http://127.0.0.1/ä": "plain ASCII",
    "https://127.0.0.1/": "exec:curl",
    "http+unix:/run/a.sock": "http+unix:/path",
    "unix:run/a.sock": "absolute",
    "exec:": "write the command",
    "exec:'open": "never closed",
    "file:a.pid": "absolute",
    "log:": "write the text",
    "log:" + "x" * 300: "at most",
    "fd:2": "3 to 255",
    "fd:x": "3 to 255",
    "sd_notify:x": "nothing stands behind",
}


@pytest.mark.parametrize("text", GOOD)
def test_good_ones(text: str) -> None:
    assert probe(text) == GOOD[text]._replace(text=text)


@pytest.mark.parametrize("text", BAD)
def test_bad_ones_say_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=BAD[text].replace("+", r"\+")):
        probe(text)


@given(st.text(max_size=60) | st.text(":/.[]0123456789abtcphxunif+", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = probe(text)
    except ValueError:
        return
    assert "\n" not in found.target and "\r" not in found.target


def test_what_is_said_once_is_no_liveness() -> None:
    for text in ("fd:3", "sd_notify", "log:x"):
        with pytest.raises(ValueError, match="watchdog"):
            liveness(text)
    with pytest.raises(ValueError, match="write sd_notify"):
        readiness("watchdog")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("2.5", 2.5), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172800), (" 1h 5s ", 3605)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds
    assert duration(phrase(seconds)) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "x", "1x", "5m1h", "1h30", "nan", "inf", "1e3", "999d", "m", ".", "1.2.3"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration(text)


def test_a_pause_may_be_none() -> None:
    assert pause("0") == 0
    with pytest.raises(ValueError, match="duration"):
        pause("-1")


@pytest.mark.parametrize(("reader", "foreign"), [(readiness, "watchdog"), (liveness, "log:TEXT")])
def test_only_what_is_known_there_is_proposed(reader: Callable[[str], Probe], foreign: str) -> None:
    with pytest.raises(ValueError, match="is no probe: write tcp:") as caught:
        reader("tpc:x")
    assert foreign not in str(caught.value)
