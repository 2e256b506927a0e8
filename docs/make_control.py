"""Writes docs/control.md from the table of verbs itself: `python3 docs/make_control.py` writes it."""

from __future__ import annotations

# ruff: noqa: E501 - lines of the page
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from initd.arguments import REQUIRED
from initd.control import VERBS, Entry
from initd.logs.verbs import VERBS as LOG_VERBS
from initd.reload.verbs import VERBS as RELOAD_VERBS
from initd.remote import LINK_VERBS
from initd.replies import CODES
from initd.rpc import attempts, details, logs
from initd.talk import VERBS as TALK_VERBS
from wire.limits import (
    COMMAND_GRACE_SECONDS,
    COMMAND_OUTCOMES,
    COMMAND_RESULTS,
    CONTROL_CLIENTS,
    CONTROL_REPLY_BYTES,
    CONTROL_REQUEST_BYTES,
    RING_BYTES,
    STREAM_BYTES,
)

TARGET = Path(__file__).with_name("control.md")

HEAD = f"""\
# The control socket of initd

Made by docs/make_control.py from the table that answers; `initd.ctl.client` is a client in a page, `initd status` and its
kin are made of it. What follows is enough to write one in any language.

A unix stream socket: `PIDONE_SOCKET` or `[initd] socket=`, else `/run/initd/control.sock`, else `/tmp/initd-UID/control.sock`,
else the abstract name `initd-UID`. The directory is private (mode 0700, or 0750 with `[initd] socket_group=`); the peer's
uid must be initd's own or 0, unless a group was let in. It stands in records as the actor `uid=N`.

One JSON object a line, UTF-8, both ways. Requests are answered in order, except for those that wait or stream:

    {{"id": 1, "verb": "restart", "args": {{"names": ["web"], "wait": 10}}}}
    {{"id": 1, "ok": true, "result": {{"command": "6f1c02aa-7", "verb": "restart", "outcome": "done", "processes": [...]}}}}
    {{"id": 2, "ok": false, "error": {{"code": "unknown-program", "message": "...", "hint": "..."}}}}

`id` is any scalar of the client's choice and comes back in every answer. A stream (`follow`) is any number of
`{{"id": 3, "item": ...}}` and `{{"id": 3, "gap": 12}}`: so many items were left out because the client read too slowly.

Names are those that `status` shows (`web`, `pool:worker_0`), a whole group (`pool:*`), or `all`. One unknown name refuses
the whole request.

Bounds: a request {CONTROL_REQUEST_BYTES // 1024} KiB, a reply {CONTROL_REPLY_BYTES // 1024} KiB, {STREAM_BYTES // 1024} KiB waiting for a slow reader of a stream, {CONTROL_CLIENTS} clients; `tail` has
the last {RING_BYTES // 1024} KiB of a stream.

## Verbs

"""

COMMANDS = """
`start`, `stop`, `restart`, `signal` and `shutdown` are commands. Each has an id, which stands in the records of what it caused
and which `result` takes. `outcome`, of the command and of each row in `processes`:

| outcome | meaning |
|---|---|
| `done` | the wish is reached: RUNNING after `start` and `restart` (or EXITED as expected), no process after `stop` |
| `accepted` | not yet, and nobody waits |
| `timeout` | not within `wait`; the wish stands all the same |
| `failed` | it will not be: FATAL, UNKNOWN, an unexpected exit, or somebody wished otherwise meanwhile; see `message` |
| `partly` | of the command only: not the same for all its processes |

`healthy` is true when every process with autostart is RUNNING, or EXITED as expected, and no shutdown is under way.

"""

RELOAD = """
## Taking over a changed file

The file is read anew each time; a file with errors is refused as `bad-configuration` and changes nothing. `update`, `add`, `remove`
and `scale` are commands like those above, and touch only processes that differ: a changed option that needs a new process (command,
user, directory, environment, limits...) stops it as it was defined and starts it as it is defined now, if it was up or has autostart;
all others (priority, restart policy, log options...) are taken over while it runs. What is added starts when what is removed is gone.
`reread` tells all that beforehand, each difference with `need` (`restart`, `live`, `next start`), file and line; values of environments
are never told. What `scale` sets holds until `reload`.

"""

TALK = """
## Speaking to programs, and hearing them

"""

CLIENTS = """
## What supervisord's clients need besides

For the XML-RPC API and `supervisorctl`; anybody may use them. Text of logs goes one character a byte (Latin-1). One verb belongs to
the connection itself: `{"id": 4, "verb": "end", "args": {"id": 3}}` ends the stream that was asked with id 3.

"""

LINK = f"""
## What only link may ask

Over the socketpair that PID 1 gives it, in the same form. It may also use the verbs above that change nothing; whatever a hub
commands comes as `command`, so that PID 1 knows the actor, refuses old epochs and `[initd] remote=observe`, and carries out
each id at most once: a known id is answered with the stored result, or joins the wait. Ids are remembered until their
deadline and {COMMAND_GRACE_SECONDS:g} s more, the last {COMMAND_RESULTS} with their whole result, up to {COMMAND_OUTCOMES} before them with its outcome.

"""


def table_of(verbs: dict[str, Entry]) -> str:
    """Verbs with their arguments."""
    lines = ["| verb | arguments | |", "|---|---|---|"]
    for verb, entry in verbs.items():
        told = "<br>".join(f"`{one.name}`{'' if one.default is REQUIRED else '?'} {one.doc}" for one in entry.arguments)
        lines.append(f"| `{verb}` | {told} | {entry.doc} |")
    return "\n".join(lines) + "\n"


def render() -> str:
    """The whole page."""
    codes = "".join(f"| `{code}` | {meaning} |\n" for code, meaning in CODES.items())
    errors = f"## Errors\n\n| code | meaning |\n|---|---|\n{codes}"
    clients = CLIENTS + table_of(details.VERBS | attempts.VERBS | logs.VERBS)
    more = RELOAD + table_of(RELOAD_VERBS) + TALK + table_of(TALK_VERBS | LOG_VERBS)
    return HEAD + table_of(VERBS) + COMMANDS + errors + more + clients + LINK + table_of(LINK_VERBS)


if __name__ == "__main__":
    TARGET.write_text(render())
