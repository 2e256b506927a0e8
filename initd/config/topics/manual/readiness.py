"""The manual's sentences for the topic `readiness`."""

from __future__ import annotations

INTRO = (
    "When a program counts as RUNNING: with a probe not before it has succeeded (and `startsecs` are over). Until "
    "then it is STARTING; who depends on it waits."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "readiness": (
        "`tcp:ADDRESS:PORT`, `unix:/PATH`, `http://ADDRESS[:PORT]/PATH`, `http+unix:/SOCKET:/PATH`, `exec:COMMAND`, "
        "`file:/PATH`, `exists:/PATH`, `log:TEXT`, `fd:NUMBER` or `sd_notify`"
    ),
    "duration": "seconds, or with units: 90s, 5m, 1h30m, 2d",
    "pause": "the same, or 0",
    "count": "number 1 to 1000",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "readiness": (
        "the probe: a connection is accepted; an HTTP GET is answered with 2xx or 3xx; the command (as the "
        "program's user, in its directory and environment) exits with 0; the file was made or changed since the "
        "start (`file`), or is there (`exists`); the program writes a line that contains TEXT (with `*` and `?`: "
        "that matches it whole); writes a newline to the descriptor (s6); or says READY=1 to NOTIFY_SOCKET "
        "(sd_notify(3)). Addresses are literal or localhost: PID 1 asks no name server. It looks at files itself: one "
        "on a network file system that hangs holds up everything"
    ),
    "readiness_within": "seconds from its start; after them it is stopped and the start has failed",
    "readiness_delay": "seconds from its start to the first look",
    "readiness_interval": "seconds between two looks",
    "readiness_timeout": "seconds one look may take",
    "readiness_successes": "looks in a row that must succeed",
}
"""By option."""
