"""The manual's sentences for the topic `stopping`."""

from __future__ import annotations

INTRO = (
    "A stop with a scope is over, and the next start due, when nobody of the scope is left, not when the leader died: "
    "what it leaves behind gets the signals that are still to come, then SIGKILL. Who survives that, and orphans that "
    "may have been its own but carry no mark (sudo and sshd scrub the environment), are named in the log, in "
    "`initd events` and in the answer to `stop --wait`. A pid that was given anew is never signalled."
)
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "signals": "signals with commas between, each but the last with a colon and seconds",
    "scope": "leader, group or tree",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "stop_signals": (
        "signals of a stop, one after the other, as `TERM:5, INT:5, QUIT`, each with the seconds it may take; the last "
        "one has stopwaitsecs if none are given; then SIGKILL. Comes before stopsignal"
    ),
    "stop_scope": (
        "what a stop reaches and waits for: the leader alone; its process group; or the tree, all that came from it "
        "by parent, group, session, mark or cgroup. Not set: as supervisord, by stopasgroup and killasgroup, and over "
        "when the leader is gone"
    ),
}
"""By option."""
