"""The REST API as a table: one row for each thing that can be asked for.

From it come the handlers (console.api.routes), the description (console.api.openapi) and docs/console-api.md; the
hub's operations behind it are described in docs/operations.md.  A list answers `{"rows": [...], "next": AFTER}`: the
same question with `after` goes on, until `next` is null.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["CALLS", "Call", "Field"]


class Field(NamedTuple):
    """One argument: a parameter of the query, or a field of the body."""

    name: str
    kind: type
    doc: str
    required: bool = False


class Call(NamedTuple):
    """One route: what it asks of the hub, and with which arguments."""

    method: str
    path: str
    op: str
    doc: str
    fields: tuple[Field, ...] = ()
    key: str = ""
    """Field of a row by which the next page begins; "" where everything comes at once."""
    constant: tuple[tuple[str, Any], ...] = ()
    """Arguments that the route itself says."""
    one: bool = False
    """The answer is one thing, no list."""


TARGET = Field("target", str, "AGENT/PROGRAM, AGENT or a container's name, with globs; or label=value,program=NAME")
TARGETS = Field("targets", list, "several of these")
ALL = Field("all", bool, "those that left or ended, too")
SINCE = Field("since", float, "wall seconds: nothing older")
UNTIL = Field("until", float, "wall seconds: nothing newer")
ID = Field("id", str, "its id", True)
LIMIT = Field("limit", int, "rows of an answer, 1 to 1000")
AFTER = Field("after", str, "`next` of the answer before")
POSITION = Field("after", int, "`next` of the answer before")
SEARCH = (
    Field("program", str, "name of the program"),
    Field("cause", str, "exit, signal, oom, spawn ..."),
    Field("code", int, "exit status"),
    Field("signal", str, "name or number"),
    Field("text", str, "part of its last lines"),
    Field("who", str, "who or what did it"),
    Field("expected", bool, "as the configuration expects"),
)
ROLL = (
    Field("verb", str, "start, stop, restart or signal", True),
    Field("args", dict, "wait, signal"),
    TARGET,
    TARGETS,
    Field("at_a_time", str, "number or share, e.g. 2 or 10%"),
    Field("wait", str, "ready, running or none"),
    Field("stop_on_failure", int, "failures after which it stops"),
    Field("dry_run", bool, "only tell who would be reached"),
)
COMMAND = (
    Field("verb", str, "start, stop, restart, signal, tail; of containers kill, pause, unpause, too", True),
    TARGET,
    TARGETS,
    Field("args", dict, "wait, signal, stream, bytes, grace"),
    Field("ttl", float, "seconds until it is too late"),
    Field("container", bool, "the targets are containers, and their engines carry it out"),
    Field("hold", float, "seconds to wait for its end before the answer"),
)

CALLS: tuple[Call, ...] = (
    Call("GET", "/about", "about", "The hub that answers: version, epoch, uptime, agents by presence.", one=True),
    Call("GET", "/agents", "agents", "Agents of the live list.", (ALL, LIMIT, AFTER), "agent"),
    Call("GET", "/hosts", "hosts", "Docker engines."),
    Call("GET", "/containers", "containers", "Containers of all engines.", (ALL, LIMIT, AFTER), "id"),
    Call("GET", "/programs", "ps", "Programs with state and figures.", (TARGET, ALL, LIMIT, AFTER), "agent"),
    Call("GET", "/events", "events", "What happened, newest last.", (TARGET, SINCE, POSITION, LIMIT), "position"),
    Call(
        "GET",
        "/exits",
        "exits",
        "What ended, how, why, and who did it.",
        (TARGET, SINCE, UNTIL, POSITION, LIMIT, *SEARCH),
        "position",
    ),
    Call(
        "GET",
        "/exit-groups",
        "exit_groups",
        "Exits, counted.",
        (Field("group_by", str, "some of program, agent, cause, end, who", True), TARGET, SINCE, UNTIL, *SEARCH),
        one=True,
    ),
    Call("GET", "/why", "why", "Why it ended: one timeline and a verdict.", (TARGET, SINCE), one=True),
    Call("GET", "/storms", "storms", "Crash loops.", (TARGET, ALL, SINCE)),
    Call(
        "GET",
        "/samples",
        "history",
        "Samples of one process by column.",
        (TARGET, *(Field(name, float, "wall seconds") for name in ("start", "end")), Field("step", float, "seconds")),
        one=True,
    ),
    Call(
        "GET",
        "/container-samples",
        "container_history",
        "Samples of one container by column.",
        (TARGET, *(Field(name, float, "wall seconds") for name in ("start", "end")), Field("step", float, "seconds")),
        one=True,
    ),
    Call("GET", "/commands", "commands", "The newest commands.", (SINCE, LIMIT)),
    Call("GET", "/commands/{id}", "command_state", "One command, as it stands.", (ID,), one=True),
    Call("POST", "/commands", "command", "Give a command.", COMMAND, one=True),
    Call("GET", "/rolls", "rolls", "Rolling commands.", (ALL,)),
    Call("POST", "/rolls", "roll", "A command to many, a few at a time.", ROLL, one=True),
    Call("POST", "/rolls/{id}/cancel", "roll.cancel", "End it after what is under way.", (ID,), one=True),
    Call("POST", "/rolls/{id}/resume", "roll.resume", "Go on with a stopped one.", (ID,), one=True),
    Call("GET", "/alerts", "alerts", "What is wrong now.", (ALL,)),
    Call("GET", "/silences", "silence.list", "Silences in force."),
    Call(
        "POST",
        "/silences",
        "silence.create",
        "Do not tell of some alerts for a while.",
        (
            Field("selector", str, "label=value,...", True),
            Field("seconds", float, "for how long", True),
            Field("reason", str, "why", True),
        ),
        one=True,
    ),
    Call("DELETE", "/silences/{id}", "silence.end", "End a silence.", (ID,), one=True),
    Call("GET", "/hubs", "hubs", "The hubs of this fleet."),
    Call("GET", "/audit", "audit", "Who asked for what, and what came of it.", (SINCE, POSITION, LIMIT), "position"),
    Call("GET", "/tokens", "token.list", "Join tokens."),
    Call(
        "POST",
        "/tokens",
        "token.create",
        "A join token; the join string is told only now.",
        (
            Field("kind", str, "invite, service or relay"),
            Field("labels", dict, "for its agents"),
            Field("cap", int, "live agents at a time"),
            Field("seconds", float, "its life"),
            Field("uses", int, "how often"),
        ),
        one=True,
    ),
    Call("DELETE", "/tokens/{id}", "token.revoke", "Revoke a join token.", (ID,), one=True),
)
